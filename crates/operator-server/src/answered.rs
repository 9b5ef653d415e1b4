//! How many requests were answered, and how.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts by the class of the status, from 1xx to 5xx.
#[derive(Debug, Default)]
pub(crate) struct Answered([AtomicU64; 5]);

impl Answered {
    /// Counts one with this status.
    pub(crate) fn count(&self, status: u16) {
        let class = usize::from(status / 100).checked_sub(1);
        if let Some(count) = class.and_then(|class| self.0.get(class)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each class, and how many there were.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (usize, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        (1..).zip(counts)
    }
}
