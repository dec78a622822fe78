//! Two at once: locks, epochs, being told to stop.

use crate::scene::{Ran, Scene};

#[test]
fn a_second_writer_is_told_who_writes_and_readers_and_pins_are_not_in_the_way() {
    let scene = Scene::with_checkpoints(2);
    let child = scene.waiting_save();
    let error = scene.run("save train/ppo w=w.bin --json").error(5, "locked");
    assert!(error["message"].as_str().unwrap().contains(&format!("process {}", child.id())), "{error}");
    scene.run("delete train/ppo seq:1 --yes --json").error(5, "locked");
    scene.run("pin train/ppo seq:1").ok();
    scene.run("restore train/ppo --output back").ok();
    scene.run("unpin train/ppo seq:1").ok();
    scene.run("verify train/ppo").ok();
    // Its input ends: it saves as if nothing had been.
    Ran::of(child.wait_with_output().unwrap()).ok().says("sequence 3");
}

#[test]
fn a_save_that_is_told_to_stop_leaves_nothing_that_the_next_does_not_sweep() {
    for signal in [2, 15] {
        let scene = Scene::with_checkpoints(1);
        let child = scene.waiting_save();
        let told =
            std::process::Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
        assert!(told.unwrap().success());
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.signal, Some(signal), "a shell sees {}", 128 + signal);
        scene.run("restore train/ppo --output back").ok().says("restored checkpoint 1");
        let saved = scene.run("save train/ppo w=w.bin --json").ok().json();
        assert_eq!(saved["sequence"], 3, "a number is never used twice");
        assert_eq!(scene.names("train/ppo/.staging"), [""; 0]);
    }
}

#[test]
fn a_higher_epoch_shuts_lower_ones_out() {
    let scene = Scene::with_checkpoints(1);
    let saved = scene.run("save train/ppo --epoch 5 w=w.bin --json").ok().json();
    assert_eq!((&saved["epoch"], &saved["sequence"]), (&5.into(), &2.into()));
    assert!(saved["name"].as_str().unwrap().starts_with("e000005-00000002"), "{saved}");
    scene.run("save train/ppo --epoch 4 w=w.bin --json").error(5, "fenced");
    scene.run("save train/ppo w=w.bin --json").error(5, "fenced");
    scene.run("save train/ppo --epoch 5 w=w.bin").ok().says("sequence 3");
    assert_eq!(scene.run("restore train/ppo --output back --json").ok().json()["sequence"], 3);
}

#[test]
fn the_environment_gives_the_epoch_for_its_own_run_only() {
    let scene = Scene::with_checkpoints(1);
    let save = |run: &str, epoch: &str, of: Option<&str>| {
        let mut command = scene.command(["save", run, "w=w.bin", "--json"]);
        command.env("CKPT_EPOCH", epoch);
        of.map(|of| command.env("CKPT_RUN", of));
        Ran::of(command.output().unwrap())
    };
    assert_eq!(save("train/ppo", "7", Some("train/../train/ppo")).ok().json()["epoch"], 7);
    save("train/ppo", "6", None).error(5, "fenced");
    assert_eq!(save("other/run", "7", Some("train/ppo")).ok().json()["epoch"], 0);
    save("train/ppo", "seven", None).error(2, "usage");
}
