//! Every key of the configuration: what the reader, the messages, the schema and `docs/CONFIGURATION.md` have in common.

use std::time::Duration;

use ckpt_format::EventClass;
use ckpt_policy::Reserve;
use ckpt_store::Compress;

use super::read::{self, Budget, Named, Shape};
use super::tree::{Fault, Node};

/// A key that is read as a `T`.
pub(super) struct Key<T: 'static> {
    pub(super) about: About,
    pub(super) read: fn(&Node, &Shape) -> Result<T, Fault>,
}

/// What is said of a key.
#[derive(Debug)]
pub(super) struct About {
    pub(super) section: Section,
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// The default, as in the documentation.
    pub(super) default: &'static str,
    pub(super) meaning: &'static str,
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// In a phase, or for every phase.
    Phase,
    Events,
    Retention,
    Performance,
}

impl Section {
    /// Those that have a mapping of their own.
    pub(super) const NAMED: [Section; 3] = [Self::Events, Self::Retention, Self::Performance];

    /// As in the file; nothing for [`Section::Phase`].
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Phase => "",
            Self::Events => "events",
            Self::Retention => "retention",
            Self::Performance => "performance",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|section| section.name() == name)
    }

    /// The keys in it.
    pub(super) fn keys(self) -> impl Iterator<Item = &'static dyn Known> {
        ALL.into_iter().filter(move |key| key.about().section == self)
    }

    pub(super) fn key(self, name: &str) -> Option<&'static dyn Known> {
        self.keys().find(|key| key.about().name == name)
    }
}

/// A key of any type.
pub(super) trait Known: Sync {
    fn about(&self) -> &About;

    /// Whether the value is one for it.
    fn check(&self, node: &Node) -> Result<(), Fault>;
}

impl<T> Known for Key<T> {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self, node: &Node) -> Result<(), Fault> {
        (self.read)(node, &self.about.shape).map(|_| ())
    }
}

impl About {
    /// With the section before it: `retention.keep_last_n`.
    pub(super) fn dotted(&self) -> String {
        match self.section {
            Section::Phase => self.name.to_owned(),
            section => format!("{}.{}", section.name(), self.name),
        }
    }
}

/// Mappings in `checkpointing` that are no phases.
pub(super) const SECTIONS: [&str; 4] = ["events", "retention", "paths", "performance"];
/// The key that says whether a file stands alone.
pub(super) const USE_DEFAULT: &str = "use_default_config";
/// The key of the whole file.
pub(super) const TOP: &str = "checkpointing";

const SECONDS: Shape = Shape::Number { least: 0.0, most: 1e9, most_allowed: true };

macro_rules! keys {
    ($($constant:ident: $type:ty = $section:ident $name:literal, $shape:expr, $read:expr, $default:literal, $meaning:literal;)*) => {
        $(pub(super) static $constant: Key<$type> = Key {
            about: About {
                section: Section::$section, name: $name, shape: $shape, default: $default, meaning: $meaning,
            },
            read: $read,
        };)*
        /// All of them, in the order of the documentation.
        pub(super) static ALL: [&dyn Known; [$(stringify!($constant)),*].len()] = [$(&$constant),*];
    };
}

