//! The `ckpt` program from outside: every command, its answer, its exit status.
#![expect(clippy::unwrap_used, reason = "what surrounds a test must not fail quietly either")]

mod bench;
mod best;
mod conflict;
mod damage;
mod delete;
mod diff;
mod doctor;
mod explain;
mod gate;
mod import;
mod json_docs;
mod list;
mod log;
mod market;
mod migrate;
mod name;
mod origin;
mod predictions;
mod prior;
mod prune;
mod reset;
mod restore;
mod save;
mod scene;
mod schema;
mod simulate;
mod stats;
mod status;
mod transfer;
mod usage;
