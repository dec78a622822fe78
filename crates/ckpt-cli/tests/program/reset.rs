//! `ckpt reset`: one component at its default, the others as they were, and judged again.

use ckpt::{Bundle as _, Codec, EncodedSection, Event, Metadata, Run, RunOptions, Section};
use ckpt_market::component::vol_filter::VolFilter;
use ckpt_market::preset;
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

/// Each of the two kept the other from being reset: the rest could not be judged.
#[test]
fn of_two_components_that_cannot_be_decoded_each_can_be_reset() {
    let scene = Scene::new();
    save(&scene, |section| {
        if ["vol_filter", "kappa_own"].contains(&section.name.as_str()) {
            section.bytes = b"[1]".to_vec();
        }
    });
    scene.run("doctor runs/live").ends(1).says("reset runs/live --component vol_filter");
    let answer = scene.run("reset runs/live --component vol_filter --json").ok().json();
    assert_eq!(answer["verdict"], json!("marginal"));
    scene.run("reset runs/live --component kappa_own").ok();
    assert_eq!(scene.bundle("runs/live").bundle().vol_filter, VolFilter::default());
}

/// The default was written as JSON and said to be bincode: what was left could not be judged with it, and nothing was reset.
#[test]
fn the_default_is_in_the_codec_that_the_component_had() {
    let scene = Scene::new();
    save(&scene, |section| {
        if section.name == "vol_filter" {
            let vol_filter = learned("HYPE", 60).vol_filter;
            *section = EncodedSection::encode_as(&section.name, Codec::Bincode, &vol_filter).unwrap();
        }
    });
    scene.run("reset runs/live --component vol_filter").ok().says("saved");
    assert_eq!(scene.bundle("runs/live").bundle().vol_filter, VolFilter::default());
    scene.run("show runs/live").ok().says("bincode");
}

/// Saves what was learned with its sections changed.
fn save(scene: &Scene, mut change: impl FnMut(&mut EncodedSection)) {
    let mut sections = learned("HYPE", 60).stamp(&preset().gate).to_sections().unwrap();
    sections.iter_mut().for_each(&mut change);
    let (kind, name) = ("runs".parse().unwrap(), "market".parse().unwrap());
    let run = Run::create(scene.path("runs/live"), &kind, &name, RunOptions::new(ckpt::now)).unwrap();
    let metadata = Metadata { created_at: ckpt::now(), ..Metadata::default() };
    let sections = sections.into_iter().map(Section::encoded).collect();
    run.save(metadata.because(Event::Periodic, "a test"), sections).unwrap();
}
