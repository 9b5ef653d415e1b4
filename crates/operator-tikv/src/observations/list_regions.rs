//! Regions by what they have in common: `list_regions`.

// length: what is asked and shown has 18 fields, each with its unit or source.

use std::num::NonZeroU16;

use action_core::{Cost, Observation, Problem};
use async_trait::async_trait;
use pd_client::regions::{Region, RegionCheck};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded_key;
use crate::facts::key_encoding::unhex;
use crate::parameters::ids::{RegionId, StoreId};
use crate::parameters::list_limit::Limit;

/// Lists regions: of a key range, of a store, in an abnormal state, or all.
///
/// In the order of their keys. With `state`, PD returns all regions in that state. Without it, PD
/// is read page by page from `start_key`, at most 10,240 regions: `next_key` is the `start_key` of
/// the next page, and absent at the end. `cut` says whether the list is truncated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRegions {
    /// Only regions with a replica on this store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<StoreId>,
    /// Only regions that this store leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_store_id: Option<StoreId>,
    /// Only regions in this abnormal state, as of their last heartbeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RegionState>,
    /// Start of the range: a key in hexadecimal, as PD shows it. Empty is the first key.
    #[schemars(length(max = 4096))]
    #[serde(default)]
    pub start_key: String,
    /// End of the range, likewise; the region with this key is not included. Empty is the end.
    #[schemars(length(max = 4096))]
    #[serde(default)]
    pub end_key: String,
    /// Maximum number of regions.
    #[serde(default)]
    pub limit: Limit<50, 500>,
}

/// What can be the matter with a region, in PD's words (`GET /regions/check/{state}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RegionState {
    /// It has too few replicas.
    MissPeer,
    /// It has too many replicas.
    ExtraPeer,
    /// A replica lags behind.
    PendingPeer,
    /// A replica does not answer its leader.
    DownPeer,
    /// It has a learner.
    LearnerPeer,
    /// It holds next to nothing.
    EmptyRegion,
    /// A replica is on a store that is being emptied.
    OfflinePeer,
    /// It is larger than regions should be.
    OversizedRegion,
    /// It is so small that it should be merged.
    UndersizedRegion,
}

impl RegionState {
    fn check(self) -> RegionCheck {
        match self {
            Self::MissPeer => RegionCheck::MissPeer,
            Self::ExtraPeer => RegionCheck::ExtraPeer,
            Self::PendingPeer => RegionCheck::PendingPeer,
            Self::DownPeer => RegionCheck::DownPeer,
            Self::LearnerPeer => RegionCheck::LearnerPeer,
            Self::EmptyRegion => RegionCheck::EmptyRegion,
            Self::OfflinePeer => RegionCheck::OfflinePeer,
            Self::OversizedRegion => RegionCheck::OversizedRegion,
            Self::UndersizedRegion => RegionCheck::UndersizedRegion,
        }
    }
}

/// Regions that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Regions {
    /// In the order of their keys.
    pub regions: Vec<RegionRow>,
    /// How many regions were looked at.
    pub looked_at: u64,
    /// Whether some are left out.
    pub cut: bool,
    /// The `start_key` to go on with; absent at the end, and with `state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_key: Option<String>,
}

/// A region in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct RegionRow {
    /// Its id.
    pub region_id: RegionId,
    /// The store that leads it; absent while PD knows of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader_store_id: Option<StoreId>,
    /// The stores with a replica of it, learners too; at most 64.
    pub store_ids: Vec<StoreId>,
    /// Its size, MiB.
    pub size_mib: i64,
    /// How many keys it has, about.
    pub keys: i64,
    /// Replicas that lag behind or do not answer.
    pub unhealthy: u64,
    /// Its first key in upper-case hexadecimal, empty when unbounded.
    pub start_key: String,
    /// The key after its last, likewise.
    pub end_key: String,
}

/// More replicas than any region has.
const MOST_PEERS: usize = 64;

impl RegionRow {
    fn of(region: &Region) -> Self {
        let peers = region.peers.iter().take(MOST_PEERS);
        let mut unhealthy: Vec<_> = region.pending_peers.iter().map(|peer| peer.id).collect();
        unhealthy.extend(region.down_peers.iter().map(|down| down.peer.id));
        unhealthy.sort_unstable();
        unhealthy.dedup();
        Self {
            region_id: region.id.into(),
            leader_store_id: region.leader.map(|leader| leader.store_id.into()),
            store_ids: peers.map(|peer| peer.store_id.into()).collect(),
            size_mib: region.approximate_size,
            keys: region.approximate_keys,
            unhealthy: unhealthy.len() as u64,
            start_key: bounded_key(&region.start_key),
            end_key: bounded_key(&region.end_key),
        }
    }
}

