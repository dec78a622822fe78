//! `docs/json.md` against the program: its examples are run, and their fields compared.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::market::{VERSION_1, learned};
use crate::predictions::record as prediction;
use crate::scene::Scene;

#[derive(Debug, PartialEq, Eq)]
enum Block {
    Shell(String),
    Json(String),
}

#[test]
fn every_example_has_the_fields_that_the_program_prints() {
    let scene = Scene::new();
    // What a shell can't make: the page says that they are there.
    scene.save_bundle("market/paper", learned("HYPE", 60));
    scene.write("market/v1.ckpt", VERSION_1);
    scene.write("market/predictions.jsonl", prediction(1, true) + "no record\n");
    let mut printed = String::new();
    let mut compared = 0;
    for block in blocks(&document()) {
        match block {
            Block::Shell(script) => printed = run(&scene, &script),
            Block::Json(example) => {
                let documented: Value = serde_json::from_str(&example).expect(&example);
                let actual: Value =
                    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
                assert_eq!(
                    fields(&documented),
                    fields(&actual),
                    "\ndocs/json.md has\n{example}\nprinted was\n{printed}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 20, "only {compared} examples were found");
}

#[test]
fn every_command_is_documented() {
    let document = document();
    let headings: Vec<&str> = document.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let help = Scene::new().run("--help").ok().stdout;
    let commands =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        let named = |heading: &&&str| heading.split(", ").any(|name| name == command);
        assert!(headings.iter().find(named).is_some(), "docs/json.md says nothing of {command}");
    }
}

#[test]
fn a_missing_and_a_superfluous_field_are_found() {
    let one: Value = serde_json::from_str(r#"[{"a": 1}, {"b": {"c": null}}]"#).unwrap();
    assert_eq!(fields(&one), ["[].a number", "[].b.c null"].map(str::to_owned).into());
    let other: Value = serde_json::from_str(r#"[{"a": "1"}, {"b": {}}]"#).unwrap();
    assert_eq!(fields(&other), ["[].a string", "[].b object"].map(str::to_owned).into());
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
    std::fs::read_to_string(path).unwrap()
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let kind: fn(String) -> Block = match line {
            "```sh" => Block::Shell,
            "```json" => Block::Json,
            _ => continue,
        };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(kind(text.join("\n")));
    }
    blocks
}

/// What a script prints to standard output, with the program found as `ckpt`.
fn run(scene: &Scene, script: &str) -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_ckpt"));
    let dirs = program.parent().map(PathBuf::from).into_iter();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(dirs.chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).current_dir(scene.path("")).env("PATH", path).stdin(Stdio::null());
    command.env_remove("CKPT_EPOCH").env_remove("CKPT_RUN");
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// Each place of a value and what stands there; the elements of an array count as one.
fn fields(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(value, "", &mut found);
    found
}

fn collect(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                collect(value, &format!("{path}{dot}{name}"), found);
            }
            return;
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                collect(item, &format!("{path}[]"), found);
            }
            return;
        }
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => "null",
    };
    found.insert(format!("{path} {kind}"));
}
