//! How carefully to begin with what was restored: `docs/GATE.md`, section 5.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::assess::{Assessment, Verdict};

/// Fills a process can rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fills {
    /// In the state that is offered for restoring. They count only if it is restored.
    pub restored: u64,
    /// Since this process began.
    pub live: u64,
}

/// From so many fills on, these factors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmupTier {
    /// The least number of fills.
    pub from_fills: u64,
    /// Multiplies the spread: below 1 it is tighter, to attract fills.
    pub spread_factor: f64,
    /// Multiplies the size: below 1 it is smaller, to make learning cheap.
    pub size_factor: f64,
}

/// How the size grows with fills.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SizeForm {
    /// As the tiers say. The default.
    #[default]
    Tiers,
    /// `floor + (1 - floor) n / (n + half_way)` after `n` fills, whatever the tiers say of the size.
    Continuous {
        /// The factor at no fills: more than 0, at most 1.
        floor: f64,
        /// The fills after which half of what is missing is there: finite, more than 0.
        half_way: f64,
    },
}

/// How a warm-up goes, checked. The default is that of a market maker: tiers from 0, 50 and 200 fills. In JSON `{tiers, size}`,
/// checked when it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct WarmupRules {
    tiers: Vec<WarmupTier>,
    size: SizeForm,
}

/// Rules as a file has them; what it lacks is the default's.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Unchecked {
    tiers: Vec<WarmupTier>,
    size: SizeForm,
}

/// The first factors, and why.
///
/// In JSON `{restore, spread_factor, size_factor, fills, next_at_fills, reason, text}`.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmupPlan {
    /// Whether the state is restored at all.
    pub restore: bool,
    /// Multiplies the spread.
    pub spread_factor: f64,
    /// Multiplies the size.
    pub size_factor: f64,
    /// The fills that counted.
    pub fills: u64,
    /// The fills at which the next tier begins; none in the last one, and none when ready.
    pub next_at_fills: Option<u64>,
    /// Why.
    pub reason: WarmupReason,
}

/// Why a warm-up is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarmupReason {
    /// The state is ready: there is no warm-up.
    Ready,
    /// The state is marginal: restored and live fills count.
    Marginal,
    /// The state does not pass and is not restored: only live fills count.
    NotRestored,
}

/// Why rules of a warm-up were refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WarmupError {
    /// Nothing says how to begin.
    #[error("the first warm-up tier must begin at 0 fills")]
    Start,
    /// Two tiers in the wrong order.
    #[error(
        "the warm-up tier from {from_fills} fills must begin after the one before it, and neither factor may fall"
    )]
    Order {
        /// Where the tier begins.
        from_fills: u64,
    },
    /// A number that multiplies nothing.
    #[error("the warm-up's {field} is {found}: it is {allowed}")]
    Number {
        /// Which.
        field: &'static str,
        /// What was given.
        found: f64,
        /// What is allowed.
        allowed: &'static str,
    },
}

impl WarmupRules {
    /// Checks the rules.
    ///
    /// # Errors
    /// [`WarmupError`] with the first that can't be meant.
    pub fn new(tiers: Vec<WarmupTier>, size: SizeForm) -> Result<Self, WarmupError> {
        if tiers.first().is_none_or(|first| first.from_fills != 0) {
            return Err(WarmupError::Start);
        }
        for tier in &tiers {
            check_factor("spread_factor", tier.spread_factor)?;
            check_factor("size_factor", tier.size_factor)?;
        }
        if let Some([_, later]) = tiers.array_windows().find(|[tier, next]| !is_rising(tier, next)) {
            return Err(WarmupError::Order { from_fills: later.from_fills });
        }
        if let SizeForm::Continuous { floor, half_way } = size {
            check_factor("floor", floor)?;
            if !half_way.is_finite() || half_way <= 0.0 {
                let allowed = "a finite number of fills above 0";
                return Err(WarmupError::Number { field: "half_way", found: half_way, allowed });
            }
        }
        Ok(Self { tiers, size })
    }

    /// The default tiers with the continuous form of the size: `0.3 + 0.7 n / (n + 15)`.
    pub fn continuous() -> Self {
        Self { size: SizeForm::Continuous { floor: 0.3, half_way: 15.0 }, ..Self::default() }
    }

