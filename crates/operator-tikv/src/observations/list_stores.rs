//! The stores: `list_stores`.

// length: what is asked and shown has 16 fields, each with its unit or source.

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use pd_client::stores::{Store, StoreLife};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::counts::incomplete;
use crate::facts::drains::ShownDrains;
use crate::facts::store::state_text;
use crate::parameters::ids::StoreId;
use crate::parameters::list_limit::Limit;

/// Lists the stores, with what they hold and whether they send heartbeats; optionally tombstones.
///
/// Sorted by store id. `total` is the number of all, and `cut` says whether the list is truncated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListStores {
    /// Maximum number of stores.
    #[serde(default)]
    pub limit: Limit<100, 1000>,
    /// Whether to list tombstones too, the stores that are permanently removed.
    #[serde(default)]
    pub tombstones: bool,
}

/// The stores of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Stores {
    /// By store id.
    pub stores: Vec<StoreView>,
    /// How many there are, given or not.
    pub total: u64,
    /// Whether some are left out.
    pub cut: bool,
    /// What is incomplete about the counts of leaders and regions, as after PD's start; absent when
    /// they are complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts_incomplete: Option<String>,
}

/// A store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct StoreView {
    /// Its id.
    pub store_id: StoreId,
    /// Where clients reach it.
    pub address: String,
    /// Where it is in its life, in PD's word, such as `Up`, `Disconnected`, `Down`,
    /// `Offline` or `Tombstone`.
    pub state: String,
    /// Its version, without the `v`.
    pub version: String,
    /// Whether it is a TiFlash store, which never leads.
    pub tiflash: bool,
    /// Regions it leads.
    pub leader_count: u64,
    /// Regions it holds a replica of.
    pub region_count: u64,
    /// Size of its disk, to the four digits that PD gives; absent when it gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_bytes: Option<u64>,
    /// What is free of it, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_bytes: Option<u64>,
    /// Whether leaders are being drained from it; absent when that is not known yet, as after PD's
    /// start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draining: Option<bool>,
    /// Its labels as `key=value`, such as `zone=z1`; at most 16.
    pub labels: Vec<String>,
}

/// More labels of one store than anybody has.
const MOST_LABELS: usize = 16;

impl StoreView {
    pub(crate) fn of(store: &Store, draining: Option<bool>) -> Self {
        let labels = store.labels.iter().take(MOST_LABELS);
        Self {
            store_id: store.id.into(),
            address: bounded(&store.address),
            state: bounded(&state_text(&store.state_name)),
            version: bounded(&store.version),
            tiflash: store.is_tiflash(),
            leader_count: store.status.leader_count,
            region_count: store.status.region_count,
            capacity_bytes: store.status.capacity.bytes(),
            available_bytes: store.status.available.bytes(),
            draining,
            labels: labels
                .map(|label| bounded(&format!("{}={}", label.key, label.value)))
                .collect(),
        }
    }
}

#[async_trait]
impl Observation<Tikv> for ListStores {
    const NAME: &'static str = "list_stores";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Overview);
    const COLUMNS: &'static [&'static str] = &[
        "store_id",
        "address",
        "state",
        "leader_count",
        "region_count",
        "draining",
        "available_bytes",
        "capacity_bytes",
        "labels",
        "version",
        "tiflash",
    ];
    type Output = Stores;

    async fn observe(&self, tikv: &Tikv) -> Result<Stores, Error> {
        let mut stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let drains = ShownDrains::read(tikv).await?;
        let counts_incomplete = incomplete(tikv, &stores).await?;
        if self.tombstones {
            let gone = tikv.pd.stores_in(&[StoreLife::Tombstone]).await;
            stores.extend(gone.map_err(Error::Read)?);
            // One that has become a tombstone in between is one.
            stores.reverse();
        }
        stores.sort_by_key(|store| store.id);
        stores.dedup_by_key(|store| store.id);
        let total = stores.len() as u64;
        let cut = self.limit.cut(&mut stores);
        let views = stores.iter().map(|store| {
            let draining = drains.of(store.id.into());
            StoreView::of(store, draining)
        });
        Ok(Stores {
            stores: views.collect(),
            total,
            cut,
            counts_incomplete,
        })
    }
}
