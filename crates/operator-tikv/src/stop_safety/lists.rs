//! What PD lists as unhealthy: six lists, none of which PD limits.

use std::collections::BTreeSet;

use action_core::Cause;
use pd_client::StoreId;
use pd_client::regions::{Region, RegionCheck};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::leader_figures::gauges;
use crate::stop_safety::answer::SCAN;
use crate::stop_safety::voters::Wanted;

/// A list of PD's is read if it has so many regions at most.
const MOST_LISTED: f64 = 10_000.0;

/// The lists that show what a region lacks.
const CHECKS: [RegionCheck; 6] = [
    RegionCheck::DownPeer,
    RegionCheck::PendingPeer,
    RegionCheck::OfflinePeer,
    RegionCheck::MissPeer,
    RegionCheck::ExtraPeer,
    RegionCheck::LearnerPeer,
];

/// What PD lists as unhealthy.
pub(super) struct Listed {
    /// Each once.
    pub(super) regions: Vec<Region>,
    /// How many replicas those that PD finds to have too few lack, at least.
    pub(super) missing: u64,
    /// Why a list was not read.
    pub(super) unread: Vec<Cause>,
}

impl Listed {
    /// Seven reads.
    pub(super) async fn read(tikv: &Tikv, wanted: Option<&Wanted>) -> Result<Self, Error> {
        let counted = gauges(tikv).await.unwrap_or_default().regions;
        let mut listed = Self {
            regions: Vec::new(),
            missing: 0,
            unread: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        for check in CHECKS {
            let name = check.name();
            let count = counted.get(&format!("{name}-region-count")).copied();
            if let Some(count) = count.filter(|count| *count > MOST_LISTED) {
                listed
                    .unread
                    .push(unread(name, &format!("{count} regions")));
                continue;
            }
            let regions = match tikv.pd.regions_in_check(check).await {
                Err(pd_client::Error::TooLarge { .. }) => {
                    listed.unread.push(unread(name, "too many regions"));
                    continue;
                }
                regions => regions.map_err(Error::Read)?,
            };
            if check == RegionCheck::MissPeer {
                let least = wanted.map_or(0, |wanted| wanted.least_replicas);
                let lacks = regions.iter();
                let lacks = lacks.map(|region| least.saturating_sub(region.peers.len() as u64));
                listed.missing = lacks.sum();
            }
            let new = regions.into_iter().filter(|region| seen.insert(region.id));
            listed.regions.extend(new);
        }
        listed.regions.sort_by_key(|region| region.id);
        Ok(listed)
    }

    /// How many of them have a replica on a store.
    pub(super) fn on(&self, id: StoreId) -> u64 {
        let on = self
            .regions
            .iter()
            .filter(|region| region.peer_on(id).is_some());
        on.count() as u64
    }
}

fn unread(name: &str, how_many: &str) -> Cause {
    let text = format!("PD's list `{name}` was not read, it has {how_many}: {SCAN}");
    Cause::new("list_too_long", text)
}