/// How many regions are read at a time, and how often.
const PAGE: NonZeroU16 = NonZeroU16::MIN.saturating_add(1_023);
const MOST_PAGES: usize = 10;

impl ListRegions {
    fn is_wanted(&self, region: &Region) -> bool {
        let holds = |id: StoreId| region.peers.iter().any(|peer| peer.store_id == id.pd());
        let leads = |id: StoreId| {
            let leader = region.leader.map(|leader| leader.store_id);
            leader == Some(id.pd())
        };
        self.store_id.is_none_or(holds) && self.leader_store_id.is_none_or(leads)
    }

    /// Whether a region has keys of the range.
    fn is_in_range(&self, region: &Region) -> bool {
        let start = self.start_key.to_ascii_uppercase();
        let end = self.end_key.to_ascii_uppercase();
        let ends_before =
            !region.end_key.is_empty() && region.end_key.to_ascii_uppercase() <= start;
        let begins_after = !end.is_empty() && region.start_key.to_ascii_uppercase() >= end;
        !ends_before && !begins_after
    }

    /// Those with something the matter, all of which PD gives at once.
    async fn in_state(&self, state: RegionState, tikv: &Tikv) -> Result<Regions, Error> {
        let found = tikv.pd.regions_in_check(state.check()).await;
        let mut regions = found.map_err(Error::Read)?;
        let looked_at = regions.len() as u64;
        regions.retain(|region| self.is_in_range(region) && self.is_wanted(region));
        regions.sort_by(|one, other| one.start_key.cmp(&other.start_key));
        let cut = self.limit.cut(&mut regions);
        Ok(Regions {
            regions: regions.iter().map(RegionRow::of).collect(),
            looked_at,
            cut,
            next_key: None,
        })
    }

    /// Page by page, until there are enough, or enough were looked at.
    async fn by_page(&self, tikv: &Tikv) -> Result<Regions, Error> {
        let most = usize::from(self.limit.get());
        let is_any = self.store_id.is_none() && self.leader_store_id.is_none();
        let size = match is_any {
            true => NonZeroU16::new(self.limit.get()).unwrap_or(PAGE),
            false => PAGE,
        };
        let scan = tikv.pd.scan_regions(&self.start_key, &self.end_key);
        let mut scan = scan
            .map_err(|error| Error::Read(error.into()))?
            .page_size(size);
        let mut list = Regions {
            regions: Vec::new(),
            looked_at: 0,
            cut: false,
            next_key: None,
        };
        for _ in 0..MOST_PAGES {
            let Some(page) = scan.next_page().await.map_err(Error::Read)? else {
                return Ok(list);
            };
            for region in &page {
                if list.regions.len() == most {
                    list.stop_before(&region.start_key);
                    return Ok(list);
                }
                list.looked_at += 1;
                list.next_key = self.after(region);
                if self.is_wanted(region) {
                    list.regions.push(RegionRow::of(region));
                }
            }
            if list.next_key.is_none() || list.regions.len() == most {
                list.cut = list.next_key.is_some();
                return Ok(list);
            }
        }
        list.cut = true;
        Ok(list)
    }

    /// Where the range goes on behind a region.
    fn after(&self, region: &Region) -> Option<String> {
        let end = region.end_key.to_ascii_uppercase();
        let is_last = !self.end_key.is_empty() && end >= self.end_key.to_ascii_uppercase();
        (!end.is_empty() && !is_last).then_some(end)
    }
}

impl Regions {
    fn stop_before(&mut self, key: &str) {
        self.cut = true;
        self.next_key = Some(key.to_ascii_uppercase());
    }
}

#[async_trait]
impl Observation<Tikv> for ListRegions {
    const NAME: &'static str = "list_regions";
    const COST: Cost = Cost::Scan;
    const COLUMNS: &'static [&'static str] = &[
        "region_id",
        "leader_store_id",
        "store_ids",
        "size_mib",
        "keys",
        "unhealthy",
        "start_key",
        "end_key",
    ];
    type Output = Regions;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (at, key) in [("/start_key", &self.start_key), ("/end_key", &self.end_key)] {
            if unhex(key).is_none() {
                problems.push(Problem::combination(
                    at,
                    key,
                    "an even number of hexadecimal digits",
                ));
            }
        }
        let (start, end) = (unhex(&self.start_key), unhex(&self.end_key));
        if problems.is_empty() && !self.end_key.is_empty() && end <= start {
            problems.push(Problem::combination(
                "/end_key",
                &self.end_key,
                "a key after `start_key`",
            ));
        }
        problems
    }

    async fn observe(&self, tikv: &Tikv) -> Result<Regions, Error> {
        match self.state {
            Some(state) => self.in_state(state, tikv).await,
            None => self.by_page(tikv).await,
        }
    }
}
