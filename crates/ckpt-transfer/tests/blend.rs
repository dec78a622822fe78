//! Blending: the mathematics by worked numbers, seeding by an oracle. `PROPTEST_RNG_SEED` replays a run.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeMap;

use ckpt_transfer::{Cell, NormalGamma, Seeding, Weight};
use proptest::prelude::*;

type Table = BTreeMap<(u32, u32), NormalGamma>;

fn after(rewards: &[f64]) -> NormalGamma {
    let mut value = NormalGamma::default();
    rewards.iter().for_each(|reward| value.observe(*reward));
    value
}

fn weight(weight: f64) -> Weight {
    Weight::new(weight).unwrap()
}

fn assert_near(value: &NormalGamma, expected: [f64; 4]) {
    for (found, expected) in [value.mean, value.kappa, value.alpha, value.beta].into_iter().zip(expected) {
        assert!((found - expected).abs() < 5e-7, "{value:?}, expected {expected}");
    }
}

/// The same bits, and not only equal numbers.
fn bits(value: &NormalGamma) -> [u64; 5] {
    let NormalGamma { mean, kappa, alpha, beta, n } = value;
    [mean.to_bits(), kappa.to_bits(), alpha.to_bits(), beta.to_bits(), *n]
}

fn table_bits(table: &Table) -> Vec<((u32, u32), [u64; 5])> {
    table.iter().map(|(key, value)| (*key, bits(value))).collect()
}

#[test]
fn the_worked_numbers_of_ten_rewards_a_discount_and_a_live_reward() {
    let paper = after(&[2.0; 10]);
    assert_near(&paper, [1.998002, 10.01, 6.0, 1.01998]);
    assert!((paper.variance() - 0.020379).abs() < 5e-7 && paper.n == 10);

    let mut seeded = paper.discounted(weight(0.3));
    assert_near(&seeded, [1.998002, 3.003, 2.5, 0.305994]);
    assert!((seeded.variance() - 0.067931).abs() < 5e-7 && seeded.n == 0);

    seeded.observe(-1.0);
    assert_near(&seeded, [1.249063, 4.003, 3.0, 3.677342]);
    assert_eq!(seeded.n, 1);
}

#[test]
fn a_weight_of_one_is_the_same_posterior_without_observations() {
    let paper = after(&[2.0, -1.0, 0.5]);
    assert_eq!(bits(&paper.discounted(weight(1.0))), bits(&NormalGamma { n: 0, ..paper }));
}

#[test]
fn a_weight_of_zero_would_be_degenerate_and_is_no_weight() {
    for found in [0.0, -0.0, -0.3, 1.0000001, f64::NAN, f64::INFINITY] {
        let error = Weight::new(found).unwrap_err().to_string();
        assert!(error.contains("above 0 and at most 1"), "{error}");
    }
    assert_eq!(Weight::default().get(), 0.3);
}

#[test]
fn the_variance_of_what_knows_nothing_is_a_hundred() {
    assert_eq!(NormalGamma::default().variance(), 100.0);
    assert!(after(&[0.0]).variance() < 100.0);
}

#[test]
fn cold_is_a_matter_of_the_cell_not_of_the_state() {
    let paper = Table::from([((7, 0), after(&[1.0])), ((7, 1), after(&[2.0]))]);
    let lived = after(&[-3.0]);
    let mut live = Table::from([((7, 0), lived)]);
    let seeding = Seeding::plan(&live, &paper, Weight::default(), |_| true);
    seeding.apply_to(&mut live);
    assert_eq!(bits(&live[&(7, 0)]), bits(&lived));
    assert_eq!(bits(&live[&(7, 1)]), bits(&paper[&(7, 1)].discounted(Weight::default())));
}

#[test]
fn what_the_prior_never_observed_is_not_offered() {
    // A fresh cell says nothing; a seeded one only what a third system said.
    let hearsay = after(&[5.0]).discounted(weight(0.5));
    let paper = Table::from([((0, 0), NormalGamma::default()), ((0, 1), hearsay), ((0, 2), after(&[1.0]))]);
    let seeding = Seeding::plan(&Table::new(), &paper, Weight::default(), |_| true);
    assert_eq!(seeding.cells().keys().copied().collect::<Vec<_>>(), [(0, 2)]);
    assert_eq!((seeding.counts().offered, seeding.counts().unobserved), (1, 2));
}

