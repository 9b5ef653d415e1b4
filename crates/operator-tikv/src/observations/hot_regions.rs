//! What PD's cache of hot regions holds: `hot_write_regions` and `hot_read_regions`.

// length: what is asked and shown has 13 fields, each with its unit or source.

use std::collections::BTreeMap;

use action_core::{Cost, Observation};
use async_trait::async_trait;
use pd_client::hotspots::{HotKind, HotRegion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::parameters::ids::{RegionId, StoreId};
use crate::parameters::list_limit::Limit;

/// What hot regions are ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HotBy {
    /// Bytes per second.
    #[default]
    Bytes,
    /// Keys per second.
    Keys,
    /// Queries per second.
    Queries,
}

/// The hottest regions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct HotRegionList {
    /// The hottest first.
    pub regions: Vec<HotRegionView>,
    /// How many are hot, given or not.
    pub total: u64,
    /// Whether some are left out.
    pub cut: bool,
}

/// A hot region.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct HotRegionView {
    /// Its id.
    pub region_id: RegionId,
    /// The store that leads it.
    pub leader_store_id: StoreId,
    /// Bytes per second.
    pub bytes_per_s: f64,
    /// Keys per second.
    pub keys_per_s: f64,
    /// Queries per second.
    pub queries_per_s: f64,
    /// For how many of PD's intervals it has been hot, about a minute each for writes and ten
    /// seconds for reads.
    pub hot_degree: i64,
}

const HOT_COLUMNS: &[&str] = &[
    "region_id",
    "leader_store_id",
    "bytes_per_s",
    "keys_per_s",
    "queries_per_s",
    "hot_degree",
];

impl HotRegionView {
    fn of(region: &HotRegion) -> Self {
        Self {
            region_id: region.region_id.into(),
            leader_store_id: region.store_id.into(),
            bytes_per_s: region.flow_bytes,
            keys_per_s: region.flow_keys,
            queries_per_s: region.flow_query,
            hot_degree: region.hot_degree,
        }
    }

    fn heat(&self, by: HotBy) -> f64 {
        match by {
            HotBy::Bytes => self.bytes_per_s,
            HotBy::Keys => self.keys_per_s,
            HotBy::Queries => self.queries_per_s,
        }
    }
}

/// The hottest regions of a kind, as their leaders report.
pub(crate) async fn hottest<const DEFAULT: u16, const MOST: u16>(
    tikv: &Tikv,
    kind: HotKind,
    by: HotBy,
    limit: Limit<DEFAULT, MOST>,
) -> Result<HotRegionList, Error> {
    let hot = tikv.pd.hot_regions(kind, &[]).await.map_err(Error::Read)?;
    let leaders = hot.as_leader.values().flatten();
    let regions = leaders.flat_map(|store| &store.statistics);
    // A region whose leader moved is there twice for a while.
    let mut hottest: BTreeMap<RegionId, HotRegionView> = BTreeMap::new();
    for view in regions.map(HotRegionView::of) {
        let known = hottest.get(&view.region_id);
        if known.is_none_or(|known| known.heat(by) < view.heat(by)) {
            hottest.insert(view.region_id, view);
        }
    }
    let mut regions: Vec<HotRegionView> = hottest.into_values().collect();
    regions.sort_by(|one, other| other.heat(by).total_cmp(&one.heat(by)));
    let total = regions.len() as u64;
    let cut = limit.cut(&mut regions);
    Ok(HotRegionList {
        regions,
        total,
        cut,
    })
}

/// Shows the regions that are written to most, from PD's cache of hot regions, the hottest first.
///
/// Only regions that have been hot for a while are in that cache, about three of PD's intervals; it
/// is empty for some minutes after PD's leader changed. `total` is the number of hot regions, and
/// `cut` says whether the list is truncated. One request, whatever the number of regions.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotWriteRegions {
    /// What the regions are ranked by.
    #[serde(default)]
    pub by: HotBy,
    /// Maximum number of regions.
    #[serde(default)]
    pub limit: Limit<10, 100>,
}

#[async_trait]
impl Observation<Tikv> for HotWriteRegions {
    const NAME: &'static str = "hot_write_regions";
    const COST: Cost = Cost::List;
    const COLUMNS: &'static [&'static str] = HOT_COLUMNS;
    type Output = HotRegionList;

    async fn observe(&self, tikv: &Tikv) -> Result<HotRegionList, Error> {
        hottest(tikv, HotKind::Write, self.by, self.limit).await
    }
}

/// Shows the regions that are read from most, from PD's cache of hot regions, the hottest first.
///
/// Only regions that have been hot for a while are in that cache, about three of PD's intervals; it
/// is empty for some minutes after PD's leader changed. `total` is the number of hot regions, and
/// `cut` says whether the list is truncated. One request, whatever the number of regions.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotReadRegions {
    /// What the regions are ranked by.
    #[serde(default)]
    pub by: HotBy,
    /// Maximum number of regions.
    #[serde(default)]
    pub limit: Limit<10, 100>,
}

#[async_trait]
impl Observation<Tikv> for HotReadRegions {
    const NAME: &'static str = "hot_read_regions";
    const COST: Cost = Cost::List;
    const COLUMNS: &'static [&'static str] = HOT_COLUMNS;
    type Output = HotRegionList;

    async fn observe(&self, tikv: &Tikv) -> Result<HotRegionList, Error> {
        hottest(tikv, HotKind::Read, self.by, self.limit).await
    }
}
