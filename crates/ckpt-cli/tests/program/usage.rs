//! Help, version, completions, and command lines that are wrong.

use crate::scene::Scene;

#[test]
fn version_names_the_container_too() {
    let scene = Scene::new();
    let container = ckpt::ContainerVersion::CURRENT.to_string();
    scene.run("--version").ok().says(env!("CARGO_PKG_VERSION")).says(&container);
}

#[test]
fn every_command_has_help_with_an_example() {
    let scene = Scene::new();
    scene.run("--help").ok().says("Commands:").says("Exit status").says("SELECTOR");
    for command in [
        "save",
        "restore",
        "list",
        "show",
        "verify",
        "diff",
        "pin",
        "unpin",
        "delete",
        "prune",
        "best",
        "stats",
        "status",
        "explain",
        "export",
        "import",
        "log",
        "completions",
    ] {
        scene.args([command, "--help"]).ok().says(&format!("  ckpt {command}")).says("--json");
    }
    scene.run("name parse --help").ok().says("  ckpt name parse");
    scene.run("name render --help").ok().says("  ckpt name render");
}

#[test]
fn a_wrong_command_line_is_a_usage_error_in_text_and_in_json() {
    let scene = Scene::new();
    for line in ["", "nonsense", "list a b", "show", "pin train/ppo", "save train/ppo --step x w=w"] {
        scene.run(line).ends(2).warns("--help");
        let error = scene.run(&format!("--json {line}")).error(2, "usage");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{line}");
    }
}

#[test]
fn completions_are_a_script() {
    let scene = Scene::new();
    for shell in ["bash", "zsh", "fish"] {
        scene.run(&format!("completions {shell}")).ok().says("restore");
        assert_eq!(scene.run(&format!("completions {shell} --json")).ok().json()["shell"], shell);
    }
    scene.run("completions tcsh").ends(2);
}
