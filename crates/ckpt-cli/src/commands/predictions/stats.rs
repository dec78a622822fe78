//! What the records of a prediction log say together: how much there is, and how good the predictions were.

use std::collections::BTreeMap;

use ckpt::Timestamp;
use ckpt_market::prediction_log::{ObservedOutcomes, PredictionRecord, ReadReport};
use serde::Serialize;

use crate::human;
use crate::json::Number;
use crate::table::{Cell, Table};

/// Nanoseconds of a second.
const SECOND_NS: u64 = 1_000_000_000;

/// Sums over records, and what follows from them. Means are absent while there is nothing to take them of.
#[derive(Debug, Default, Serialize)]
pub(super) struct Stats {
    records: u64,
    resolved: u64,
    /// The earliest and the latest prediction: outcomes come in another order.
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    regimes: BTreeMap<String, u64>,
    /// Records whose quotes were pulled.
    pulled: u64,
    half_spread_bps_mean: Option<Number>,
    fills: u64,
    realized_pnl: Number,
    adverse_selection_bps: Compared,
    filled_within_1s: Compared,
    filled_within_10s: Compared,
    #[serde(skip)]
    half_spread_bps: f64,
}

/// Means of what was predicted and of what was observed, over the same cases.
#[derive(Debug, Default, Serialize)]
struct Compared {
    count: u64,
    predicted_mean: Option<Number>,
    observed_mean: Option<Number>,
    #[serde(skip)]
    predicted: f64,
    #[serde(skip)]
    observed: f64,
}

impl Compared {
    fn add(&mut self, predicted: f64, observed: f64) {
        self.count += 1;
        self.predicted += predicted;
        self.observed += observed;
    }

    fn conclude(&mut self) {
        self.predicted_mean = mean(self.predicted, self.count);
        self.observed_mean = mean(self.observed, self.count);
    }
}

impl Stats {
    pub(super) fn add(&mut self, record: &PredictionRecord) {
        self.records += 1;
        let at = Timestamp::from_millis(i64::try_from(record.timestamp_ns / 1_000_000).unwrap_or(i64::MAX));
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        *self.regimes.entry(format!("{:?}", record.market_state.regime)).or_default() += 1;
        self.pulled += u64::from(record.predictions.quotes_pulled);
        self.half_spread_bps += record.predictions.final_half_spread_bps;
        if let Some(came) = &record.outcomes {
            self.add_outcome(record, came);
        }
    }

    fn add_outcome(&mut self, record: &PredictionRecord, came: &ObservedOutcomes) {
        let said = &record.predictions;
        self.resolved += 1;
        self.fills += came.fills.len() as u64;
        self.realized_pnl.0 += came.realized_pnl;
        // Without a fill there is nothing that can have been adverse.
        if !came.fills.is_empty() {
            let observed = came.adverse_selection_realized_bps;
            self.adverse_selection_bps.add(said.expected_adverse_selection_bps, observed);
        }
        // Quotes that were pulled could not be filled, whatever was predicted of them.
        if said.quotes_pulled {
            return;
        }
        for (place, level) in (0..).zip(&said.levels) {
            let within = |seconds: u64| {
                let until = record.timestamp_ns.saturating_add(seconds * SECOND_NS);
                let is = came
                    .fills
                    .iter()
                    .any(|fill| fill.level_index == place && fill.fill_timestamp_ns <= until);
                f64::from(u8::from(is))
            };
            self.filled_within_1s.add(level.p_fill_1s, within(1));
            self.filled_within_10s.add(level.p_fill_10s, within(10));
        }
    }

    /// Takes the means; nothing is added afterwards.
    pub(super) fn conclude(&mut self) {
        self.half_spread_bps_mean = mean(self.half_spread_bps, self.records);
        for compared in
            [&mut self.adverse_selection_bps, &mut self.filled_within_1s, &mut self.filled_within_10s]
        {
            compared.conclude();
        }
    }
}

fn mean(sum: f64, count: u64) -> Option<Number> {
    (count > 0).then(|| Number(sum / count as f64))
}

pub(super) fn words(stats: &Stats, report: &ReadReport) -> String {
    let mut facts = Table::default().left("").left("");
    let mut fact = |what: &str, text: String| facts.row([Cell::styled(what, human::DIM), Cell::new(text)]);
    let count = human::count;
    fact("records", format!("{}, {} of them with outcomes", count(stats.records), count(stats.resolved)));
    fact(
        "lines",
        format!(
            "{}: {} blank, {} that are no record",
            count(report.lines),
            count(report.blank),
            count(report.malformed)
        ),
    );
    if let (Some(first), Some(last)) = (stats.first, stats.last) {
        fact("from", format!("{first} to {last} ({})", human::span(last.seconds_since(first))));
    }
    let regimes: Vec<String> =
        stats.regimes.iter().map(|(regime, records)| format!("{regime} {}", count(*records))).collect();
    fact("regimes", regimes.join(", "));
    let spread = stats.half_spread_bps_mean.map(|mean| format!("{} bps on average", human::number(mean.0)));
    fact("half spread", spread.unwrap_or_default());
    fact("quotes pulled", format!("in {}", human::plural(stats.pulled as usize, "record")));
    if stats.resolved > 0 {
        fact("fills", format!("{}, pnl {}", count(stats.fills), human::number(stats.realized_pnl.0)));
        compare(&mut fact, "adverse selection", &stats.adverse_selection_bps, " bps");
        compare(&mut fact, "filled in 1 s", &stats.filled_within_1s, "");
        compare(&mut fact, "filled in 10 s", &stats.filled_within_10s, "");
    }
    facts.render(0)
}

fn compare(fact: &mut impl FnMut(&str, String), what: &str, compared: &Compared, unit: &str) {
    if let (Some(predicted), Some(observed)) = (compared.predicted_mean, compared.observed_mean) {
        let (predicted, observed) = (human::number(predicted.0), human::number(observed.0));
        let cases = human::count(compared.count);
        fact(what, format!("predicted {predicted}{unit}, observed {observed}{unit}, over {cases} cases"));
    }
}
