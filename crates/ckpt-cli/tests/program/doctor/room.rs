//! Room: a disk that is full, a reserve that is not there, what a session found before.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use ckpt::{Json, Reserve, Session, SessionOptions};

use crate::scene::{Ran, Scene};

use super::{Told, doctor};

#[test]
fn a_reserve_that_is_not_there_stops_periodic_saves() {
    let scene = Scene::with_checkpoints(1);
    scene.write("c.yaml", "checkpointing:\n  a: {every: 1}\n  performance: {min_disk_space_gb: 1048576}\n");
    let told = doctor(&scene, "train/ppo --config c.yaml");
    assert_eq!(told.check("disk")["finding"], "problem");
    told.says("disk", "only urgent events are saved").advises("disk", "min_disk_space_gb");
}

#[test]
fn a_session_that_could_not_save_for_want_of_room_is_remembered() {
    let scene = Scene::new();
    let reserve = Reserve::Bytes(1 << 60);
    let options =
        SessionOptions { path: Some(scene.path("train/ppo")), reserve, ..SessionOptions::default() };
    let mut session = Session::open(scene.path(""), "train", "ppo", options.save_every(1)).unwrap();
    session.step(1, &[], || Json(1)).unwrap();
    drop(session);
    let told = doctor(&scene, "train/ppo");
    assert_eq!(told.check("disk")["finding"], "warning");
    told.says("disk", "a session found the level urgent_only");
    assert_eq!(told.check("nothing_saved")["finding"], "problem");
    told.says("nothing_saved", "the disk went from normal to urgent_only");
}

#[test]
fn a_disk_that_is_really_full_refuses_the_next_save() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("disk")).unwrap();
    let program = env!("CARGO_BIN_EXE_ckpt");
    // In a name space of mounts that ends with the shell, so that nothing stays mounted.
    let script = format!(
        "mount -t tmpfs -o size=1m ckpt disk || exit 99
         head -c 300000 /dev/urandom > w.bin
         {program} save disk/ppo --step 100 w=w.bin > save.out || exit 98
         cat /dev/zero > disk/filler 2> /dev/null
         {program} doctor disk/ppo --json"
    );
    let ran = Command::new("unshare").args(["-m", "sh", "-c", &script]).current_dir(scene.path("")).output();
    let ran = Ran::of(ran.unwrap());
    if ran.status == Some(99) || ran.stderr.contains("unshare") {
        assert!(!is_root(), "root can mount: {ran:#?}");
        let _ = writeln!(
            io::stderr(),
            "full disk: NOT SHOWN, because nothing can be mounted here: run it as root"
        );
        return;
    }
    let told = Told::of(ran);
    told.finds(&[("disk", "problem")])
        .says("disk", "0 B of 1.0 MB are free")
        .says("disk", "nothing is saved");
}

pub(super) fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&Path::new("/proc/self").metadata().unwrap()) == 0
}
