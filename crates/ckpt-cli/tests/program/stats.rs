//! `ckpt stats`: runs in numbers.

use ckpt::Direction;
use serde_json::json;

use crate::scene::Scene;

#[test]
fn each_run_is_counted_and_all_of_them_together() {
    let scene = Scene::new();
    scene.save_periodic("models/NQ/ppo", "NQ", &["1.1", "nan", "2.5", "inf"]);
    scene.save_periodic("models/ES/ppo", "ES", &["0.5"]);
    scene.run("save models/NQ/ppo --event best --event phase_end --status completed --seed 7 w=w.bin").ok();
    scene.run("pin models/NQ/ppo seq:1").ok();
    let answer = scene.run("stats models --json").ok().json();
    let (es, nq) = (&answer["runs"][0], &answer["runs"][1]);
    assert_eq!((&es["checkpoints"], &nq["checkpoints"], &nq["pinned"]), (&json!(1), &json!(5), &json!(1)));
    assert_eq!(nq["events"], json!({"best": 1, "periodic": 4, "phase_end": 1}));
    assert_eq!((&nq["steps"], &nq["seeds"]), (&json!({"min": 1_000, "max": 4_000}), &json!([7, 42])));
    assert_eq!((&nq["markets"], &nq["status"]), (&json!(["NQ"]), &json!("completed")));
    assert_eq!((&nq["stored_bytes"], &nq["raw_bytes"]), (&json!(5 * 8_192), &json!(25_000)));
    let metric = &nq["metrics"][0];
    assert_eq!(
        (&metric["count"], &metric["best"], &metric["direction"]),
        (&json!(2), &json!(null), &json!(null))
    );
    assert_eq!((&metric["min"]["value"], &metric["min"]["sequence"]), (&json!(1.1), &json!(1)));
    assert_eq!((&metric["max"]["value"], &metric["max"]["step"]), (&json!(2.5), &json!(3_000)));
    assert_eq!((&answer["total"]["runs"], &answer["total"]["checkpoints"]), (&json!(2), &json!(6)));
    let text = scene.run("stats models").ok().says("models/NQ/ppo").says("5, 1 of them pinned");
    text.says("1,000 to 4,000 steps").says("2.5  in 3").says("2 runs, 6 checkpoints");
    assert_eq!(scene.run("stats models/ES/ppo --json").ok().json()["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn the_best_is_that_of_the_direction_that_the_run_says() {
    let scene = Scene::new();
    scene.save_losses("runs/says", &[0.5, 0.1, 0.1, 0.3], Direction::Min);
    let answer = scene.run("stats runs --json").ok().json();
    let metric = &answer["runs"][0]["metrics"][0];
    assert_eq!((&metric["direction"], &metric["best"]["value"]), (&json!("min"), &json!(0.1)));
    assert_eq!(metric["best"]["sequence"], 3, "of equals the newer");
}

#[test]
fn what_is_not_good_is_counted_and_says_nothing() {
    let scene = Scene::with_checkpoints(3);
    crate::scene::flip(&scene.checkpoint(3), 100);
    let answer = scene.run("stats train --json").ok().json();
    let run = &answer["runs"][0];
    assert_eq!((&run["checkpoints"], &run["states"]), (&json!(3), &json!({"committed": 2, "damaged": 1})));
    assert_eq!(run["steps"], json!({"min": 100, "max": 200}));
    scene.run("stats train").ok().says("3, 1 not good (damaged 1)");
    scene.write("train/ppo/run.json", b"{");
    scene.run("save train/dqn w=w.bin").ok();
    scene.run("stats train").ends(1).says("train/dqn").warns("train/ppo");
    scene.run("stats nowhere --json").error(4, "run_not_found");
}
