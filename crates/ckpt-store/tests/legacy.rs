//! Plans of what other systems left behind, through the library: read, judged, taken in, and interrupted.
#![expect(clippy::unwrap_used, reason = "what surrounds a test must not fail quietly either")]

use std::fs;
use std::path::PathBuf;

use ckpt_format::{Selector, Timestamp};
use ckpt_store::legacy::{Layout, Plan, Taken, Told, Verdict};
use ckpt_store::{Error, Run, RunOptions};

struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    /// A directory `old` with a pickle a step, that many kilobytes each.
    fn with_pickles(steps: &[u64], kilobytes: usize) -> Self {
        let scene = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(scene.old()).unwrap();
        for step in steps {
            fs::write(scene.pickle(*step), vec![*step as u8; kilobytes << 10]).unwrap();
        }
        scene
    }

    fn old(&self) -> PathBuf {
        self.dir.path().join("old")
    }

    fn pickle(&self, step: u64) -> PathBuf {
        self.old().join(format!("checkpoint_step_{step}_20250127_120000.pkl"))
    }

    fn run(&self) -> Run {
        let (path, options) = (self.dir.path().join("training/demo"), RunOptions::new(clock));
        Run::open_or_create(path, &"training".parse().unwrap(), &"demo".parse().unwrap(), options).unwrap()
    }
}

fn clock() -> Timestamp {
    Timestamp::from_millis(1_763_210_096_789)
}

fn saved(run: &Run) -> Vec<Option<u64>> {
    run.reader().list().unwrap().iter().map(|entry| entry.metadata().unwrap().position.step).collect()
}

#[test]
fn a_plan_is_data_and_its_order_is_that_of_the_steps() {
    let scene = Scene::with_pickles(&[9, 100, 20], 1);
    let plan = Plan::read(&scene.old(), None).unwrap();
    assert_eq!((plan.layout, plan.left.len()), (Layout::Pickles, 0));
    let steps: Vec<_> = plan.found.iter().map(|found| found.metadata.position.step).collect();
    assert_eq!(steps, [Some(9), Some(20), Some(100)]);
    assert_eq!(plan.found[0].told["step"], Told::Name);
    assert_eq!(plan.found[0].sections[0].path, scene.pickle(9));
    assert_eq!(plan.verdicts(None, false).unwrap(), [Verdict::Import; 3]);
}

#[test]
fn a_file_that_changes_after_the_plan_was_made_is_not_saved_and_the_next_plan_goes_on() {
    let scene = Scene::with_pickles(&[1, 2, 3], 3_000);
    let plan = Plan::read(&scene.old(), None).unwrap();
    // The same length: only the bytes tell.
    let mut bytes = fs::read(scene.pickle(2)).unwrap();
    bytes[2_999_999] ^= 1;
    fs::write(scene.pickle(2), &bytes).unwrap();
    let run = scene.run();
    let mut heard = Vec::new();
    let error = run.import_plan(&plan, false, |found, _| heard.push(found.name.clone())).unwrap_err();
    assert!(matches!(error, Error::Source { .. }), "{error}");
    assert!(error.to_string().contains("checkpoint_step_2"), "{error}");
    assert_eq!((heard.len(), saved(&run)), (1, vec![Some(1)]));

    let plan = Plan::read(&scene.old(), None).unwrap();
    let mut taken = Vec::new();
    run.import_plan(&plan, false, |_, what| taken.push(matches!(what, Taken::Saved(_)))).unwrap();
    assert_eq!((taken, saved(&run)), (vec![false, true, true], vec![Some(1), Some(2), Some(3)]));
    let loaded = run.load(&"step:2".parse::<Selector>().unwrap()).unwrap();
    assert_eq!(loaded.value.bytes("state.pkl"), Some(&bytes[..]));
}

#[test]
fn a_file_that_is_replaced_by_a_link_after_the_plan_is_not_followed() {
    let scene = Scene::with_pickles(&[1], 1);
    let plan = Plan::read(&scene.old(), None).unwrap();
    let copy = scene.old().join("copy");
    fs::copy(scene.pickle(1), &copy).unwrap();
    fs::remove_file(scene.pickle(1)).unwrap();
    std::os::unix::fs::symlink(&copy, scene.pickle(1)).unwrap();
    let run = scene.run();
    let error = run.import_plan(&plan, false, |_, _| ()).unwrap_err();
    assert!(error.to_string().contains("checkpoint_step_1"), "{error}");
    assert!(saved(&run).is_empty());
}

#[test]
fn what_was_deleted_from_the_run_is_not_brought_back_behind_newer_ones() {
    let scene = Scene::with_pickles(&[1, 2, 3], 1);
    let plan = Plan::read(&scene.old(), None).unwrap();
    let run = scene.run();
    run.import_plan(&plan, false, |_, _| ()).unwrap();
    fs::remove_file(run.path().join(&run.reader().list().unwrap()[0].file_name)).unwrap();
    let error = plan.verdicts(Some(run.reader()), false).unwrap_err();
    assert!(matches!(&error, Error::Exists { reason, .. } if reason.contains("older")), "{error}");
    assert!(run.import_plan(&plan, false, |_, _| ()).is_err());
    let [first, second, third] = plan.verdicts(Some(run.reader()), true).unwrap()[..] else { panic!() };
    let there = |sequence| Verdict::There { sequence };
    assert_eq!((first, second, third), (Verdict::Import, there(2), there(3)));
}

#[test]
fn the_same_bytes_under_another_name_are_another_checkpoint() {
    let scene = Scene::with_pickles(&[1], 1);
    let run = scene.run();
    run.import_plan(&Plan::read(&scene.pickle(1), None).unwrap(), false, |_, _| ()).unwrap();
    fs::copy(scene.pickle(1), scene.old().join("best_trial_1.pkl")).unwrap();
    let plan = Plan::read(&scene.old(), None).unwrap();
    let verdicts = plan.verdicts(Some(run.reader()), false).unwrap();
    assert_eq!(verdicts, [Verdict::There { sequence: 1 }, Verdict::Import]);
    run.import_plan(&plan, false, |_, _| ()).unwrap();
    assert_eq!(saved(&run), [Some(1), Some(1)]);
    let second = run.reader().list().unwrap()[1].metadata().unwrap().event_list();
    assert_eq!(second, [ckpt_format::Event::Best]);
}

#[test]
fn every_layout_has_one_spelling() {
    for layout in Layout::ALL {
        assert_eq!(layout.as_str().parse::<Layout>().unwrap(), layout);
    }
    let error = "tar".parse::<Layout>().unwrap_err();
    assert!(error.to_string().contains("rl-trainer"), "{error}");
}
