//! See [`HotWriteRegions`].

use action_core::{Cost, Observation};
use async_trait::async_trait;
use pd_client::hotspots::HotKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::observations::hot_regions::{HotBy, HotRegionList, hottest};
use crate::parameters::list_limit::Limit;

/// Shows the regions that are written to most, from PD's cache of hot regions, the hottest first.
///
/// Only regions that have been hot for a while are in that cache, about three of PD's intervals;
/// it is empty for some minutes after PD's leader changed. `total` is how many are hot, and
/// `cut` says whether some are left out. One request, whatever the number of regions.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotWriteRegions {
    /// What the hottest are told by.
    #[serde(default)]
    pub by: HotBy,
    /// How many regions to give at most.
    #[serde(default)]
    pub limit: Limit<10, 100>,
}

#[async_trait]
impl Observation<Tikv> for HotWriteRegions {
    const NAME: &'static str = "hot_write_regions";
    const COST: Cost = Cost::List;
    type Output = HotRegionList;

    async fn observe(&self, tikv: &Tikv) -> Result<HotRegionList, Error> {
        hottest(tikv, HotKind::Write, self.by, self.limit).await
    }
}
