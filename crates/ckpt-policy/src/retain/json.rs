//! The JSON of a plan: `docs/json.md`.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::plan::{Plan, Planned};
use super::reason::Reason;

/// A plan that is written as JSON; [`Plan::to_json`] makes it. Rows are written as they are met: there may be a hundred thousand.
#[derive(Debug, Clone, Copy)]
pub struct PlanJson<'a> {
    plan: &'a Plan,
    run: &'a str,
    applied: bool,
}

impl<'a> PlanJson<'a> {
    pub(super) fn new(plan: &'a Plan, run: &'a str, applied: bool) -> Self {
        Self { plan, run, applied }
    }
}

impl Serialize for PlanJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plan = self.plan;
        let mut object = serializer.serialize_struct("Plan", 8)?;
        object.serialize_field("run", self.run)?;
        object.serialize_field("now", &plan.now())?;
        object.serialize_field("policy", plan.policy())?;
        object.serialize_field("applied", &self.applied)?;
        object.serialize_field("entries", &Rows(plan.entries()))?;
        object.serialize_field("keep", &plan.keep())?;
        object.serialize_field("delete", &plan.delete())?;
        object.serialize_field("freed_bytes", &plan.freed_bytes())?;
        object.end()
    }
}

struct Rows<'a>(&'a [Planned]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Row))
    }
}

struct Row<'a>(&'a Planned);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let mut object = serializer.serialize_struct("Planned", 6)?;
        object.serialize_field("sequence", &row.sequence)?;
        object.serialize_field("name", &row.file_name)?;
        object.serialize_field("verdict", &row.verdict)?;
        object.serialize_field("reasons", &row.reasons)?;
        object.serialize_field("stored_bytes", &row.stored_bytes)?;
        object.serialize_field("pinned", &row.pinned)?;
        object.end()
    }
}

/// `{"rule", "metric"?, "rank"?, "limit"?, "text"}`. None of the numbers can be one that JSON has not: ranks and counts are whole, and
/// a metric's value is not among them.
impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Reason", 5)?;
        object.serialize_field("rule", &self.rule())?;
        if let Some(metric) = self.metric() {
            object.serialize_field("metric", metric)?;
        }
        if let Some(rank) = self.rank() {
            object.serialize_field("rank", &rank)?;
        }
        match self {
            Self::LastPeriodic { limit, .. }
            | Self::Top { limit, .. }
            | Self::Every { limit, .. }
            | Self::MaxBytes { limit, .. } => object.serialize_field("limit", limit)?,
            Self::MaxAge { limit, .. } => object.serialize_field("limit", &limit.as_secs_f64())?,
            Self::Newest
            | Self::Pinned
            | Self::NotOursToJudge { .. }
            | Self::Preserved { .. }
            | Self::Outlived { .. }
            | Self::NoRule => {}
        }
        object.serialize_field("text", &self.to_string())?;
        object.end()
    }
}
