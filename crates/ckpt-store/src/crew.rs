//! Shares work out over the cores, where there is enough of it.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// More threads than this only wait for the system.
const THREADS_MAX: usize = 4;
/// Items a thread takes at a time, at most.
const PIECE_MAX: usize = 64;
/// Pieces a thread takes, at least: so that all end at about the same time.
const PIECES_MIN: usize = 4;

/// What `run` makes of each item, in the items' order. The caller's thread works, too, and does all of it below
/// `parallel_from` items. Each thread gives `run` a value of its own to use again.
pub(crate) fn map<T: Sync, S: Default, R: Send>(
    items: &[T],
    parallel_from: usize,
    run: impl Fn(&T, &mut S) -> R + Sync,
) -> Vec<R> {
    let threads = if items.len() < parallel_from {
        1
    } else {
        thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX)
    };
    let piece = (items.len() / (threads * PIECES_MIN)).clamp(1, PIECE_MAX);
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let work = Mutex::new(items.chunks(piece).zip(results.chunks_mut(piece)));
    let work_off = || {
        let mut own = S::default();
        loop {
            let next = work.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((items, results)) = next else { break };
            for (item, result) in items.iter().zip(results) {
                *result = Some(run(item, &mut own));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // With fewer than hoped for, this thread does more.
            let _ = thread::Builder::new().spawn_scoped(scope, work_off);
        }
        work_off();
    });
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_off_once_and_in_its_place() {
        for length in [0, 1, 7, 8, 9, 500, 10_001] {
            let items: Vec<usize> = (0..length).collect();
            let doubled = map(&items, 8, |item, seen: &mut Vec<usize>| {
                assert!(!seen.contains(item));
                seen.push(*item);
                item * 2
            });
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn few_items_stay_on_the_callers_thread() {
        let here = thread::current().id();
        assert!(map(&[0; 7], 8, |_, ()| thread::current().id() == here).into_iter().all(|same| same));
    }
}
