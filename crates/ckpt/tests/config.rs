//! Configuration files: what they say, what is wrong with them, and that no key is ignored.
#![cfg(feature = "config")]

mod config {
    mod errors;
    mod formats;
    mod keys;
    mod seed;

    use std::path::PathBuf;

    use ckpt::PhaseConfig;

    fn fixture(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config").join(name)
    }

    /// All that a session goes by: the value without what it says of itself.
    fn effect(phase: &PhaseConfig) -> String {
        let path = phase.path.as_ref().map(|path| path.as_str().to_owned());
        let when = (&phase.phase, &phase.schedule, &phase.unit, phase.target, &phase.events, &phase.monitors);
        let what =
            (&phase.retention, phase.reserve, phase.priority_rank, phase.compress, path, &phase.llm_metadata);
        format!("{when:#?}\n{what:#?}")
    }

    #[track_caller]
    fn assert_same(left: &PhaseConfig, right: &PhaseConfig) {
        assert_eq!(effect(left), effect(right));
        let said = |phase: &PhaseConfig| {
            phase
                .settings()
                .iter()
                .map(|setting| (setting.key.clone(), setting.value.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(said(left), said(right));
    }
}
