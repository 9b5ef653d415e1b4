//! See [`ListStores`].

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use pd_client::stores::Store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::drain_store::is_draining;
use crate::error::Error;
use crate::ids::StoreId;
use crate::leader_target::state_text;
use crate::tikv::Tikv;

/// Lists the stores that are not tombstones, with what they hold and whether PD hears of them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListStores {}

/// The stores of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Stores {
    /// By store id.
    pub stores: Vec<StoreView>,
}

/// A store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct StoreView {
    /// Its id.
    pub store_id: StoreId,
    /// Where clients reach it.
    pub address: String,
    /// Where it is in its life, in PD's word, such as `Up`, `Disconnected`, `Down` or `Offline`.
    pub state: String,
    /// Its version, without the `v`.
    pub version: String,
    /// Whether it is a TiFlash store, which never leads.
    pub tiflash: bool,
    /// Regions it leads.
    pub leader_count: u64,
    /// Regions it holds a replica of.
    pub region_count: u64,
    /// Size of its disk, in PD's words, to four digits.
    pub capacity: String,
    /// What is free of it, likewise.
    pub available: String,
    /// Whether leaders are being drained from it.
    pub draining: bool,
}

impl StoreView {
    pub(crate) fn of(store: &Store, draining: bool) -> Self {
        Self {
            store_id: store.id.into(),
            address: store.address.clone(),
            state: state_text(&store.state_name),
            version: store.version.clone(),
            tiflash: store.is_tiflash(),
            leader_count: store.status.leader_count,
            region_count: store.status.region_count,
            capacity: store.status.capacity.to_string(),
            available: store.status.available.to_string(),
            draining,
        }
    }
}

#[async_trait]
impl Observation<Tikv> for ListStores {
    const NAME: &'static str = "list_stores";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Overview);
    type Output = Stores;

    async fn observe(&self, tikv: &Tikv) -> Result<Stores, Error> {
        let mut stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let drains = tikv.pd.evict_leader_config().await.map_err(Error::Read)?;
        stores.sort_by_key(|store| store.id);
        let views = stores.iter().map(|store| {
            let draining = is_draining(drains.as_ref(), store.id.into());
            StoreView::of(store, draining)
        });
        Ok(Stores {
            stores: views.collect(),
        })
    }
}