    /// The tiers, in order.
    pub fn tiers(&self) -> &[WarmupTier] {
        &self.tiers
    }

    /// How the size grows.
    pub fn size(&self) -> SizeForm {
        self.size
    }

    /// How to begin, or to go on, after these fills. More fills never lower a factor.
    pub fn plan(&self, assessment: &Assessment, fills: Fills) -> WarmupPlan {
        let restore = assessment.passes();
        if restore && assessment.verdict() == Verdict::Ready {
            return WarmupPlan {
                restore,
                spread_factor: 1.0,
                size_factor: 1.0,
                fills: fills.restored.saturating_add(fills.live),
                next_at_fills: None,
                reason: WarmupReason::Ready,
            };
        }
        let reason = if restore { WarmupReason::Marginal } else { WarmupReason::NotRestored };
        let counted = if restore { fills.restored.saturating_add(fills.live) } else { fills.live };
        let (spread_factor, size_factor, next_at_fills) = self.factors(counted);
        WarmupPlan { restore, spread_factor, size_factor, fills: counted, next_at_fills, reason }
    }

    fn factors(&self, fills: u64) -> (f64, f64, Option<u64>) {
        let (mut spread, mut size, mut next) = (1.0, 1.0, None);
        for tier in &self.tiers {
            if fills < tier.from_fills {
                next = Some(tier.from_fills);
                break;
            }
            (spread, size) = (tier.spread_factor, tier.size_factor);
        }
        if let SizeForm::Continuous { floor, half_way } = self.size {
            let fills = fills as f64;
            // After absurdly many the sum is rounded to more than 1.
            size = (floor + (1.0 - floor) * fills / (fills + half_way)).min(1.0);
        }
        (spread, size, next)
    }
}

impl Default for WarmupRules {
    fn default() -> Self {
        let tier =
            |from_fills, spread_factor, size_factor| WarmupTier { from_fills, spread_factor, size_factor };
        let tiers = vec![tier(0, 0.85, 0.3), tier(50, 0.95, 0.7), tier(200, 1.0, 1.0)];
        Self { tiers, size: SizeForm::Tiers }
    }
}

impl Default for Unchecked {
    fn default() -> Self {
        let WarmupRules { tiers, size } = WarmupRules::default();
        Self { tiers, size }
    }
}

impl TryFrom<Unchecked> for WarmupRules {
    type Error = WarmupError;

    fn try_from(Unchecked { tiers, size }: Unchecked) -> Result<Self, WarmupError> {
        Self::new(tiers, size)
    }
}

impl fmt::Display for WarmupPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spread_factor, size_factor, fills, .. } = self;
        match self.reason {
            WarmupReason::Ready => return f.write_str("ready: no warm-up"),
            WarmupReason::Marginal => write!(f, "marginal: {fills} fills")?,
            WarmupReason::NotRestored => write!(f, "not restored: {fills} live fills")?,
        }
        write!(f, ", spread {spread_factor} and size {size_factor}")?;
        match self.next_at_fills {
            Some(next) => write!(f, " until {next}"),
            None => Ok(()),
        }
    }
}

impl Serialize for WarmupPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("WarmupPlan", 7)?;
        fields.serialize_field("restore", &self.restore)?;
        fields.serialize_field("spread_factor", &self.spread_factor)?;
        fields.serialize_field("size_factor", &self.size_factor)?;
        fields.serialize_field("fills", &self.fills)?;
        fields.serialize_field("next_at_fills", &self.next_at_fills)?;
        fields.serialize_field("reason", &self.reason)?;
        fields.serialize_field("text", &self.to_string())?;
        fields.end()
    }
}

fn check_factor(field: &'static str, found: f64) -> Result<(), WarmupError> {
    if found > 0.0 && found <= 1.0 {
        return Ok(());
    }
    Err(WarmupError::Number { field, found, allowed: "above 0 and at most 1" })
}

fn is_rising(tier: &WarmupTier, next: &WarmupTier) -> bool {
    tier.from_fills < next.from_fills
        && tier.spread_factor <= next.spread_factor
        && tier.size_factor <= next.size_factor
}
