//! The drains in force: `list_drains`.

// length: what is asked and shown has 10 fields, each with its unit or source.

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use pd_client::schedulers::EvictRange;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::counts::incomplete;
use crate::facts::drains::{effect, in_force};
use crate::parameters::ids::StoreId;
use crate::parameters::list_limit::Limit;

/// Lists the stores that leaders are being drained from, no matter who requested it.
///
/// After PD starts it is an error until PD has loaded its schedulers.
///
/// Sorted by store id. `total` is the number of all, and `cut` says whether the list is truncated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDrains {
    /// Maximum number of drains.
    #[serde(default)]
    pub limit: Limit<100, 1000>,
}

/// The drains in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Drains {
    /// One for each store, by store id.
    pub drains: Vec<Drain>,
    /// How many there are, given or not.
    pub total: u64,
    /// Whether some are left out.
    pub cut: bool,
    /// Leaders moved per round and store; only PD 8.3 and later says.
    pub batch: Option<u32>,
    /// What is incomplete about the counts of leaders, as after PD's start; absent when they are
    /// complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts_incomplete: Option<String>,
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
    /// What a journal knows it by, such as `evict-leader/4`. PD does not say who asked for it.
    pub lasting_effect: String,
}

#[async_trait]
impl Observation<Tikv> for ListDrains {
    const NAME: &'static str = "list_drains";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Overview);
    type Output = Drains;

    async fn observe(&self, tikv: &Tikv) -> Result<Drains, Error> {
        let schedule = tikv.pd.schedule_config().await.map_err(Error::Read)?;
        let config = in_force(tikv, &schedule).await?;
        let Some(config) = config else {
            return Ok(Drains {
                drains: Vec::new(),
                total: 0,
                cut: false,
                batch: None,
                counts_incomplete: None,
            });
        };
        let stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let counts_incomplete = incomplete(tikv, &stores).await?;
        let drains = config.stores.iter().take(usize::from(self.limit.get()));
        let drains: Vec<Drain> = drains
            .map(|(id, ranges)| Drain {
                store_id: (*id).into(),
                leader_count: stores
                    .iter()
                    .find(|store| store.id == *id)
                    .map(|store| store.status.leader_count),
                partial: !ranges.iter().any(is_everything),
                lasting_effect: effect(*id),
            })
            .collect();
        Ok(Drains {
            total: config.stores.len() as u64,
            cut: config.stores.len() > drains.len(),
            drains,
            batch: config.batch,
            counts_incomplete,
        })
    }
}

fn is_everything(range: &EvictRange) -> bool {
    range.start_key.is_empty() && range.end_key.is_empty()
}
