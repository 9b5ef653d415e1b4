//! See [`CheckInvariants`].

use action_core::{Cost, Observation};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::pd_clock::PdTime;
use crate::observations::check_invariants::latency::slow_writes;
use crate::observations::check_invariants::state::{
    full_disks, imbalance, silent_stores, too_few_members,
};
use crate::observations::check_invariants::violation::{Clock, Violation};

mod latency;
mod state;
pub(crate) mod violation;

/// Checks what should hold of a cluster at all times: writes are fast, disks have room, stores are
/// heard of, leaders are spread, PD has enough members.
///
/// A breach counts as violated once it has lasted as long as it may. Since when is told by the
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
    /// How much of a disk may be in use, percent.
    #[schemars(range(min = 1, max = 100))]
    pub disk_percent: u32,
    /// For how many seconds a store may be disconnected or down.
    #[schemars(range(max = 86_400))]
    pub store_down_for_s: u32,
    /// How old the last heartbeat of a store may be that counts as up, seconds.
    #[schemars(range(min = 10, max = 3_600))]
    pub heartbeat_s: u32,
    /// By how many percent of their mean a store may lead more or fewer regions than that mean.
    #[schemars(range(min = 1, max = 1_000))]
    pub leader_imbalance_percent: u32,
    /// How many members of PD must answer.
    #[schemars(range(min = 1, max = 9))]
    pub members: u32,
    /// For how many seconds leaders may be unbalanced, or members too few.
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

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Invariants {
    /// Whether nothing is violated, as far as could be told.
    pub holds: bool,
    /// Every breach, violated or not yet.
    pub breaches: Vec<Violation>,
    /// Whether some are left out, beyond 200.
    pub cut: bool,
    /// The breaches and since when they were seen, to give as `previous` next time.
    pub seen: Vec<String>,
    /// What could not be checked.
    pub unknown: Vec<String>,
}

const MOST_BREACHES: usize = 200;

#[async_trait]
impl Observation<Tikv> for CheckInvariants {
    const NAME: &'static str = "check_invariants";
    const COST: Cost = Cost::List;
    type Output = Invariants;

    async fn observe(&self, tikv: &Tikv) -> Result<Invariants, Error> {
        let stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let health = tikv.pd.health().await.map_err(Error::Read)?;
        let mut unknown = Vec::new();
        let clock = Clock::new(PdTime::now(tikv), &self.previous);
        let mut breaches = slow_writes(self, tikv, &stores, &mut unknown).await;
        breaches.extend(full_disks(self, &stores));
        breaches.extend(silent_stores(self, &stores, &clock));
        breaches.extend(imbalance(self, &stores, &clock));
        breaches.extend(too_few_members(self, &health, &clock));
        let cut = breaches.len() > MOST_BREACHES;
        let holds = !breaches.iter().any(|breach| breach.violated);
        let seen = breaches.iter().filter_map(Violation::seen).collect();
        breaches.truncate(MOST_BREACHES);
        Ok(Invariants {
            holds,
            breaches,
            cut,
            seen,
            unknown,
        })
    }
}
