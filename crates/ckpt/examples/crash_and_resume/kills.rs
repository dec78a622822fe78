//! When the child is to be killed.

use std::time::Duration;

use crate::random::Generator;

/// How often the child is killed.
pub(crate) const KILLS: usize = 5;

/// One death to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kill {
    /// Strike on this day or the first later one: for a kill inside a save, of a save.
    pub(crate) day: u64,
    /// Where in the day.
    pub(crate) place: Place,
}

/// Where in a day the child is struck.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    /// This long after the day was reported, whatever the child is doing then.
    Anywhere(Duration),
    /// When half of the particles are in the save and the others are not.
    InsideSave,
}

/// Random deaths strictly inside a run of `days` days with a checkpoint every `every`: one in each fifth of the run
/// (less its ends, so that something was saved before the first and is left to do after the last), and one of them
/// inside a save. `days` is at least `(KILLS + 3) * every`.
pub(crate) fn plan(seed: u64, days: u64, every: u64) -> [Kill; KILLS] {
    // A stream of its own: the model's must not depend on the kills.
    let mut random = Generator::new(seed ^ 0x6b69_6c6c);
    let mut below = |bound: u64| (random.uniform() * bound as f64) as u64;
    let width = (days - 3 * every) / KILLS as u64;
    let inside = below(KILLS as u64);
    std::array::from_fn(|index| {
        let index = index as u64;
        let begin = 2 * every + index * width;
        if index == inside {
            let first = begin.div_ceil(every);
            let saves = (begin + width).div_ceil(every) - first;
            Kill { day: every * (first + below(saves)), place: Place::InsideSave }
        } else {
            let delay = Duration::from_micros(below(3000));
            Kill { day: begin + below(width), place: Place::Anywhere(delay) }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn kills_lie_in_order_strictly_inside_the_run_and_one_is_in_a_save(
            seed: u64,
            every in 1..200_u64,
            more in 0..5000_u64,
        ) {
            let days = (KILLS as u64 + 3) * every + more;
            let kills = plan(seed, days, every);
            prop_assert!(kills.windows(2).all(|pair| pair[0].day < pair[1].day), "{:?}", kills);
            prop_assert!(kills[0].day >= 2 * every && kills[KILLS - 1].day < days - every, "{:?}", kills);
            let inside: Vec<_> = kills.iter().filter(|kill| kill.place == Place::InsideSave).collect();
            prop_assert_eq!(inside.len(), 1);
            prop_assert_eq!(inside[0].day % every, 0);
        }
    }
}
