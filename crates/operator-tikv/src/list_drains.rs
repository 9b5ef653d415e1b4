//! See [`ListDrains`].

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ids::StoreId;
use crate::tikv::Tikv;

/// Lists the stores that leaders are being drained from, whoever asked for it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDrains {}

/// The drains in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Drains {
    /// One for each store, by store id.
    pub drains: Vec<Drain>,
    /// Leaders moved per round and store; only PD 8.3 and later says.
    pub batch: Option<u32>,
}

/// A drain in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Drain {
    /// The store that leaders are kept away from.
    pub store_id: StoreId,
    /// Regions it still leads; absent when the store is not known any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader_count: Option<u64>,
    /// Whether only some key ranges are drained.
    pub partial: bool,
}

#[async_trait]
impl Observation<Tikv> for ListDrains {
    const NAME: &'static str = "list_drains";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Leftovers);
    type Output = Drains;

    async fn observe(&self, tikv: &Tikv) -> Result<Drains, Error> {
        let Some(config) = tikv.pd.evict_leader_config().await.map_err(Error::Read)? else {
            return Ok(Drains {
                drains: Vec::new(),
                batch: None,
            });
        };
        let stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let drains = config.stores.iter().map(|(id, ranges)| {
            let store = stores.iter().find(|store| store.id == *id);
            let whole = |range: &pd_client::schedulers::EvictRange| {
                range.start_key.is_empty() && range.end_key.is_empty()
            };
            Drain {
                store_id: (*id).into(),
                leader_count: store.map(|store| store.status.leader_count),
                partial: !ranges.iter().any(whole),
            }
        });
        Ok(Drains {
            drains: drains.collect(),
            batch: config.batch,
        })
    }
}
