//! What may be read and written: owner and mode, flags, mounts, and things that stand where others belong.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::scene::{Ran, Scene, wait_until};

use super::room::is_root;
use super::{Told, doctor};

/// A user who owns nothing.
const NOBODY: &str = "65534";

/// What `setpriv` ends with if the system does not run the program.
const BUSY: i32 = 126;

/// The program as a user whom modes bind: root is bound by none.
fn doctor_as_nobody(scene: &Scene) -> Option<Told> {
    if !is_root() {
        return Some(doctor(scene, "train/ppo"));
    }
    // The program lies where only root may go; a copy of it does not.
    let program = scene.path("ckpt");
    fs::copy(env!("CARGO_BIN_EXE_ckpt"), &program).unwrap();
    mode(scene, "", 0o755);
    let mut told = None;
    wait_until("the copy of the program stays busy", || {
        let ran = Command::new("setpriv")
            .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
            .arg(&program)
            .args(["doctor", "train/ppo", "--json"])
            .current_dir(scene.path(""))
            .output();
        let Ok(ran) = ran else {
            let _ =
                writeln!(io::stderr(), "modes: NOT SHOWN, because there is no setpriv: install util-linux");
            return true;
        };
        // A process that another test was just starting still has the copy open to be written.
        if ran.status.code() == Some(BUSY) && String::from_utf8_lossy(&ran.stderr).contains("busy") {
            return false;
        }
        told = Some(Told::of(Ran::of(ran)));
        true
    });
    told
}

fn mode(scene: &Scene, path: &str, mode: u32) {
    fs::set_permissions(scene.path(path), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_directory_that_may_only_be_read_says_whose_it_is() {
    let scene = Scene::with_checkpoints(1);
    mode(&scene, "train/ppo", 0o555);
    let told = doctor_as_nobody(&scene);
    mode(&scene, "train/ppo", 0o755);
    let Some(told) = told else { return };
    assert_eq!(told.check("permissions")["finding"], "problem");
    told.says("permissions", "can be read, but not written").says("permissions", "mode 0555, user ");
    told.says("nothing_saved", "1 checkpoint").advises("permissions", "ls -ld train/ppo");
}

#[test]
fn a_directory_that_may_not_be_read_is_no_missing_run() {
    let scene = Scene::with_checkpoints(1);
    mode(&scene, "train/ppo", 0o000);
    let told = doctor_as_nobody(&scene);
    mode(&scene, "train/ppo", 0o755);
    let Some(told) = told else { return };
    told.finds(&[("nothing_saved", "problem"), ("permissions", "problem")]);
    told.says("nothing_saved", "permission denied").says("permissions", "permission denied");
}

#[test]
fn a_file_that_may_not_be_read_is_not_damage() {
    let scene = Scene::with_checkpoints(2);
    fs::set_permissions(scene.checkpoint(2), Permissions::from_mode(0o000)).unwrap();
    let Some(told) = doctor_as_nobody(&scene) else { return };
    assert_eq!(told.check("damaged_files")["finding"], "problem");
    told.says("damaged_files", "can't be read, which is not damage");
    told.says("cannot_resume", "resuming stops at checkpoint 2, which is not damaged");
}

#[test]
fn an_immutable_directory_binds_root_too() {
    let scene = Scene::with_checkpoints(1);
    let chattr = |flag: &str| {
        let ran = Command::new("chattr").arg(flag).arg(scene.path("train/ppo")).output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    if !chattr("+i") {
        let _ = writeln!(io::stderr(), "immutable: NOT SHOWN, this file system or user has no such flag");
        return;
    }
    let ran = scene.run("doctor train/ppo --json");
    assert!(chattr("-i"), "it can be taken off again");
    let told = Told::of(ran);
    told.finds(&[("permissions", "problem")]).says("permissions", "no file can be made in it");
    told.advises("permissions", "chattr -i");
}

#[test]
fn what_stands_where_something_else_belongs_is_named() {
    let scene = Scene::with_checkpoints(1);
    let at = |name: &str| scene.path("train/ppo").join(name);
    fs::remove_dir(at(".staging")).unwrap();
    scene.write("train/ppo/.staging", "x");
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("permissions", "problem")]);
    told.says("permissions", ".staging: a directory belongs there, but it is a file");
    scene.run("save train/ppo --step 200 w=w.bin").ends(1);
    fs::remove_file(at(".staging")).unwrap();
    fs::remove_file(at(".lock")).unwrap();
    fs::create_dir(at(".lock")).unwrap();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("permissions", "problem")]);
    told.says("permissions", ".lock: a regular file belongs there, but it is a directory");
    fs::remove_dir(at(".lock")).unwrap();
    fs::hard_link(at("log.jsonl"), scene.path("second")).unwrap();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("permissions", "problem")]).says("permissions", "log.jsonl: it has 2 names");
}
