//! Restoring: what is done to a bundle that was loaded before live components take it, and the record of it.
//!
//! Loading says what the bytes held; this says what of it may be used now. Every rule is a function of the component, the
//! time and its numbers, changes what it must, and writes a note for each change: data and a sentence.

pub mod bounds;
pub mod decay;
pub mod kill_switch;
pub mod report;
pub mod rl;
pub mod sigma;

use ckpt_format::Timestamp;

use crate::bundle::{MarketBundle, names};
use decay::Decay;
use kill_switch::KillSwitchRules;
use report::{Finding, RestoreReport};
use rl::AgentShape;
use sigma::SigmaCap;

/// The rules and their numbers. The default is the seed's, for a default agent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RestoreRules {
    /// How large a volatility may be.
    pub sigma: SigmaCap,
    /// How long a trigger holds, and which ones do not survive.
    pub kill_switch: KillSwitchRules,
    /// What the agent's indices mean.
    pub rl: AgentShape,
    /// Whether and how fast posteriors fade with age. Default: they do not.
    pub decay: Option<Decay>,
}

/// A bundle that live components may take, and what was done to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Restored {
    /// The bundle.
    pub bundle: MarketBundle,
    /// What was done.
    pub report: RestoreReport,
}

/// Brings a bundle that was loaded into the shape in which it may be used at `now`. What was restored is changed no more; with
/// [`decay`](RestoreRules::decay) its evidence fades once for the time that passed, whether in one restore or in several.
///
/// ```
/// use ckpt_format::Timestamp;
/// use ckpt_market::MarketBundle;
/// use ckpt_market::restore::{RestoreRules, restore};
///
/// let mut bundle = MarketBundle::default();
/// bundle.vol_filter.sigma_mean = 1.0;
/// let restored = restore(bundle, Timestamp::from_millis(1_700_000_000_000), &RestoreRules::default());
/// assert_eq!(restored.bundle.vol_filter.sigma_mean, 0.0025);
/// assert_eq!(
///     restored.report.to_string(),
///     "vol_filter: sigma_mean was 1 and is 0.0025: it is at most the cap on volatility\n"
/// );
/// ```
pub fn restore(mut bundle: MarketBundle, now: Timestamp, rules: &RestoreRules) -> Restored {
    let mut report = RestoreReport::default();
    bounds::check(&mut bundle, &rules.sigma, &mut report);
    bundle.date_figures();
    kill_switch::restore(&mut bundle.kill_switch, now, &rules.kill_switch, &mut report);
    rl::fit(&mut bundle.rl_q_table, &rules.rl, &mut report);
    if let Some(decay) = &rules.decay {
        match bundle.metadata.taken_at() {
            Some(taken) => {
                // What has faded until then would fade a second time.
                let since = bundle.faded_until.map_or(taken, |faded| faded.max(taken));
                if decay.apply(&mut bundle, now.seconds_since(since) / 3600.0, &mut report) {
                    bundle.faded_until = Some(now);
                }
            }
            None => report.note(names::METADATA, Finding::AgeUnknown),
        }
    }
    Restored { bundle, report }
}
