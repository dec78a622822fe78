//! `ckpt-bench small|large|background|session|memory|files [DIR]`: whole operations beside the machine's limits.
//!
//! One module a subject; [`Place`] is the directory it works in, [`table`] what it prints. Nothing here fails by the
//! clock: it reports.

mod background;
mod files;
mod fill;
mod memory;
mod place;
mod session;
mod single;
mod table;

use std::path::Path;
use std::process::ExitCode;

use self::place::Place;

const USAGE: &str = "\
usage: cargo run --release -p ckpt-bench -- SUBJECT [DIR]

Works in a directory of its own inside DIR (default: here), which it removes; prints Markdown.

  small       a bundle of 100 KB, saved durably
  large       50 MB and 1 GiB: saved durably, loaded and verified
  background  1 GiB saved in the background: what the caller waits for
  session     a step that does not save; planning and pruning 100 and 10,000
  memory      the peak of saving 1 GiB from a slice and of streaming 4 GiB
  files       runs of 10,000 and of 100,000 (build ckpt-cli before: its program is timed)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (subject, dir) = match arguments[..] {
        [subject] => (subject, "."),
        [subject, dir] => (subject, dir),
        _ => return usage(),
    };
    let dir = Path::new(dir);
    let outcome = match subject {
        "small" => Place::inside(dir).and_then(|place| single::small(&place)),
        "large" => Place::inside(dir).and_then(|place| single::large(&place)),
        "background" => Place::inside(dir).and_then(|place| background::run(&place)),
        "session" => Place::inside(dir).and_then(|place| session::run(&place)),
        "files" => Place::inside(dir).and_then(|place| files::run(&place)),
        "memory" => Place::inside(dir).and_then(|place| memory::run(&place)),
        // What `memory` starts: a process of its own, so that its peak is of one save alone.
        _ => match subject.strip_prefix("memory-of-") {
            Some(part) => memory::part(part, dir),
            None => return usage(),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes =
                std::iter::successors(Some(error.as_ref() as &dyn std::error::Error), |error| error.source());
            let causes: Vec<String> = causes.map(ToString::to_string).collect();
            table::complain(&format!("error: {}", causes.join(": ")));
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    table::complain(USAGE);
    ExitCode::from(2)
}
