//! The `ckpt` program from outside: every command, its answer, its exit status.
#![expect(clippy::unwrap_used, reason = "what surrounds a test must not fail quietly either")]

mod bench;
mod conflict;
mod damage;
mod delete;
mod diff;
mod import;
mod json_docs;
mod list;
mod log;
mod name;
mod restore;
mod save;
mod scene;
mod simulate;
mod transfer;
mod usage;
