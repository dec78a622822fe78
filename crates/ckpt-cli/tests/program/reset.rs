//! `ckpt reset`: one component at its default, the others as they were, and judged again.

use ckpt_market::component::vol_filter::VolFilter;
use serde_json::json;

use crate::market::learned;
use crate::scene::Scene;

#[test]
fn one_component_begins_anew_and_the_others_go_on() {
    let scene = Scene::new();
    scene.save_bundle("runs/live", learned("HYPE", 60));
    let before = scene.bundle("runs/live");
    scene.run("gate runs/live").ok().says("ready");
    let answer = scene.run("reset runs/live --component vol_filter --json").ok().json();
    assert_eq!((&answer["sequence"], &answer["saved"]["sequence"]), (&json!(1), &json!(2)));
    assert_eq!(answer["verdict"], json!("marginal"));

    let after = scene.bundle("runs/live");
    assert_eq!(after.bundle().vol_filter, VolFilter::default());
    let mut expected = before.into_bundle();
    expected.vol_filter = VolFilter::default();
    assert_eq!(*after.bundle(), expected);
    // The stamp must not speak of what is gone.
    assert_eq!(after.readiness().vol_observations, 0);
    scene.run("gate runs/live").ok().says("vol 0 of 200");

    let shown = scene.run("show runs/live --json").ok().json();
    let metadata = &shown["metadata"];
    assert_eq!(metadata["parent"]["sequence"], json!(1));
    assert_eq!(metadata["events"][0]["event"], json!("manual"));
    assert!(metadata["metrics"]["values"].as_object().is_none_or(|values| values.is_empty()), "{metadata}");
    scene.run("restore runs/live --output back").ok();
    assert_eq!(scene.read("back/orders"), b"\x00\xff open orders");

    scene.run("reset runs/live --component vol_filter").ok().says("is at its default already");
    assert_eq!(scene.sequences("runs/live"), [1, 2]);
}

#[test]
fn what_is_no_component_is_refused_and_the_components_are_listed() {
    let scene = Scene::new();
    scene.save_bundle("runs/live", learned("HYPE", 60));
    let error = scene.run("reset runs/live --component vol --json").error(4, "not_found");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("vol_filter") && message.contains("orders"), "{message}");
    let error = scene.run("reset runs/live --component orders --json").error(6, "unsupported");
    assert!(error["hint"].as_str().unwrap().contains("vol_filter"), "{error}");
    scene.run("reset runs/live --component readiness --json").error(2, "usage");
    scene.run("reset runs/live --component metadata --json").error(2, "usage");
    assert_eq!(scene.sequences("runs/live"), [1]);
}
