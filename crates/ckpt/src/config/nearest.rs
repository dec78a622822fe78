//! The nearest of some names to one that is not among them.

/// The known name with the fewest letters to change, if it is near enough to have been meant.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = (name.chars().count() / 2).max(2);
    let distances = known.into_iter().map(|other| (distance(name, other), other));
    distances
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= far)
        .map(|(_, other)| other)
}

/// How many letters must be changed, added or taken away to turn one into the other (Levenshtein), capitals aside.
pub(super) fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.to_lowercase().chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let change = row[j] + usize::from(a != *b);
            next.push(change.min(row[j + 1] + 1).min(next[j] + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        for (left, right, count) in [
            ("", "", 0),
            ("abc", "", 3),
            ("keep_last", "keep_last_n", 2),
            ("retenion", "retention", 1),
            ("kitten", "sitting", 3),
            ("Phase1", "phase1", 0),
        ] {
            assert_eq!((distance(left, right), distance(right, left)), (count, count), "{left} {right}");
        }
    }

    #[test]
    fn what_is_far_from_everything_has_no_nearest() {
        let known = ["keep_last_n", "prune_frequency"];
        assert_eq!(nearest("keep_lastn", known), Some("keep_last_n"));
        assert_eq!(nearest("zebra", known), None);
    }
}
