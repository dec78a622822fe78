//! The lock and the golden files that this program was built with.

use ckpt::describe::Folder;

/// The files, by their paths in the folder.
pub(super) fn folder() -> Folder {
    let mut folder = Folder::default();
    folder.extend(FILES.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())));
    folder
}

/// A test holds this list against the folder.
macro_rules! files {
    ($($path:literal),* $(,)?) => {
        const FILES: &[(&str, &[u8])] =
            &[$(($path, include_bytes!(concat!("../../../../../docs/schema/", $path)))),*];
    };
}
files!(
    "lock.json",
    "golden/baseline_tracker.v1.ckpt",
    "golden/enhanced.v1.ckpt",
    "golden/ensemble_weights.v1.ckpt",
    "golden/fill_rate.v1.ckpt",
    "golden/informed_flow.v1.ckpt",
    "golden/kappa.v1.ckpt",
    "golden/kappa.v2.ckpt",
    "golden/kelly_tracker.v1.ckpt",
    "golden/kill_switch.v1.ckpt",
    "golden/kill_switch.v2.ckpt",
    "golden/learned_params.v1.ckpt",
    "golden/learned_params.v2.ckpt",
    "golden/market_metadata.v1.ckpt",
    "golden/market_metadata.v2.ckpt",
    "golden/momentum.v1.ckpt",
    "golden/pre_fill.v1.ckpt",
    "golden/pre_fill.v2.ckpt",
    "golden/quote_outcomes.v1.ckpt",
    "golden/readiness.v1.ckpt",
    "golden/readiness.v2.ckpt",
    "golden/regime_hmm.v1.ckpt",
    "golden/rl_q_table.v1.ckpt",
    "golden/rl_q_table.v2.ckpt",
    "golden/vol_filter.v1.ckpt",
);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_a_release_is_built_in() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
        let there = ckpt::schema::read(&path).unwrap();
        let kept = |path: &str| path == "lock.json" || path.starts_with("golden/");
        let there: Vec<(&str, &[u8])> = there.iter().filter(|(path, _)| kept(path)).collect();
        let built_in = folder();
        assert_eq!(
            built_in.iter().map(|(path, _)| path).collect::<Vec<_>>(),
            there.iter().map(|(path, _)| *path).collect::<Vec<_>>(),
            "name every file of docs/schema/golden in `files!`"
        );
        assert!(built_in.iter().eq(there), "a file of docs/schema was changed since this was built");
    }
}
