//! Floating-point numbers that no compressor shrinks by much, like the weights of a network.

use crate::raw::ALIGNMENT;

/// As many bytes of `f32` as asked for, the same for the same seed.
#[derive(Debug)]
pub struct Noise {
    bytes: Vec<u8>,
    start: usize,
    length: usize,
}

impl Noise {
    /// Makes them: `length` bytes, numbers between -1 and 1.
    pub fn new(length: usize, seed: u64) -> Self {
        let mut bytes = vec![0; length + 2 * ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        let mut state = seed;
        // From the first page on, so that where the memory lies does not change what stands there.
        for number in bytes[start..].chunks_exact_mut(4) {
            // splitmix64: the upper bits of its output make a fraction of 24 bits and a sign.
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let fraction = (mixed >> 40) as f32 / (1_u32 << 23) as f32 - 1.0;
            number.copy_from_slice(&fraction.to_le_bytes());
        }
        Self { bytes, start, length }
    }

    /// The bytes, at an address that direct I/O takes.
    pub fn aligned(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.length]
    }

    /// As many bytes 16 further on: where an allocator puts what programs ask it for.
    pub fn unaligned(&self) -> &[u8] {
        &self.bytes[self.start + 16..self.start + 16 + self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_long_as_asked_for_aligned_or_not_and_the_same_for_the_same_seed() {
        let noise = Noise::new(100_000, 7);
        assert_eq!((noise.aligned().len(), noise.unaligned().len()), (100_000, 100_000));
        assert_eq!(noise.aligned().as_ptr().align_offset(ALIGNMENT), 0);
        assert_eq!(noise.unaligned().as_ptr().align_offset(ALIGNMENT), ALIGNMENT - 16);
        let again = Noise::new(1_000, 7);
        assert!(
            noise.aligned()[..1_000] == *again.aligned() && noise.unaligned()[..1_000] == *again.unaligned()
        );
        let numbers =
            noise.aligned().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
        assert!(numbers.into_iter().all(|number| (-1.0..=1.0).contains(&number)));
    }
}
