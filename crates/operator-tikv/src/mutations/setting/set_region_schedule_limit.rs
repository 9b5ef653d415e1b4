//! Moves of replicas at a time: `set_region_schedule_limit`.

use pd_client::config::ScheduleConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mutations::setting::{Setting, mutation_of_setting};
use crate::parameters::schedule_limit::ScheduleLimit;

/// Sets how many replica moves PD's schedulers run at the same time.
///
/// They balance stores. Repairs and requested moves do not count.
///
/// PD refuses while a temporary override (TTL) is in force. Proven by reading the value back. Taken
/// back by restoring the previous value, if nobody has changed it since. In force at once, until
/// changed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRegionScheduleLimit {
    /// Replica moves at the same time; 0 for none.
    pub limit: ScheduleLimit,
}

mutation_of_setting!(SetRegionScheduleLimit = "set_region_schedule_limit", risk: Medium);

impl Setting for SetRegionScheduleLimit {
    const ITEM: &'static str = "region-schedule-limit";
    const STORED: fn(&ScheduleConfig) -> u64 = |config| config.region_schedule_limit;
    type Value = u64;

    fn wanted(&self) -> u64 {
        self.limit.get()
    }

    fn with(limit: u64) -> Option<Self> {
        ScheduleLimit::new(limit).map(|limit| Self { limit })
    }
}
