//! From one system's checkpoint to another's, over the disk: seeded cells and lineage survive the saves.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

#[path = "rig/events.rs"]
mod events;

use std::collections::BTreeMap;
use std::path::Path;

use ckpt::gate::{Evidence, Required, Stamp, Thresholds, ThresholdsConfig, Verdict};
use ckpt::transfer::{
    Cell as _, InjectionConfig, Lineage, NormalGamma, Planner, Prior, PriorInject, Proposal, Provenance,
    Receiver, Seeding, Weight,
};
use ckpt::{Json, LogEvent, LogLine, Note, Run, Selector, Session, SessionOptions};
use events::Events;
use serde::{Deserialize, Serialize};

type Table = BTreeMap<(u32, u32), NormalGamma>;

/// A trader's whole state. The table is a list, since JSON has no pairs as keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Trader {
    cells: Vec<((u32, u32), NormalGamma)>,
    daily_loss: f64,
    stamp: Stamp,
}

fn thresholds() -> Thresholds {
    let core = vec![Required::new("rewards", 2)];
    let config = ThresholdsConfig {
        core,
        marginal_core_min: 1,
        session_seconds_min: 60.0,
        ..ThresholdsConfig::default()
    };
    Thresholds::new(config).unwrap()
}

fn trader(cells: impl IntoIterator<Item = ((u32, u32), f64)>, daily_loss: f64) -> Trader {
    let lived = |(key, reward)| {
        let mut value = NormalGamma::default();
        value.observe(reward);
        (key, value)
    };
    let cells: Vec<_> = cells.into_iter().map(lived).collect();
    let evidence = Evidence::default().session_seconds(3_600.0).count("rewards", cells.len() as u64);
    Trader { cells, daily_loss, stamp: thresholds().assess(&evidence).stamp() }
}

impl PriorInject for Trader {
    type State = Table;
    type Change = Option<Seeding<(u32, u32), NormalGamma>>;

    fn receiver(&self) -> Receiver {
        Receiver::new("HYPE", "live").judges_by(thresholds())
    }

    fn plan_components(&self, planner: &mut Planner<'_, Table>) -> Self::Change {
        let (live, weight) = (self.cells.iter().cloned().collect(), planner.blend_weight());
        planner.keeps_own("daily_loss");
        planner.component(
            "values",
            |prior| prior,
            |prior| {
                let seeding = Seeding::plan(&live, prior, weight, |_| true);
                let counts = seeding.counts();
                Proposal::seed(seeding, counts)
            },
        )
    }

    fn apply_change(&mut self, change: Self::Change) {
        let mut live: Table = self.cells.iter().cloned().collect();
        change.into_iter().for_each(|seeding| seeding.apply_to(&mut live));
        self.cells = live.into_iter().collect();
    }
}

fn options(market: &str) -> SessionOptions {
    SessionOptions { market: Some(market.to_owned()), ..SessionOptions::default() }
}

/// What a reader makes of the newest checkpoint of a run.
fn offered(run: &Path) -> Prior<Table> {
    let reader = Run::open_read_only(run).unwrap();
    let loaded = reader.load_section(&Selector::Latest, "state").unwrap().value;
    let (trader, _): (Trader, _) = ckpt::json::from_slice(&loaded.bytes).unwrap();
    assert_eq!(trader.stamp.verdict_at_save(), Verdict::Ready);
    let entries = reader.list().unwrap();
    let metadata = entries.last().unwrap().metadata().unwrap();
    let provenance =
        Provenance { evidence: Some(trader.stamp.evidence().clone()), ..Provenance::of(metadata).unwrap() };
    Prior { provenance, state: trader.cells.into_iter().collect() }
}

