//! Why the last leaders do not leave a store that is being drained.

use action_core::Cause;
use pd_client::Capability;
use pd_client::regions::{Region, RoleOnStore};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::region::{can_lead, is_healthy};
use crate::parameters::ids::StoreId;
use crate::pd_rules::leadership::refusing_leaders;

/// So few leaders left are looked at one by one; PD lists them all at once.
const FEW: u64 = 32;

/// So many regions are named.
const NAMED: usize = 5;

/// What keeps the regions that a store still leads there. Two reads, and none while many are left
/// or where PD, before 8.2, would list every region of the store.
pub(crate) async fn blockers(
    tikv: &Tikv,
    store_id: StoreId,
    leaders: u64,
    stores: &[pd_client::stores::Store],
    drains: Option<&pd_client::schedulers::EvictLeaderConfig>,
) -> Result<Vec<Cause>, Error> {
    if !(1..=FEW).contains(&leaders) {
        return Ok(Vec::new());
    }
    let version = tikv.pd.version().await.map_err(Error::Read)?;
    if version.has(Capability::RegionsByRole) != Some(true) {
        return Ok(Vec::new());
    }
    let led = tikv
        .pd
        .regions_of_store_as(store_id.pd(), RoleOnStore::Leader)
        .await
        .map_err(Error::Read)?;
    let takes = |store: pd_client::StoreId| {
        let store = stores.iter().find(|known| known.id == store);
        refusing_leaders(store, drains).is_none()
    };
    let blocked = led
        .iter()
        .filter_map(|region| why(region, store_id, &takes));
    Ok(blocked.take(NAMED).collect())
}

fn why(
    region: &Region,
    store_id: StoreId,
    takes: &impl Fn(pd_client::StoreId) -> bool,
) -> Option<Cause> {
    let id = region.id;
    let others = region
        .peers
        .iter()
        .filter(|peer| peer.store_id != store_id.pd() && can_lead(peer));
    let others: Vec<_> = others.collect();
    if others.is_empty() {
        let text = format!("region {id} has no other voter");
        return Some(Cause::new("no_other_voter", text));
    }
    if !others.iter().any(|peer| is_healthy(region, peer)) {
        let text = format!("region {id}: its other voters lag or do not answer");
        return Some(Cause::new("others_unhealthy", text));
    }
    let healthy = others.iter().filter(|peer| is_healthy(region, peer));
    let none_takes = !healthy.clone().any(|peer| takes(peer.store_id));
    none_takes.then(|| {
        let stores: Vec<_> = healthy.map(|peer| peer.store_id.to_string()).collect();
        let text = format!(
            "region {id}: its other voters are on stores that take no leaders: {}",
            stores.join(", ")
        );
        Cause::new("others_take_no_leaders", text)
    })
}
