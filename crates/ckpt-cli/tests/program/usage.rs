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

/// The shell took kB and no fractions, the configuration fractions and no kB.
#[test]
fn a_size_has_one_form_in_flags_and_configurations_and_one_refusal() {
    let scene = Scene::new();
    scene.save_periodic("runs/ppo", "NQ", &["1", "2"]);
    let config = |size: &str| format!("checkpointing:\n  retention: {{max_bytes: {size}}}\n");
    for (size, bytes) in
        [("3kB", 3_000), ("3KiB", 3_072), ("1.5 MB", 1_500_000), ("1.5 MiB", 3 << 19), ("4096", 4_096)]
    {
        scene.write("c.yaml", config(size));
        let by_file = scene.run("prune runs/ppo --config c.yaml --dry-run --json").ok().json();
        let by_flag =
            scene.args(["prune", "runs/ppo", "--max-bytes", size, "--dry-run", "--json"]).ok().json();
        assert_eq!(
            (&by_file["policy"]["max_bytes"], &by_flag["policy"]["max_bytes"]),
            (&bytes.into(), &bytes.into())
        );
    }
    scene.write("c.yaml", config("5gb"));
    for (line, status) in [("prune runs/ppo --config c.yaml", 1), ("prune runs/ppo --max-bytes 5gb", 2)] {
        let error = scene.run(&format!("{line} --json")).ends(status).stderr;
        assert!(error.contains("5gb") && error.contains(ckpt::ByteSize::FORM), "{error}");
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
