//! Leader transfers at a time: `set_leader_schedule_limit`.

use pd_client::config::ScheduleConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mutations::setting::{Setting, mutation_of_setting};
use crate::parameters::schedule_limit::ScheduleLimit;

/// Sets how many leader transfers PD's schedulers run at the same time.
///
/// Drains count too: with 0, a drain does not progress. Requested transfers do not count.
///
/// PD refuses while a temporary override (TTL) is in force. Proven by reading the value back. Taken
/// back by restoring the previous value, if nobody has changed it since. In force at once, until
/// changed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLeaderScheduleLimit {
    /// Leader transfers at the same time; 0 for none.
    pub limit: ScheduleLimit,
}

mutation_of_setting!(SetLeaderScheduleLimit = "set_leader_schedule_limit", risk: Medium);

impl Setting for SetLeaderScheduleLimit {
    const ITEM: &'static str = "leader-schedule-limit";
    const STORED: fn(&ScheduleConfig) -> u64 = |config| config.leader_schedule_limit;
    type Value = u64;

    fn wanted(&self) -> u64 {
        self.limit.get()
    }

    fn with(limit: u64) -> Option<Self> {
        ScheduleLimit::new(limit).map(|limit| Self { limit })
    }
}
