//! The doctor only looks: no byte, no name, no moment of a change is another afterwards.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::scene::{Ran, Scene, wait_until};

use super::room::is_root;
use super::{Told, doctor};

/// Everything about everything beneath a directory, but for when it was last read.
fn everything(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(path) = open.pop() {
        let about = fs::symlink_metadata(&path).unwrap();
        let bytes = if about.is_file() {
            ckpt::Digest::of(&fs::read(&path).unwrap()).to_string()
        } else {
            String::new()
        };
        let times = (about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec());
        found.push(format!("{path:?} {} {:o} {} {times:?} {bytes}", about.ino(), about.mode(), about.len()));
        if about.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    found.sort();
    found
}

/// A run with all that would tempt somebody to repair it.
fn troubled() -> Scene {
    let scene = Scene::with_checkpoints(3);
    scene.damage(3);
    let mut child = scene.waiting_save();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut log = fs::OpenOptions::new().append(true).open(scene.path("train/ppo/log.jsonl")).unwrap();
    log.write_all(b"torn").unwrap();
    fs::remove_file(scene.path("train/ppo/.mutate")).unwrap();
    scene
}

#[test]
fn nothing_is_created_repaired_or_touched() {
    let scene = troubled();
    scene.write("c.yaml", "checkpointing:\n  a: {every: 1}\n");
    let before = everything(&scene.path(""));
    let told = doctor(&scene, "train/ppo --config c.yaml");
    told.says("stale_staging", "1 unfinished file").says("damaged_files", "checkpoint 3");
    scene.run("doctor train/ppo").ends(1);
    scene.run("doctor train/none").ends(1);
    assert_eq!(everything(&scene.path("")), before);
}

#[test]
fn beside_a_writer_it_neither_waits_nor_disturbs() {
    let scene = Scene::with_checkpoints(1);
    let child = scene.waiting_save();
    // It has begun, but not yet come to where it waits.
    wait_until("the save does not come to rest", || {
        let seen = everything(&scene.path("train/ppo"));
        std::thread::sleep(Duration::from_millis(200));
        everything(&scene.path("train/ppo")) == seen
    });
    let before = everything(&scene.path("train/ppo"));
    for _ in 0..20 {
        doctor(&scene, "train/ppo").finds(&[]);
    }
    assert_eq!(everything(&scene.path("train/ppo")), before);
    Ran::of(child.wait_with_output().unwrap()).ok();
}

#[test]
fn a_directory_that_is_mounted_to_be_read_is_diagnosed_all_the_same() {
    let scene = troubled();
    let script = format!(
        "mount --bind train train && mount -o remount,bind,ro train || exit 99
         {} doctor train/ppo --json",
        env!("CARGO_BIN_EXE_ckpt")
    );
    let before = everything(&scene.path("train"));
    let ran = Command::new("unshare").args(["-m", "sh", "-c", &script]).current_dir(scene.path("")).output();
    let ran = Ran::of(ran.unwrap());
    if ran.status == Some(99) || ran.stderr.contains("unshare") {
        assert!(!is_root(), "root can mount: {ran:#?}");
        let _ =
            writeln!(io::stderr(), "read-only mount: NOT SHOWN, nothing can be mounted here: run it as root");
        return;
    }
    let told = Told::of(ran);
    assert_eq!(told.check("permissions")["finding"], "problem");
    told.says("permissions", "no file can be made in it: Read-only file system");
    told.says("damaged_files", "checkpoint 3").says("stale_staging", "1 unfinished file");
    assert_eq!(everything(&scene.path("train")), before);
}
