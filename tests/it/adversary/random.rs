//! Random choices that a seed repeats.

use std::time::Duration;

#[derive(Debug)]
pub(super) struct Random(fastrand::Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Less than `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0.u64(..bound.max(1))
    }

    pub(super) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        *self.0.choice(choices).unwrap()
    }

    pub(super) fn pause(&mut self, choices: &[u64]) -> Duration {
        Duration::from_millis(self.pick(choices))
    }
}
