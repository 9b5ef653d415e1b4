//! One store: `get_store`.

use action_core::{Cost, Observation};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::drains::is_draining;
use crate::observations::list_stores::StoreView;
use crate::parameters::ids::StoreId;

/// Shows one store, a tombstone too: what it holds and whether PD hears of it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetStore {
    /// Store to show.
    pub store_id: StoreId,
}

/// A store, or that there never was one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct OneStore {
    /// The store; absent when there never was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreView>,
}

#[async_trait]
impl Observation<Tikv> for GetStore {
    const NAME: &'static str = "get_store";
    const COST: Cost = Cost::Point;
    type Output = OneStore;

    async fn observe(&self, tikv: &Tikv) -> Result<OneStore, Error> {
        let store = tikv.pd.store(self.store_id.pd()).await;
        let store = store.map_err(Error::Read)?;
        let drains = tikv.pd.evict_leader_config().await.map_err(Error::Read)?;
        let draining = is_draining(drains.as_ref(), self.store_id);
        let store = store.map(|store| StoreView::of(&store, draining));
        Ok(OneStore { store })
    }
}
