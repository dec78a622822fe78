//! How much memory a save takes, at its peak, besides what it is given.

use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

use ckpt::{Metadata, Section};
use ckpt_measure::{Error, Noise};

use crate::place::Place;
use crate::table;

const GIB: u64 = 1 << 30;
const MIB: f64 = (1 << 20) as f64;
/// What either may take.
const ALLOWED: f64 = 64.0;

/// Each in a process of its own, since a peak is of a process.
pub(crate) fn run(place: &Place) -> Result<(), Error> {
    let mut text =
        "### Memory\n\n| case | MiB at the peak | target | met |\n| --- | --- | --- | --- |\n".to_owned();
    for (part, title) in
        [("slice", "saving a slice of 1 GiB, above the slice"), ("stream", "streaming 4 GiB, in all")]
    {
        let mut child = Command::new(std::env::current_exe()?);
        let output = child.arg(format!("memory-of-{part}")).arg(place.path()).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let peak: f64 = said.trim().parse().map_err(|_| {
            format!("the process for {part} said {said:?} {}", String::from_utf8_lossy(&output.stderr))
        })?;
        let met = if peak <= ALLOWED { "yes" } else { "**no**" };
        text.push_str(&format!("| {title} | {peak:.1} | {ALLOWED} | {met} |\n"));
    }
    table::say(&text);
    Ok(())
}

/// What runs in such a process: it prints a number of MiB.
pub(crate) fn part(part: &str, dir: &Path) -> Result<(), Error> {
    let place = Place::inside(dir)?;
    let run = place.run(part)?;
    let peak = match part {
        "slice" => {
            let noise = Noise::new(GIB as usize, 1);
            run.save(Metadata::default(), vec![Section::raw("weights", noise.unaligned())])?;
            peak()? - GIB as f64 / MIB
        }
        "stream" => {
            let reader = Numbers { next: 1 }.take(4 * GIB);
            run.save(Metadata::default(), vec![Section::reader("replay", reader)])?;
            peak()?
        }
        _ => return Err(format!("there is no {part:?} to measure").into()),
    };
    table::say(&format!("{peak}"));
    Ok(())
}

/// Numbers without end, made as they are read.
struct Numbers {
    next: u64,
}

impl Read for Numbers {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        for bytes in out.chunks_mut(8) {
            self.next ^= self.next << 13;
            self.next ^= self.next >> 7;
            self.next ^= self.next << 17;
            bytes.copy_from_slice(&self.next.to_le_bytes()[..bytes.len()]);
        }
        Ok(out.len())
    }
}

/// The most memory that this process ever had, in MiB.
fn peak() -> Result<f64, Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib =
        line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("the system does not tell VmHWM")?;
    Ok(kib.trim().parse::<f64>()? / 1024.0)
}
