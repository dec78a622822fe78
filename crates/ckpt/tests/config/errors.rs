//! Wrong configurations and the messages they get, committed: `tests/fixtures/config/errors.txt`.

use std::fmt::Write as _;

use ckpt::{ConfigFormat, ConfigLayers};

use super::fixture;

/// What separates the parts of a case: its title, its input, the message.
const CASE: &str = "=== ";
const MESSAGE: &str = "--- message";

/// `CKPT_TEST_WRITE=1` writes the messages as they are; look at what changed.
#[test]
fn every_wrong_configuration_gets_its_message() {
    let path = fixture("errors.txt");
    let committed = std::fs::read_to_string(&path).unwrap();
    let mut actual = committed.split(CASE).next().unwrap().to_owned();
    let mut cases = 0;
    for case in committed.split(CASE).skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (input, _) = rest.split_once(MESSAGE).unwrap();
        writeln!(actual, "{CASE}{title}\n{input}{MESSAGE}\n{}\n", message(title, input)).unwrap();
        cases += 1;
    }
    assert!(cases >= 50, "{cases}");
    if std::env::var_os("CKPT_TEST_WRITE").is_some() {
        std::fs::write(&path, &actual).unwrap();
    }
    for (line, (new, old)) in actual.lines().zip(committed.lines()).enumerate() {
        assert_eq!(new, old, "errors.txt:{}", line + 1);
    }
    assert_eq!(actual.lines().count(), committed.lines().count());
}

/// The input is a file, in TOML if the title says so; a line `$ NAME=VALUE` is a variable, `>>>` begins the next file.
fn message(title: &str, input: &str) -> String {
    let (format, name) = match title.contains("(toml)") {
        true => (ConfigFormat::Toml, "config.toml"),
        false => (ConfigFormat::Yaml, "config.yaml"),
    };
    let mut layers = ConfigLayers::new();
    for (index, file) in input.split(">>>\n").enumerate() {
        let (variables, lines): (Vec<&str>, Vec<&str>) =
            file.lines().partition(|line| line.starts_with("$ "));
        layers =
            layers.environment(variables.iter().map(|line| line[2..].split_once('=').expect("NAME=VALUE")));
        let name = if index == 0 { name.to_owned() } else { format!("override{index}.yaml") };
        layers = layers.text(name, format, lines.join("\n"));
    }
    match layers.load() {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn no_case_is_without_an_error() {
    let committed = std::fs::read_to_string(fixture("errors.txt")).unwrap();
    for line in committed.lines() {
        assert_ne!(line, "no error");
    }
}

#[test]
fn an_alias_bomb_is_refused_in_short_time() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let begun = std::time::Instant::now();
    let error =
        ConfigLayers::new().text("bomb.yaml", ConfigFormat::Yaml, text).load().unwrap_err().to_string();
    assert!(error.contains("bomb.yaml:") && error.contains("not YAML"), "{error}");
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn deep_nesting_is_refused_and_does_not_overflow_the_stack() {
    for (format, text) in [
        (ConfigFormat::Yaml, format!("checkpointing: {}", "[".repeat(100_000))),
        (ConfigFormat::Yaml, format!("checkpointing: {}{}", "[".repeat(5_000), "]".repeat(5_000))),
        (ConfigFormat::Toml, format!("checkpointing = {}", "[".repeat(100_000))),
        (ConfigFormat::Toml, format!("checkpointing = {}{}", "[".repeat(5_000), "]".repeat(5_000))),
    ] {
        assert!(ConfigLayers::new().text("deep", format, text).load().is_err());
    }
}
