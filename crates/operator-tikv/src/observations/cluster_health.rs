//! How the cluster is, in numbers: `cluster_health`.

// length: what is asked and shown has 21 fields, each with its unit or source.

use action_core::{Cost, Observation};
use async_trait::async_trait;
use pd_client::stores::{Store, StoreState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::drains::ShownDrains;
use crate::facts::known_yet::KnownYet;
use crate::facts::traces::PdProcess;

/// Shows the state of the cluster in numbers: members, stores by state, regions, operators, drains,
/// and whether PD schedules.
///
/// It only counts: `check_invariants` says what is out of bounds, and `doctor` finds leftovers.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterHealth {}

/// How a cluster is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Health {
    /// Which cluster it is, as text: its id is larger than a JSON number may be.
    pub cluster_id: String,
    /// Whether the first store has joined. If not, all counts of stores and regions are 0.
    pub bootstrapped: bool,
    /// The version of PD, such as `v8.5.7`.
    pub pd_version: String,
    /// Members of PD.
    pub members: u64,
    /// Members of PD that answer.
    pub members_healthy: u64,
    /// The member that leads PD; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pd_leader: Option<String>,
    /// Stores that are not tombstones.
    pub stores: u64,
    /// Stores that serve and are heard of.
    pub stores_up: u64,
    /// Stores not heard of for more than 20 s.
    pub stores_disconnected: u64,
    /// Stores not heard of for longer than `max-store-down-time`.
    pub stores_down: u64,
    /// Stores that are being emptied.
    pub stores_offline: u64,
    /// Stores that say they are busy.
    pub stores_busy: u64,
    /// Stores that leaders are being drained from; absent when that is not known yet, as after PD's
    /// start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stores_draining: Option<u64>,
    /// TiFlash stores, counted above as well.
    pub tiflash_stores: u64,
    /// Regions.
    pub regions: u64,
    /// Replicas that lag behind, as stores report; PD 8.2 and later says.
    pub pending_replicas: u64,
    /// Operators in flight.
    pub operators: u64,
    /// Whether all scheduling is halted, by `halt-scheduling` or by an unsafe recovery.
    pub scheduling_halted: bool,
    /// How many milliseconds PD's clock is ahead of ours; negative when it is behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pd_clock_ahead_ms: Option<i64>,
    /// By how many milliseconds that may be wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pd_clock_uncertainty_ms: Option<u64>,
    /// What is not known.
    pub unknown: Vec<String>,
    /// What PD does not know yet, as after its start: ask again once stores and regions have reported,
    /// within a minute or two.
    pub not_known_yet: Vec<String>,
}

#[async_trait]
impl Observation<Tikv> for ClusterHealth {
    const NAME: &'static str = "cluster_health";
    const COST: Cost = Cost::List;
    type Output = Health;

    async fn observe(&self, tikv: &Tikv) -> Result<Health, Error> {
        let pd = &tikv.pd;
        let cluster = pd.cluster().await.map_err(Error::Read)?;
        let status = pd.cluster_status().await.map_err(Error::Read)?;
        let version = pd.version().await.map_err(Error::Read)?;
        let members = pd.members().await.map_err(Error::Read)?;
        let answering = pd.health().await.map_err(Error::Read)?;
        let mut health = Health {
            cluster_id: cluster.id.to_string(),
            // PD calls itself initialized once it knows regions, too.
            bootstrapped: status.is_initialized || status.raft_bootstrap_time.is_some(),
            pd_version: bounded(version.as_str()),
            members: members.members.len() as u64,
            members_healthy: answering.iter().filter(|one| one.health).count() as u64,
            pd_leader: members.leader.as_ref().map(|one| bounded(&one.name)),
            ..Health::default()
        };
        if health.bootstrapped {
            let stores = pd.stores().await.map_err(Error::Read)?;
            health.count(&stores);
            let schedule = pd.schedule_config().await.map_err(Error::Read)?;
            let recovery = pd.unsafe_recovery().await.map_err(Error::Read)?;
            health.scheduling_halted = schedule.halt_scheduling || recovery.is_running();
            let drains = ShownDrains::read_by(pd, &schedule);
            let drains = drains.await.map_err(Error::Read)?;
            let draining = || drains.shown().map_or(0, |one| one.stores.len() as u64);
            health.stores_draining = drains.is_known().then(draining);
            health.regions = pd.region_count().await.map_err(Error::Read)?;
            health.operators = pd.operators().await.map_err(Error::Read)?.len() as u64;
            let process = PdProcess::led_by(tikv, members.leader).await?;
            let known = KnownYet::of_reports(tikv, process.as_ref(), &stores).await?;
            let known = known.with_schedulers(drains.is_known());
            health.not_known_yet = known.not_yet;
            health.unknown.extend(known.overdue);
        }
        if let Some(clock) = tikv.clock() {
            health.pd_clock_ahead_ms = Some(clock.ahead_ms);
            health.pd_clock_uncertainty_ms = Some(clock.uncertainty_ms);
        }
        Ok(health)
    }
}

impl Health {
    fn count(&mut self, stores: &[Store]) {
        self.stores = stores.len() as u64;
        for store in stores {
            match store.state_name {
                StoreState::Up => self.stores_up += 1,
                StoreState::Disconnected => self.stores_disconnected += 1,
                StoreState::Down => self.stores_down += 1,
                StoreState::Offline => self.stores_offline += 1,
                _ => {}
            }
            self.stores_busy += u64::from(store.status.is_busy);
            self.tiflash_stores += u64::from(store.is_tiflash());
            self.pending_replicas += store.status.pending_peer_count;
        }
    }
}