#[test]
fn what_is_no_posterior_or_fits_no_cell_is_refused_and_counted() {
    let good = after(&[1.0]);
    let bad = [
        NormalGamma { mean: f64::NAN, ..good },
        NormalGamma { mean: f64::INFINITY, ..good },
        NormalGamma { kappa: 0.0, ..good },
        NormalGamma { kappa: f64::INFINITY, ..good },
        NormalGamma { alpha: 0.5, ..good },
        NormalGamma { alpha: f64::NAN, ..good },
        NormalGamma { beta: -1.0, ..good },
        NormalGamma { beta: 0.0, ..good },
        // It is one, but nothing of it is left after the discount.
        NormalGamma { beta: f64::from_bits(1), ..good },
    ];
    let mut paper: Table = (0..).map(|action| (0, action)).zip(bad).collect();
    paper.insert((45, 0), good);
    paper.insert((44, 24), good);
    let seeding = Seeding::plan(&Table::new(), &paper, weight(0.3), |(state, _)| *state < 45);
    assert_eq!(seeding.cells().keys().copied().collect::<Vec<_>>(), [(44, 24)]);
    let counts = seeding.counts();
    assert_eq!((counts.offered, counts.seeded, counts.refused), (11, 1, 10));
}

#[test]
fn a_cell_that_was_lived_since_the_plan_stays_as_it_is() {
    let paper = Table::from([((0, 0), after(&[1.0]))]);
    let mut live = Table::new();
    let seeding = Seeding::plan(&live, &paper, Weight::default(), |_| true);
    live.insert((0, 0), after(&[-1.0]));
    seeding.apply_to(&mut live);
    assert_eq!(bits(&live[&(0, 0)]), bits(&after(&[-1.0])));
}

#[test]
fn seeded_cells_survive_save_and_load_and_are_still_cold() {
    let paper = Table::from([((0, 0), after(&[0.1, 0.2, 0.3])), ((0, 1), after(&[1e-9, -7.0]))]);
    let mut live = Table::from([((0, 1), after(&[2.0]))]);
    Seeding::plan(&live, &paper, Weight::default(), |_| true).apply_to(&mut live);

    let cells: Vec<(&(u32, u32), &NormalGamma)> = live.iter().collect();
    let saved = ckpt_format::json::to_vec(&cells).unwrap();
    let loaded: Vec<((u32, u32), NormalGamma)> = ckpt_format::json::from_text(&saved).unwrap();
    let mut loaded: Table = loaded.into_iter().collect();
    assert_eq!(table_bits(&loaded), table_bits(&live));

    // After a restart the same prior seeds the same cells with the same numbers.
    let again = Seeding::plan(&loaded, &paper, Weight::default(), |_| true);
    assert_eq!((again.counts().seeded, again.counts().kept_live), (1, 1));
    again.apply_to(&mut loaded);
    assert_eq!(table_bits(&loaded), table_bits(&live));
}

/// Few keys, so that tables meet; some cells seeded, some broken.
fn tables() -> impl Strategy<Value = Table> {
    let lived = prop::collection::vec(-5.0..5.0_f64, 0..4).prop_map(|rewards| after(&rewards));
    let seeded = (lived.clone(), 0.01..=1.0).prop_map(|(value, w)| value.discounted(weight(w)));
    let broken = (lived.clone(), 0..4).prop_map(|(value, which)| match which {
        0 => NormalGamma { mean: f64::NAN, ..value },
        1 => NormalGamma { kappa: -1.0, ..value },
        2 => NormalGamma { alpha: 0.0, ..value },
        _ => NormalGamma { beta: f64::NEG_INFINITY, ..value },
    });
    let value = prop_oneof![6 => lived, 2 => seeded, 1 => broken];
    prop::collection::btree_map((0_u32..5, 0_u32..5), value, 0..20)
}

