//! Files that the fuzzer drafts: a few sections, and then some lies about them.

use arbitrary::{Result, Unstructured};

use crate::forge::Forge;

/// Adds a few sections that are stored as they are.
pub fn plain_sections(input: &mut Unstructured<'_>, forge: &mut Forge) -> Result<()> {
    for number in 0..input.int_in_range(0..=4)? {
        let bytes = input.arbitrary::<Vec<u8>>()?;
        forge.plain(&format!("s{number}"), input.int_in_range(0..=3)?, &bytes);
    }
    Ok(())
}

/// Settles the file and tells some lies about it; returns how many.
pub fn lies(input: &mut Unstructured<'_>, forge: &mut Forge) -> Result<u32> {
    forge.settle();
    let lies = input.int_in_range(0..=4)?;
    for _ in 0..lies {
        lie(input, forge)?;
        // Sometimes the rest is made to fit the lie.
        if input.ratio(1, 3)? {
            forge.settle();
        }
    }
    Ok(lies)
}

/// Changes one field.
fn lie(input: &mut Unstructured<'_>, forge: &mut Forge) -> Result<()> {
    let value = match input.int_in_range(0..=3)? {
        0 => input.arbitrary()?,
        1 => u64::from(input.arbitrary::<u8>()?),
        2 => u64::MAX - u64::from(input.arbitrary::<u8>()?),
        _ => 1 << input.int_in_range(0..=63)?,
    };
    let (blocks, sections) = (forge.blocks.len(), forge.sections.len());
    let record = &mut forge.record;
    match input.int_in_range(0..=33)? {
        0 => forge.header.major = value as u16,
        1 => forge.header.minor = value as u16,
        2 => forge.header.metadata_length = value as u32,
        3 => forge.header.required = value,
        4 => forge.header.compatible = value,
        5 => record.file_length = value,
        6 => record.payload_offset = value,
        7 => record.block_table_offset = value,
        8 => record.section_table_offset = value,
        9 => record.section_table_length = value,
        10 => record.block_count = value as u32,
        11 => record.section_count = value as u32,
        12 => record.raw_bytes = value,
        13 => record.stored_bytes = value,
        14 => forge.payload.resize(forge.payload.len() + value as usize % 9_000, 0),
        kind @ 15..=21 if blocks > 0 => {
            let place = input.choose_index(blocks)?;
            let block = &mut forge.blocks[place];
            match kind {
                15 => block.location = value,
                16 => block.offset = value,
                17 => block.stored_length = value as u32,
                18 => block.raw_length = value as u32,
                19 => block.compression = value as u8,
                20 => block.zero = value as u8,
                _ => {
                    let twin = block.clone();
                    forge.blocks.push(twin);
                }
            }
        }
        kind @ 22.. if sections > 0 => {
            let place = input.choose_index(sections)?;
            let section = &mut forge.sections[place];
            match kind {
                22 => section.raw_length = value,
                23 => section.stored_length = value,
                24 => section.first_block = value,
                25 => section.block_count = value as u32,
                26 => section.version = value as u32,
                27 => section.codes[value as usize % 4] = (value >> 8) as u8,
                28 => section.name_length = value as u16,
                29 => section.kind_length = value as u16,
                30 => section.name = input.arbitrary()?,
                31 => section.kind = input.arbitrary()?,
                32 => {
                    (section.name_length, section.kind_length) =
                        (section.name.len() as u16, section.kind.len() as u16)
                }
                _ => {
                    let twin = section.clone();
                    forge.sections.push(twin);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Changes bytes of a finished file, whose digests then stay as they were. Returns whether it did.
pub fn edit(input: &mut Unstructured<'_>, file: &mut Vec<u8>) -> Result<bool> {
    let edits = if input.ratio(1, 4)? { input.int_in_range(1..=3)? } else { 0 };
    for _ in 0..edits {
        let place = input.choose_index(file.len().max(1))?;
        match input.int_in_range(0..=3)? {
            0 => file.truncate(place),
            1 => file.resize(file.len() + place % 5_000, 0),
            2 => file.get_mut(place).map_or((), |byte| *byte ^= 1),
            _ => file.rotate_left(place),
        }
    }
    Ok(edits > 0)
}
