//! Notices, collected until somebody takes them; each is an event of `tracing`, too.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::report::Notice;

/// More are not kept for a caller who never asks: the oldest go.
const KEPT_MAX: usize = 1_024;

/// Where the session and the writer's thread leave what is worth telling.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    kept: Mutex<VecDeque<Notice>>,
}

impl Notices {
    pub(crate) fn tell(&self, notice: Notice) {
        match &notice {
            Notice::Pruned { .. } => tracing::info!(target: "ckpt", "{notice}"),
            _ => tracing::warn!(target: "ckpt", "{notice}"),
        }
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(notice);
    }

    pub(crate) fn take(&self) -> Vec<Notice> {
        self.kept().drain(..).collect()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Notice>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
