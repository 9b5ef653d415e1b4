//! What is asked: how much is too much, and for how long.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Checks invariants of a cluster: writes are fast, disks have space, stores send heartbeats,
/// leaders are spread, PD has enough members.
///
/// A breach counts as violated once it has lasted longer than allowed. Since when is told by the
/// store's last heartbeat, by Prometheus (`write_p99`, unknown without), or by you: give the `seen`
/// of the last answer as `previous`, which leader imbalance and too few members need. A full disk
/// counts at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckInvariants {
    /// How long writes may take, 99th percentile of a store, in milliseconds.
    #[schemars(range(min = 1, max = 600_000))]
    pub write_p99_ms: u32,
    /// For how many seconds writes may take longer than that.
    #[schemars(range(min = 15, max = 3_600))]
    pub write_p99_for_s: u32,
    /// Highest allowed disk usage, percent.
    #[schemars(range(min = 1, max = 100))]
    pub disk_percent: u32,
    /// For how many seconds a store may be disconnected or down.
    #[schemars(range(max = 86_400))]
    pub store_down_for_s: u32,
    /// Maximum age of the last heartbeat of a store that counts as up, seconds.
    #[schemars(range(min = 10, max = 3_600))]
    pub heartbeat_s: u32,
    /// By how many percent of their mean a store may lead more or fewer regions than that mean.
    #[schemars(range(min = 1, max = 1_000))]
    pub leader_imbalance_percent: u32,
    /// How many members of PD must answer.
    #[schemars(range(min = 1, max = 9))]
    pub members: u32,
    /// Seconds for which leaders may be unbalanced, or members too few.
    #[schemars(range(max = 86_400))]
    pub grace_s: u32,
    /// The `seen` of the last answer.
    #[schemars(length(max = 500))]
    pub previous: Vec<String>,
}

impl Default for CheckInvariants {
    fn default() -> Self {
        Self {
            write_p99_ms: 100,
            write_p99_for_s: 60,
            disk_percent: 70,
            store_down_for_s: 60,
            heartbeat_s: 30,
            leader_imbalance_percent: 20,
            members: 3,
            grace_s: 60,
            previous: Vec::new(),
        }
    }
}
