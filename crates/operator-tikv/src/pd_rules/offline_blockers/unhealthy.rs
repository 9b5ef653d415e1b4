//! Regions of a store with too many to list.

use std::collections::BTreeMap;

use pd_client::RegionId;
use pd_client::regions::{Region, RegionCheck};
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::leader_figures::gauges;

/// PD lists all regions of a check or none: of more they are not asked for.
const MOST_IN_CHECK: f64 = 10_000.0;

/// The regions on the store that PD lists as unhealthy.
pub(super) async fn listed_as_unhealthy(
    tikv: &Tikv,
    store: &Store,
    not_read: &mut Vec<String>,
) -> Result<Vec<Region>, Error> {
    let gauges = gauges(tikv).await;
    let mut found: BTreeMap<RegionId, Region> = BTreeMap::new();
    for (check, gauge) in [
        (RegionCheck::DownPeer, "down-peer-region-count"),
        (RegionCheck::PendingPeer, "pending-peer-region-count"),
        (RegionCheck::MissPeer, "miss-peer-region-count"),
    ] {
        let count = gauges.as_ref().and_then(|gauges| gauges.regions.get(gauge));
        let Some(count) = count.filter(|count| **count <= MOST_IN_CHECK) else {
            let count = count.map_or_else(|| "an unknown number of".to_owned(), f64::to_string);
            let text = format!(
                "PD's list `{}` of {count} regions was not read",
                check.name()
            );
            not_read.push(text);
            continue;
        };
        if *count > 0.0 {
            let listed = tikv.pd.regions_in_check(check).await.map_err(Error::Read)?;
            let here = listed
                .into_iter()
                .filter(|region| region.peer_on(store.id).is_some());
            found.extend(here.map(|region| (region.id, region)));
        }
    }
    Ok(found.into_values().collect())
}