/// The rules read aloud for every key that there can be.
fn oracle(live: &Table, prior: &Table, w: f64, fits: impl Fn(&(u32, u32)) -> bool) -> (Table, [u64; 5]) {
    let (mut result, mut counts) = (Table::new(), [0; 5]);
    let [seeded, offered, kept_live, unobserved, refused] = &mut counts;
    for state in 0..5 {
        for action in 0..5 {
            let key = (state, action);
            if let Some(own) = live.get(&key) {
                result.insert(key, *own);
            }
            let Some(theirs) = prior.get(&key) else { continue };
            let numbers = [theirs.mean, theirs.kappa, theirs.alpha, theirs.beta];
            if theirs.n == 0 {
                *unobserved += 1;
            } else if live.get(&key).map_or(0, |own| own.n) > 0 {
                *offered += 1;
                *kept_live += 1;
            } else if !fits(&key)
                || numbers.iter().any(|number| !number.is_finite())
                || numbers[1] <= 0.0
                || numbers[2] < 1.0
                || numbers[3] <= 0.0
            {
                *offered += 1;
                *refused += 1;
            } else {
                *offered += 1;
                *seeded += 1;
                let [mean, kappa, alpha, beta] = numbers;
                let seed = NormalGamma {
                    mean,
                    kappa: w * kappa,
                    alpha: 1.0 + w * (alpha - 1.0),
                    beta: w * beta,
                    n: 0,
                };
                result.insert(key, seed);
            }
        }
    }
    (result, counts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn seeding_is_what_the_rules_say(live in tables(), prior in tables(), w in 0.01..=1.0_f64, states in 0_u32..6) {
        let fits = |key: &(u32, u32)| key.0 < states;
        let seeding = Seeding::plan(&live, &prior, weight(w), fits);
        let counts = seeding.counts();
        let mut seeded = live.clone();
        seeding.apply_to(&mut seeded);
        let (expected, numbers) = oracle(&live, &prior, w, fits);
        prop_assert_eq!(table_bits(&seeded), table_bits(&expected));
        let found = [counts.seeded, counts.offered, counts.kept_live, counts.unobserved, counts.refused];
        prop_assert_eq!(found, numbers);
        prop_assert_eq!(counts.offered, counts.seeded + counts.kept_live + counts.refused);
    }

    #[test]
    fn live_cells_are_untouched_bit_for_bit(live in tables(), prior in tables()) {
        let mut seeded = live.clone();
        Seeding::plan(&live, &prior, Weight::default(), |_| true).apply_to(&mut seeded);
        for (key, own) in live.iter().filter(|(_, own)| own.n > 0) {
            prop_assert_eq!(bits(&seeded[key]), bits(own));
        }
    }

    #[test]
    fn seeding_twice_equals_once(live in tables(), prior in tables(), w in 0.01..=1.0_f64) {
        let mut once = live.clone();
        Seeding::plan(&live, &prior, weight(w), |_| true).apply_to(&mut once);
        let again = Seeding::plan(&once, &prior, weight(w), |_| true);
        let mut twice = once.clone();
        again.apply_to(&mut twice);
        prop_assert_eq!(table_bits(&twice), table_bits(&once));
    }

    #[test]
    fn a_discount_keeps_the_mean_and_makes_less_sure(rewards in prop::collection::vec(-5.0..5.0_f64, 1..20), w in 0.01..=1.0_f64) {
        let value = after(&rewards);
        let discounted = value.discounted(weight(w));
        prop_assert_eq!(discounted.mean.to_bits(), value.mean.to_bits());
        let ratio = discounted.variance() / value.variance();
        prop_assert!((ratio * w - 1.0).abs() < 1e-9, "{ratio}");
        prop_assert!(discounted.is_usable() && discounted.n == 0);
    }

    #[test]
    fn the_update_is_the_textbook_posterior(rewards in prop::collection::vec(-5.0..5.0_f64, 1..30)) {
        // From all rewards at once, by sums of squares around their own mean.
        let n = rewards.len() as f64;
        let mean = rewards.iter().sum::<f64>() / n;
        let squares: f64 = rewards.iter().map(|reward| (reward - mean).powi(2)).sum();
        let kappa = 0.01 + n;
        let beta = 1.0 + squares / 2.0 + 0.01 * n * mean * mean / (2.0 * kappa);
        let value = after(&rewards);
        let pairs = [(value.mean, n * mean / kappa), (value.kappa, kappa), (value.alpha, 1.0 + n / 2.0), (value.beta, beta)];
        for (found, expected) in pairs {
            prop_assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} {expected}");
        }
    }
}
