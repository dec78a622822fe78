//! One checkpoint at a time: what a save and a load cost beside writing and reading the same bytes.

use std::path::Path;
use std::time::Duration;

use ckpt::{Bundle as _, Compress, Metadata, Section, Selector};
use ckpt_bench::Learner;
use ckpt_measure::{Against, Error, Noise, Rounds, raw, timed};

use crate::place::Place;
use crate::table;

const SMALL_ROUNDS: u32 = 301;
const LARGE_ROUNDS: u32 = 11;
/// 50 MB, to the page.
const FIFTY: usize = 50_000_000 / raw::ALIGNMENT * raw::ALIGNMENT;
pub(crate) const GIB: usize = 1 << 30;

/// A bundle of 100 KB.
pub(crate) fn small(place: &Place) -> Result<(), Error> {
    let dir = place.dir("raw")?;
    let (encoding, encoded, compressed) =
        (place.run("encoding")?, place.run("encoded")?, place.run("compressed")?);
    let bytes = |step: u64| -> Result<Vec<u8>, Error> {
        Ok(Learner::at(step).to_sections()?.into_iter().flat_map(|section| section.bytes).collect())
    };
    let mut rounds = Rounds::new();
    rounds.limit("raw durable write", |round| {
        let (bytes, name) = (bytes(round.into())?, round.to_string());
        let time = timed(|| Ok(raw::write_durably(&dir, &name, &bytes)?))?;
        std::fs::remove_file(dir.join(name))?;
        Ok(time)
    });
    let against = Against { limit: "raw durable write".into(), at_most: Some(1.3) };
    rounds.case("save, encoded before", against.clone(), |round| {
        let sections = Learner::at(round.into()).to_sections()?;
        let time = timed(|| {
            let sections = sections.into_iter().map(Section::encoded).collect();
            Ok(encoded.save(Metadata::default(), sections)?)
        })?;
        clear(encoded.path())?;
        Ok(time)
    });
    rounds.case("save, encoded before, compressed", Against { at_most: None, ..against.clone() }, |round| {
        let sections = Learner::at(round.into()).to_sections()?;
        let time = timed(|| {
            let section = |section| Section::encoded(section).compress(Compress::Always);
            let sections = sections.into_iter().map(section).collect();
            Ok(compressed.save(Metadata::default(), sections)?)
        })?;
        clear(compressed.path())?;
        Ok(time)
    });
    rounds.case("save, from values", Against { at_most: None, ..against }, |round| {
        let learner = Learner::at(round.into());
        let time = timed(|| {
            let sections = learner.to_sections()?.into_iter().map(Section::encoded).collect();
            Ok(encoding.save(Metadata::default(), sections)?)
        })?;
        clear(encoding.path())?;
        Ok(time)
    });
    let report = rounds.run(SMALL_ROUNDS, |_| place.settle())?;
    table::print("A bundle of 100 KB", &report);
    Ok(())
}

/// 50 MB and 1 GiB of incompressible numbers, saved and loaded.
pub(crate) fn large(place: &Place) -> Result<(), Error> {
    for (title, length) in [("50 MB", FIFTY), ("1 GiB", GIB)] {
        let noise = Noise::new(length, 1);
        save(place, &format!("Saving {title}"), &noise)?;
        load(place, &format!("Loading {title}"), &noise)?;
    }
    Ok(())
}

fn save(place: &Place, title: &str, noise: &Noise) -> Result<(), Error> {
    let dir = place.dir(&format!("raw {title}"))?;
    let run = place.run(&title.replace(' ', "-"))?;
    let mut rounds = Rounds::new();
    rounds.limit("raw direct write", |round| {
        write(&dir, round, |name| Ok(raw::write_directly(&dir, name, noise.aligned())?))
    });
    rounds.case("save", Against { limit: "raw direct write".into(), at_most: Some(1.15) }, |_| {
        let time =
            timed(|| Ok(run.save(Metadata::default(), vec![Section::raw("weights", noise.unaligned())])?))?;
        clear(run.path())?;
        Ok(time)
    });
    rounds.case("raw buffered write", Against { limit: "raw direct write".into(), at_most: None }, |round| {
        write(&dir, round, |name| Ok(raw::write_durably(&dir, name, noise.aligned())?))
    });
    let report = rounds.run(LARGE_ROUNDS, |_| place.settle())?;
    table::print(title, &report);
    Ok(())
}

fn load(place: &Place, title: &str, noise: &Noise) -> Result<(), Error> {
    let run = place.run(&title.replace(' ', "-"))?;
    let saved = run.save(Metadata::default(), vec![Section::raw("weights", noise.unaligned())])?;
    let mut kept = vec![1_u8; noise.unaligned().len()];
    let mut rounds = Rounds::new();
    rounds.limit("plain read, fresh memory", |_| timed(|| Ok(raw::read(run.path(), &saved.file_name)?)));
    let against = |limit: &str, at_most| Against { limit: limit.to_owned(), at_most };
    rounds.case("load, fresh memory", against("plain read, fresh memory", Some(1.3)), |_| {
        timed(|| Ok(run.load_section(&Selector::Latest, "weights")?))
    });
    rounds.case("load, memory used before", against("plain read, fresh memory", None), |_| {
        timed(|| Ok(run.load_section_into(&Selector::Latest, "weights", &mut kept)?))
    });
    rounds.case("verify", against("plain read, fresh memory", None), |_| {
        timed(|| Ok(run.reader().verify(Some(&Selector::Latest))?))
    });
    let report = rounds.run(LARGE_ROUNDS, |_| place.settle())?;
    table::print(title, &report);
    clear(run.path())
}

/// Writes a file of its own and removes it.
fn write(dir: &Path, round: u32, work: impl FnOnce(&str) -> Result<(), Error>) -> Result<Duration, Error> {
    let name = round.to_string();
    let time = timed(|| work(&name))?;
    std::fs::remove_file(dir.join(name))?;
    Ok(time)
}

/// Removes the run's checkpoints, which nobody will load: a run itself would keep the newest.
pub(crate) fn clear(run: &Path) -> Result<(), Error> {
    for entry in std::fs::read_dir(run)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ckpt") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
