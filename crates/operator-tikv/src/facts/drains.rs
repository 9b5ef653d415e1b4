//! Drains in force, and where they are read.

use pd_client::Client;
use pd_client::config::ScheduleConfig;
use pd_client::schedulers::EvictLeaderConfig;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::schedulers::{NOT_LOADED, are_loaded};
use crate::parameters::ids::StoreId;

/// Where drains are read.
pub(crate) const DRAINS: &str = "GET /pd/api/v1/scheduler-config/evict-leader-scheduler/list";

/// The drains, as far as PD knows them.
pub(crate) enum ShownDrains {
    /// In force.
    Known(Option<EvictLeaderConfig>),
    /// PD has not loaded its schedulers: more may be in force than it shows.
    NotYet(Option<EvictLeaderConfig>),
}

impl ShownDrains {
    /// Three reads.
    pub(crate) async fn read(tikv: &Tikv) -> Result<Self, Error> {
        let schedule = tikv.pd.schedule_config().await.map_err(Error::Read)?;
        Self::read_by(&tikv.pd, &schedule)
            .await
            .map_err(Error::Read)
    }

    /// With the configuration at hand: two reads. Schedulers that are loaded stay so.
    pub(crate) async fn read_by(
        pd: &Client,
        schedule: &ScheduleConfig,
    ) -> Result<Self, pd_client::Error> {
        let loaded = are_loaded(pd, schedule).await?;
        let drains = pd.evict_leader_config().await?;
        Ok(if loaded {
            Self::Known(drains)
        } else {
            Self::NotYet(drains)
        })
    }

    pub(crate) fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// What PD shows, complete or not.
    pub(crate) fn shown(&self) -> Option<&EvictLeaderConfig> {
        let (Self::Known(drains) | Self::NotYet(drains)) = self;
        drains.as_ref()
    }

    /// Whether a store is being drained; `None` when that is not known yet.
    pub(crate) fn of(&self, store_id: StoreId) -> Option<bool> {
        let draining = is_draining(self.shown(), store_id);
        (draining || self.is_known()).then_some(draining)
    }
}

/// The drains in force. Waits for PD to know them, as long as it was told to.
pub(crate) async fn in_force(
    tikv: &Tikv,
    schedule: &ScheduleConfig,
) -> Result<Option<EvictLeaderConfig>, Error> {
    let read = |pd: Client| async move { ShownDrains::read_by(&pd, schedule).await };
    let drains = tikv
        .pd
        .read_until(tikv.waits, read, ShownDrains::is_known)
        .await;
    match drains.map_err(Error::Read)? {
        ShownDrains::Known(drains) => Ok(drains),
        ShownDrains::NotYet(_) => Err(Error::NotKnownYet { text: NOT_LOADED }),
    }
}

pub(crate) fn is_draining(drains: Option<&EvictLeaderConfig>, store_id: StoreId) -> bool {
    drains.is_some_and(|drains| drains.stores.contains_key(&store_id.pd()))
}

/// What a drain is known by in a journal.
pub(crate) fn effect(store_id: pd_client::StoreId) -> String {
    format!("evict-leader/{store_id}")
}
