//! What an author gives the conformance suite: a fake of the system, and an example of each action.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::declare::Subject;

/// A fake of a system: one that is up for the length of one check.
///
/// It stands for the system, not for the client: a handle reaches it as it reaches a real one, so
/// that requests and answers can be lost between the two.
#[async_trait]
pub trait FakeSystem: Sized + Send + Sync {
    /// The subject whose actions are tried.
    type Subject: Subject;

    /// A fresh one, in which the action of this name has something to do.
    async fn start(action: &str) -> Self;

    /// A new handle on it, as a process makes one that has just started.
    async fn connect(&self) -> Self::Subject;

    /// Parameters to try the action with in a fresh one.
    fn example(&self, action: &str) -> Example;

    /// What an action changes, and what must be there again after it was taken back.
    async fn state(&self) -> Value;

    /// How many writes have arrived since it was started, carried out or refused.
    fn writes(&self) -> u64;

    /// The next write is lost on its way: it does not arrive, is not counted, and is not answered.
    fn lose_next_request(&self);

    /// The next write arrives and is carried out, and its answer is lost.
    fn lose_next_answer(&self);

    /// From now on another system answers at its address, with another identity.
    fn become_another(&self);

    /// Lets so much time pass, in which what was accepted goes on. For a fake that has no clock
    /// there is nothing to do; for a real system, wait.
    async fn pass(&self, _time: Duration) {}

    /// The time of who sends, milliseconds after 1970 UTC, where a probe compares it with times of
    /// the system: how the two clocks differ is what [`Plan::clock`](crate::Plan::clock) says.
    fn unix_ms(&self) -> u64 {
        0
    }
}

/// Parameters to try an action with.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    pub(super) goes_ahead: Value,
    pub(super) rejected: Rejected,
    pub(super) is_taken_back_under_way: bool,
}

/// A request that the system refuses.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rejected {
    Parameters(Value),
    /// There is none.
    Never,
    NotSaid,
}

impl Example {
    /// An observation that gives something, or a mutation that goes ahead.
    #[must_use]
    pub fn new(parameters: Value) -> Self {
        Self {
            goes_ahead: parameters,
            rejected: Rejected::NotSaid,
            is_taken_back_under_way: false,
        }
    }

    /// Of a mutation: parameters that are valid, and that the system refuses.
    #[must_use]
    pub fn rejected(mut self, parameters: Value) -> Self {
        self.rejected = Rejected::Parameters(parameters);
        self
    }

    /// Of a mutation: the system refuses no valid parameters, in the state that it is started in.
    #[must_use]
    pub fn never_rejected(mut self) -> Self {
        self.rejected = Rejected::Never;
        self
    }

    /// Of a mutation that takes time, and can be taken back only before it is done.
    #[must_use]
    pub fn taken_back_under_way(mut self) -> Self {
        self.is_taken_back_under_way = true;
        self
    }
}