keys! {
    BASE_INTERVAL: u64 = Phase "base_interval", Shape::Count, read::count, "none",
        "The interval at the start, in units, of the trigger that grows with progress. 0: off.";
    MAX_INTERVAL_MULTIPLIER: f64 = Phase "max_interval_multiplier",
        Shape::Number { least: 1.0, most: 1e6, most_allowed: true }, read::number, "1",
        "The interval at the end, as a multiple of `base_interval`.";
    TARGET_TIMESTEPS: u64 = Phase "target_timesteps", Shape::Count, read::count, "none",
        "Where the end is, in units. 0: no target, the interval stays `base_interval`.";
    EVERY: u64 = Phase "every", Shape::Count, read::count, "0",
        "A periodic save every so many units since the last one. 0: off.";
    EVERY_SECONDS: Duration = Phase "every_seconds", SECONDS, read::seconds, "0",
        "A periodic save every so many seconds since the last one. 0: off.";
    OVERHEAD_BUDGET: f64 = Phase "overhead_budget",
        Shape::Number { least: 0.0, most: 1.0, most_allowed: false }, read::number, "0",
        "Periodic saves so rarely that saving takes at most this share of the run time. 0: off.";
    MEAN_TIME_BETWEEN_FAILURES: Duration = Phase "mean_time_between_failures_seconds", SECONDS, read::seconds, "0",
        "Periodic saves at the interval of Young and Daly for this mean time between failures, in seconds. 0: off.";
    COMBINE: bool = Phase "combine", Shape::Choice(&["any", "all"]), read::combine, "any",
        "Whether one of the triggers that are on is enough, or all of them must be due.";
    MINIMUM_PAUSE: Duration = Phase "minimum_pause_seconds", SECONDS, read::seconds, "0",
        "No periodic save starts before so many seconds after the end of the last save of any kind. 0: no pause.";
    RETRY_PAUSE: Duration = Phase "retry_pause_seconds", SECONDS, read::seconds, "5",
        "How many seconds after a periodic save that failed the next is tried. 0: at the next step.";
    EARLY_FIRST_SAVE: u64 = Phase "early_first_save", Shape::Count, read::count, "1",
        "One periodic save at the first step that is so many units after the start: it proves that the path can be written. 0: off.";
    UNIT: String = Phase "unit", Shape::Unit, read::unit, "steps",
        "What is counted: steps, trials, episodes, epochs, bars, trades, items or any other.";
    PRIORITY: i64 = Phase "priority", Shape::Integer(-1000, 1000), read::integer, "0",
        "Who stops later when the disk fills: higher is more important.";
    LLM_METADATA: Vec<String> = Phase "llm_metadata", Shape::Names, read::names, "empty",
        "Names of metadata fields taken from metrics or extra at every save.";

    EVENTS_ENABLED: bool = Events "enabled", Shape::Flag, read::flag, "true",
        "false leaves periodic, phase_end and interrupt of what `triggers` chose.";
    TRIGGERS: Vec<EventClass> = Events "triggers", Shape::Classes, read::classes, "all",
        "The events that make checkpoints. `interrupt` stands for cancellation, failure and shutdown too; manual is always on.";
    MONITORED_METRICS: Vec<Named> = Events "monitored_metrics", Shape::Metrics, read::metrics,
        "val_reward, sharpe_ratio, win_rate",
        "Metrics whose improvement makes a `best` checkpoint: NAME, NAME:min or NAME:max.";
    IMPROVEMENT_RELATIVE: f64 = Events "metric_improvement_threshold",
        Shape::Number { least: 0.0, most: 1.0, most_allowed: true }, read::number, "0.02",
        "The least gain, as a share of the best value's magnitude. 0: any gain.";
    IMPROVEMENT_ABSOLUTE: f64 = Events "metric_improvement_absolute",
        Shape::Number { least: 0.0, most: 1e300, most_allowed: true }, read::number, "0",
        "The least gain, in the metric's own unit. 0: any gain.";

    RETENTION_ENABLED: bool = Retention "enabled", Shape::Flag, read::flag, "true",
        "false keeps everything and never prunes.";
    KEEP_LAST_N: u64 = Retention "keep_last_n", Shape::Count, read::count, "5",
        "The newest so many periodic ones. 0: off.";
    TOP_BY_SHARPE: u64 = Retention "keep_top_k_by_sharpe", Shape::Count, read::count, "see below",
        "The best so many by sharpe_ratio. 0: off.";
    TOP_BY_REWARD: u64 = Retention "keep_top_k_by_reward", Shape::Count, read::count, "see below",
        "The best so many by val_reward. 0: off.";
    KEEP_TOP_K: Vec<Budget> = Retention "keep_top_k", Shape::Budgets, read::budgets, "see below",
        "The best so many by any metric: a mapping of NAME or NAME:min to a count, or a list of NAME:COUNT or NAME:COUNT:min. 0: off.";
    KEEP_EVERY_N: u64 = Retention "keep_every_n", Shape::Count, read::count, "0",
        "Those whose sequence is a multiple of it. 0: off.";
    MAX_AGE_DAYS: Duration = Retention "max_age_days",
        Shape::Number { least: 0.0, most: 36_500.0, most_allowed: true }, read::days, "0",
        "None older than so many days, but for what is preserved, pinned or newest. 0: off.";
    MAX_BYTES: u64 = Retention "max_bytes", Shape::Bytes, read::bytes, "0",
        "No more bytes than this, as far as what is preserved, pinned or newest allows: a number, or a text like 5GiB (of 1024) or 5GB (of 1000). 0: off.";
    PRESERVE_EVENTS: Vec<EventClass> = Retention "preserve_events", Shape::Classes, read::classes,
        "all but `periodic` and `best`",
        "Classes of events that are preserved whatever their number. `interrupt` stands for cancellation, failure and shutdown too; manual is always in it.";
    PRUNE_FREQUENCY: u64 = Retention "prune_frequency", Shape::Count, read::count, "10",
        "Prune at every so many saves. 0: only when the disk fills, at the end and when asked to.";

    ATOMIC_SAVES: () = Performance "atomic_saves", Shape::Flag, read::atomic, "true",
        "Saves are always atomic: false is refused.";
    MIN_DISK_SPACE_GB: Reserve = Performance "min_disk_space_gb",
        Shape::Number { least: 0.0, most: 1_048_576.0, most_allowed: true }, read::reserve,
        "the lesser of 5 GiB and 5 % of the file system",
        "Room that periodic saves leave free, in GiB. 0: no reserve.";
    COMPRESSION: Compress = Performance "compression", Shape::Compression, read::compression, "by_sample",
        "true or by_sample: each section by a sample of it; always; false or never.";
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/CONFIGURATION.md");

    /// The cells of the row of a key in the documentation, without backticks.
    fn row(about: &About) -> Vec<String> {
        let heading = match about.section {
            Section::Phase => "### Of a phase".to_owned(),
            section => format!("### `{}`", section.name()),
        };
        let (_, text) = PAGE.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
        let text = text.split("\n### ").next().unwrap();
        let start = format!("| `{}` |", about.name);
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no {start}"));
        line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
    }

    #[test]
    fn the_page_has_every_key_with_its_default_and_its_range() {
        for key in ALL {
            let about = key.about();
            let row = row(about);
            assert_eq!(row.len(), 6, "{}: {row:?}", about.name);
            assert_eq!(row[3], about.default.replace('`', ""), "default of {}", about.name);
            let range = read::range(&about.shape);
            assert!(range.is_empty() || row[4] == range, "range of {}: {} and {range}", about.name, row[4]);
        }
    }

    #[test]
    fn the_page_has_no_other_key() {
        for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
            let name = line.trim_start_matches("| `").split('`').next().unwrap();
            let known = ALL.iter().any(|key| key.about().name == name) || name == USE_DEFAULT;
            assert!(known || name.starts_with("CKPT_CONFIG__"), "{name} stands on the page and is no key");
        }
    }

    #[test]
    fn a_name_stands_once_in_a_section_and_no_key_for_phases_is_called_like_a_section() {
        for (index, key) in ALL.into_iter().enumerate() {
            let about = key.about();
            assert!(!SECTIONS.contains(&about.name) && about.name != USE_DEFAULT, "{}", about.name);
            let mut before = ALL.iter().take(index).map(|other| other.about());
            assert!(!before.any(|other| other.dotted() == about.dotted()), "{}", about.dotted());
        }
    }
}
