//! How fast the simulated cluster is and what its stores can do.

use std::time::Duration;

/// What a [`Builder`](crate::Builder) sets about the cluster's pace.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Between two heartbeats of a store.
    pub(crate) heartbeat_interval: Duration,
    /// From a command to a store until the region heartbeat that shows it done.
    pub(crate) step_latency: Duration,
    /// How long a new learner stays pending.
    pub(crate) snapshot_latency: Duration,
    /// Between two patrols of the checkers.
    pub(crate) checker_interval: Duration,
    /// Between two rounds of the schedulers.
    pub(crate) evict_interval: Duration,
    /// Whether balance-leader moves leaders.
    pub(crate) balance_leader: bool,
    /// Whether stores split regions when asked.
    pub(crate) executes_splits: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat_interval: Duration::from_secs(10),
            step_latency: Duration::from_millis(200),
            snapshot_latency: Duration::ZERO,
            checker_interval: Duration::from_secs(1),
            evict_interval: Duration::from_millis(200),
            balance_leader: false,
            executes_splits: true,
        }
    }
}
