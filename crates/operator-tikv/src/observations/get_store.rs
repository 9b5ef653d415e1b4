//! One store: `get_store`.

use action_core::{Cost, Observation};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::counts::are_incomplete;
use crate::facts::drains::ShownDrains;
use crate::observations::list_stores::StoreView;
use crate::parameters::ids::StoreId;

/// Shows one store, also a tombstone: what it holds and whether it sends heartbeats.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetStore {
    /// Store to show.
    pub store_id: StoreId,
}

/// A store, or that there never was one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct OneStore {
    /// Whether there is such a store, or was one.
    pub exists: bool,
    /// The store; absent when there never was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreView>,
    /// What is incomplete about its counts of leaders and regions, as after PD's start; absent when
    /// they are complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts_incomplete: Option<String>,
}

#[async_trait]
impl Observation<Tikv> for GetStore {
    const NAME: &'static str = "get_store";
    const COST: Cost = Cost::List;
    type Output = OneStore;

    async fn observe(&self, tikv: &Tikv) -> Result<OneStore, Error> {
        let store = tikv.pd.store(self.store_id.pd()).await;
        let Some(store) = store.map_err(Error::Read)? else {
            return Ok(OneStore::default());
        };
        let drains = ShownDrains::read(tikv).await?;
        Ok(OneStore {
            exists: true,
            store: Some(StoreView::of(&store, drains.of(self.store_id))),
            counts_incomplete: are_incomplete(tikv).await?,
        })
    }
}
