//! What may befall a file, numbered: every one of them can be named, made again, and counted.

use std::ops::Range;

/// A sector: what a disk writes or loses as a whole.
const SECTOR: usize = 512;
/// A page of the file's layout.
const PAGE: usize = 4_096;
/// Most bytes that are appended one by one.
const TRAILING_MAX: usize = 600;
/// How far apart the places are at which bytes are doubled or lost.
const STRIDE: usize = 64;
/// How many bytes are doubled or lost.
const RUNS: [usize; 4] = [1, 8, SECTOR, PAGE];

/// A file, and the pieces of it that may change places.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) bytes: Vec<u8>,
    /// Stored blocks, whole sections, entries of the tables: within one list, any two are swapped.
    pub(crate) pieces: [Vec<Range<usize>>; 4],
}

/// What was done to a file. Numbers count bits, bytes, or pieces, as the name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutation {
    FlipBit(usize),
    CutTo(usize),
    ZeroSector(usize),
    OnesSector(usize),
    SwapSectors(usize, usize),
    SwapPages(usize, usize),
    /// Which list of pieces, and which two of it.
    SwapPieces(usize, usize, usize),
    /// What is appended (see [`Mutation::apply`]), and how much of it.
    Append(usize, usize),
    /// From where, how many.
    Double(usize, usize),
    Lose(usize, usize),
    AllZero,
    AllOnes,
    /// This head up to a sector, then the bytes from there on of that other file.
    Graft(usize, usize),
    /// This head up to a sector, then the last bytes of that other file, so many sectors.
    Tail(usize, usize, usize),
}

impl Subject {
    /// How many mutations there are, `others` being the number of other files.
    pub(crate) fn count(&self, others: usize) -> usize {
        self.families(others).iter().map(|(count, _)| count).sum()
    }

    /// Mutation number `index`.
    pub(crate) fn mutation(&self, others: usize, mut index: usize) -> Mutation {
        for (count, make) in self.families(others) {
            if index < count {
                return make(index);
            }
            index -= count;
        }
        panic!("there is no mutation {index} more");
    }

    #[expect(clippy::type_complexity, reason = "one list, made and taken apart in this file")]
    fn families(&self, others: usize) -> Vec<(usize, Box<dyn Fn(usize) -> Mutation + '_>)> {
        let length = self.bytes.len();
        let (sectors, pages) = (length / SECTOR, length / PAGE);
        let places = length / STRIDE;
        let run = move |index: usize| (index % places * STRIDE, RUNS[index / places]);
        let mut families: Vec<(usize, Box<dyn Fn(usize) -> Mutation + '_>)> = vec![
            (length * 8, Box::new(Mutation::FlipBit)),
            (length, Box::new(Mutation::CutTo)),
            (sectors, Box::new(Mutation::ZeroSector)),
            (sectors, Box::new(Mutation::OnesSector)),
            (pairs(sectors), Box::new(|index| in_pair(index, Mutation::SwapSectors))),
            (pairs(pages), Box::new(|index| in_pair(index, Mutation::SwapPages))),
            (4 * TRAILING_MAX, Box::new(|index| Mutation::Append(index % 4, index / 4 + 1))),
            (places * RUNS.len(), Box::new(move |index| in_two(run(index), Mutation::Double))),
            (places * RUNS.len(), Box::new(move |index| in_two(run(index), Mutation::Lose))),
            (2, Box::new(|index| [Mutation::AllZero, Mutation::AllOnes][index])),
            (others * sectors, Box::new(move |index| Mutation::Graft(index / sectors, index % sectors))),
            (
                others * sectors * 8,
                Box::new(move |index| {
                    Mutation::Tail(index / 8 / sectors, index / 8 % sectors, index % 8 + 1)
                }),
            ),
        ];
        for (list, pieces) in self.pieces.iter().enumerate() {
            let swap = move |index| in_pair(index, |a, b| Mutation::SwapPieces(list, a, b));
            families.push((pairs(pieces.len()), Box::new(swap)));
        }
        families
    }
}

impl Mutation {
    /// The file after this has befallen it.
    pub(crate) fn apply(self, subject: &Subject, others: &[&[u8]]) -> Vec<u8> {
        let file = &subject.bytes;
        let mut bytes = file.clone();
        match self {
            Self::FlipBit(bit) => bytes[bit / 8] ^= 1 << (bit % 8),
            Self::CutTo(length) => bytes.truncate(length),
            Self::ZeroSector(sector) => bytes[sector * SECTOR..][..SECTOR].fill(0),
            Self::OnesSector(sector) => bytes[sector * SECTOR..][..SECTOR].fill(0xFF),
            Self::SwapSectors(a, b) => return swapped(file, &span(a, SECTOR), &span(b, SECTOR)),
            Self::SwapPages(a, b) => return swapped(file, &span(a, PAGE), &span(b, PAGE)),
            Self::SwapPieces(list, a, b) => {
                return swapped(file, &subject.pieces[list][a], &subject.pieces[list][b]);
            }
            Self::Append(what, count) => {
                // Zeros, ones, more of the end, or what the file begins with.
                let source = match what {
                    0 => vec![0; count],
                    1 => vec![0xFF; count],
                    2 => file[file.len() - count..].to_vec(),
                    _ => file[..count].to_vec(),
                };
                bytes.extend_from_slice(&source);
            }
            Self::Double(from, count) => {
                let end = (from + count).min(file.len());
                bytes.splice(end..end, file[from..end].iter().copied());
            }
            Self::Lose(from, count) => drop(bytes.drain(from..(from + count).min(file.len()))),
            Self::AllZero => bytes.fill(0),
            Self::AllOnes => bytes.fill(0xFF),
            Self::Graft(other, sector) => {
                bytes.truncate(sector * SECTOR);
                bytes.extend_from_slice(others[other].get(sector * SECTOR..).unwrap_or_default());
            }
            Self::Tail(other, sector, sectors) => {
                bytes.truncate(sector * SECTOR);
                bytes.extend_from_slice(&others[other][others[other].len() - sectors * SECTOR..]);
            }
        }
        bytes
    }
}

fn span(index: usize, size: usize) -> Range<usize> {
    index * size..(index + 1) * size
}

/// The bytes with two pieces in each other's place; what lies between moves if one is longer.
fn swapped(bytes: &[u8], a: &Range<usize>, b: &Range<usize>) -> Vec<u8> {
    let (first, second) = if a.start <= b.start { (a, b) } else { (b, a) };
    [
        &bytes[..first.start],
        &bytes[second.clone()],
        &bytes[first.end..second.start],
        &bytes[first.clone()],
        &bytes[second.end..],
    ]
    .concat()
}

/// How many pairs so many things make.
fn pairs(count: usize) -> usize {
    count * count.saturating_sub(1) / 2
}

/// Pair number `index`: (0, 1), (0, 2), (1, 2), (0, 3) ...
fn in_pair(index: usize, make: impl Fn(usize, usize) -> Mutation) -> Mutation {
    let mut second = 1;
    while pairs(second + 1) <= index {
        second += 1;
    }
    make(index - pairs(second), second)
}

fn in_two((a, b): (usize, usize), make: impl Fn(usize, usize) -> Mutation) -> Mutation {
    make(a, b)
}
