//! What is read whatever is asked.

use std::collections::BTreeSet;

use pd_client::StoreId;
use pd_client::config::Config;
use pd_client::members::{MemberHealth, Members};
use pd_client::rules::Rule;
use pd_client::stores::{Store, StoreLife, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::counts::{Completeness, completeness};
use crate::facts::drains::ShownDrains;
use crate::facts::pd_clock::PdTime;
use crate::facts::traces::PdProcess;
use crate::parameters::ids;
use crate::stop_safety::asked::pick;
use crate::stop_safety::going::Going;
use crate::stop_safety::lists::Listed;

/// All stores, tombstones too.
pub(crate) async fn all_stores(tikv: &Tikv) -> Result<Vec<Store>, Error> {
    let all = [StoreLife::Up, StoreLife::Offline, StoreLife::Tombstone];
    tikv.pd.stores_in(&all).await.map_err(Error::Read)
}

/// The cluster, as far as it matters for all stores alike.
pub(crate) struct StopSnapshot {
    pub(super) process: Option<PdProcess>,
    /// Tombstones too, by id.
    pub(super) stores: Vec<Store>,
    pub(super) config: Config,
    /// `None` where rules are switched off.
    pub(super) rules: Option<Vec<Rule>>,
    pub(super) drains: ShownDrains,
    pub(super) members: Members,
    pub(super) health: Vec<MemberHealth>,
    pub(super) regions: u64,
    pub(super) counts: Completeness,
    /// When it was read, by PD's clock.
    now: Option<PdTime>,
    /// What PD lists, once it was read.
    pub(super) listed: Option<Listed>,
}

impl StopSnapshot {
    /// Eleven reads at most, none of which grows with the regions.
    pub(crate) async fn read(tikv: &Tikv) -> Result<Self, Error> {
        let process = PdProcess::read(tikv).await?;
        let stores = all_stores(tikv).await?;
        Self::of(tikv, process, stores).await
    }

    /// The same with all stores that there are, read under the process that leads.
    pub(crate) async fn of(
        tikv: &Tikv,
        process: Option<PdProcess>,
        mut stores: Vec<Store>,
    ) -> Result<Self, Error> {
        stores.sort_by_key(|store| store.id);
        let now = PdTime::now(tikv);
        let config = tikv.pd.config().await.map_err(Error::Read)?;
        let rules = if config.replication.enable_placement_rules {
            tikv.pd.rules().await.map_err(Error::Read)?
        } else {
            None
        };
        let drains = ShownDrains::read_by(&tikv.pd, &config.schedule).await;
        Ok(Self {
            counts: completeness(tikv, process.as_ref(), &stores).await?,
            process,
            config,
            rules,
            drains: drains.map_err(Error::Read)?,
            members: tikv.pd.members().await.map_err(Error::Read)?,
            health: tikv.pd.health().await.map_err(Error::Read)?,
            regions: tikv.pd.region_count().await.map_err(Error::Read)?,
            stores,
            now,
            listed: None,
        })
    }

    /// The stores with these ids or this label.
    pub(crate) fn pick(
        &self,
        label: Option<&str>,
        ids: Option<&[ids::StoreId]>,
    ) -> Result<BTreeSet<StoreId>, Error> {
        pick(&self.stores, label, ids)
    }

    pub(super) fn going(&self, asked: BTreeSet<StoreId>) -> Going {
        Going::new(asked, &self.stores, self.drains.shown(), self.now)
    }

    /// The stores among those asked for that hold voters, as far as is known.
    pub(super) fn voting<'a>(&'a self, going: &'a Going) -> impl Iterator<Item = &'a Store> {
        self.stores.iter().filter(|store| {
            going.asked.contains(&store.id)
                && !going.is_tiflash(store.id)
                && store.state_name != StoreState::Tombstone
                && store.status.region_count > 0
        })
    }

    /// Whether PD is led by the same process still.
    pub(super) async fn is_led_as_before(&self, tikv: &Tikv) -> Result<bool, Error> {
        Ok(PdProcess::read(tikv).await? == self.process)
    }
}