#[test]
fn seeded_cells_and_lineage_survive_the_saves_of_a_session() {
    let root = tempfile::tempdir().unwrap();

    let paper = trader([((0, 0), 2.0), ((0, 1), 3.0), ((1, 0), 4.0)], -300.0);
    let mut session = Session::open(root.path(), "trading", "paper", options("dex:HYPE")).unwrap();
    session.set_extra(Lineage::FIELD, Lineage::cold("paper").to_extra().unwrap());
    session.step(1, &[], || Json(paper.clone())).unwrap();
    session.finish(&Json(paper.clone())).unwrap();

    let prior = offered(&root.path().join("trading/paper"));
    assert_eq!((prior.provenance.mode.as_str(), prior.provenance.identity.as_str()), ("paper", "dex:HYPE"));
    let mut session = Session::open(root.path(), "trading", "live", options("HYPE")).unwrap();
    let (Json(mut live), _) = session.resume_or_else(|| Json(trader([((0, 0), -1.0)], 12.5))).unwrap();
    let report = live.inject_prior(&prior, &InjectionConfig::default(), ckpt::now()).unwrap();
    assert_eq!((report.changes(), live.daily_loss), (2, 12.5));
    let told = Events::of(|| session.note_injection(&report).unwrap());
    let [event] = told.as_slice() else { panic!("one event, not {told:?}") };
    let counts =
        [("identity", "dex:HYPE"), ("injected", "0"), ("seeded", "2"), ("kept_live", "1"), ("skipped", "0")];
    for (name, value) in counts.into_iter().chain([("kept_own", "1"), ("clamped", "0")]) {
        assert_eq!(event.get(name).map(String::as_str), Some(value), "{name} of {event:?}");
    }
    assert!(event["message"].starts_with("prior injected: daily_loss: kept its own"), "{event:?}");
    session.step(1, &[], || Json(live.clone())).unwrap();
    drop(session);
    let path = root.path().join("trading/live");
    let injected = Note::Injected {
        identity: "dex:HYPE".to_owned(),
        prior: prior.provenance.checkpoint.clone(),
        injected: 0,
        seeded: 2,
        kept_live: 1,
        skipped: 0,
        kept_own: 1,
        clamped: 0,
    };
    assert!(notes(&path).contains(&injected), "{:?}", notes(&path));

    // Killed and restarted: what was seeded is there, bit for bit and still cold, and so is where it comes from.
    let mut session = Session::open(root.path(), "trading", "live", options("HYPE")).unwrap();
    let mut loaded = None;
    let told = Events::of(|| loaded = Some(session.resume::<Json<Trader>>().unwrap()));
    let (Json(mut again), resumed) = loaded.unwrap();
    let [event] = told.as_slice() else { panic!("one event, not {told:?}") };
    assert!(event["message"].starts_with("resumed from 00000001_"), "{event:?}");
    for (name, value) in
        [("restored", "1"), ("migrated", "0"), ("defaulted", "0"), ("clamped", "0"), ("skipped", "0")]
    {
        assert_eq!(event.get(name).map(String::as_str), Some(value), "{name} of {event:?}");
    }
    let loaded = |note: &Note| {
        matches!(note, Note::Resumed { sequence: 1, restored: 1, migrated: 0, defaulted: 0, .. })
    };
    assert!(notes(&path).iter().any(loaded), "{:?}", notes(&path));
    assert_eq!(again, live);
    let seeded: BTreeMap<_, _> = again.cells.iter().cloned().collect();
    assert_eq!(seeded[&(1, 0)], paper.cells[2].1.discounted(Weight::default()));
    let lineage = Lineage::of(resumed.from.unwrap().metadata().unwrap()).unwrap().unwrap();
    assert_eq!(Some(&lineage), report.lineage.as_ref());
    assert_eq!((lineage.chain_depth, lineage.seconds_before), (1, Some(3_600.0)));
    let parent = lineage.parent.unwrap();
    assert_eq!((parent.mode.as_str(), parent.checkpoint), ("paper", prior.provenance.checkpoint.clone()));

    // The same prior once more changes nothing.
    again.inject_prior(&prior, &InjectionConfig::default(), ckpt::now()).unwrap();
    assert_eq!(again, live);
}

/// What the log of a run says of what was decided outside of the store.
fn notes(run: &Path) -> Vec<Note> {
    let lines = Run::open_read_only(run).unwrap().log().unwrap();
    let note = |line| match line {
        LogLine::Good(entry) => match entry.event {
            LogEvent::Noted(note) => Some(note),
            _ => None,
        },
        LogLine::Bad(text) => panic!("a bad line: {text}"),
    };
    lines.into_iter().filter_map(note).collect()
}
