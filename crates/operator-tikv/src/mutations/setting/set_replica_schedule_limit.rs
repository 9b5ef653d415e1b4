//! Repairs of replicas at a time: `set_replica_schedule_limit`.

use pd_client::config::ScheduleConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mutations::setting::{Setting, mutation_of_setting};
use crate::parameters::schedule_limit::ScheduleLimit;

/// Sets how many replica repairs PD runs at the same time.
///
/// Repairs replace replicas of stores that are offline or down: with 0, lost replicas are not
/// replaced, and a store being emptied keeps what it holds.
///
/// PD refuses while a temporary override (TTL) is in force. Proven by reading the value back. Taken
/// back by restoring the previous value, if nobody has changed it since. In force at once, until
/// changed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetReplicaScheduleLimit {
    /// Repairs at the same time; 0 for none.
    pub limit: ScheduleLimit,
}

mutation_of_setting!(SetReplicaScheduleLimit = "set_replica_schedule_limit", risk: High);

impl Setting for SetReplicaScheduleLimit {
    const ITEM: &'static str = "replica-schedule-limit";
    const STORED: fn(&ScheduleConfig) -> u64 = |config| config.replica_schedule_limit;
    type Value = u64;

    fn wanted(&self) -> u64 {
        self.limit.get()
    }

    fn with(limit: u64) -> Option<Self> {
        ScheduleLimit::new(limit).map(|limit| Self { limit })
    }
}
