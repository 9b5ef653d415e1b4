//! Why the last leaders do not leave a store that is being drained.

use action_core::Cause;
use pd_client::Capability;
use pd_client::regions::{Peer, Region, RoleOnStore};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::region::{can_lead, is_healthy};
use crate::parameters::ids::StoreId;
use crate::pd_rules::leader_takers::LeaderTakers;

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
    takers: &LeaderTakers<'_>,
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
    let blocked = led
        .iter()
        .filter_map(|region| why(region, store_id, takers));
    Ok(blocked.take(NAMED).collect())
}

/// Why no other store can take a region's leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NoTaker {
    NoOtherVoter,
    /// The others lag or do not answer.
    Unhealthy,
    /// The others are on stores that take no leaders.
    TakeNone,
}

impl NoTaker {
    /// The stable code of the reason.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NoOtherVoter => "no_other_voter",
            Self::Unhealthy => "others_unhealthy",
            Self::TakeNone => "others_take_no_leaders",
        }
    }
}

/// The voters of a region that may lead, but for that on a store.
fn others(region: &Region, not: pd_client::StoreId) -> impl Iterator<Item = &Peer> {
    let may = move |peer: &&Peer| peer.store_id != not && can_lead(peer);
    region.peers.iter().filter(may)
}

/// Why no other store can take the leader of a region, if none can.
pub(crate) fn no_taker(
    region: &Region,
    store_id: pd_client::StoreId,
    takers: &LeaderTakers<'_>,
) -> Option<NoTaker> {
    if others(region, store_id).next().is_none() {
        return Some(NoTaker::NoOtherVoter);
    }
    let mut healthy = others(region, store_id)
        .filter(|peer| is_healthy(region, peer))
        .peekable();
    if healthy.peek().is_none() {
        return Some(NoTaker::Unhealthy);
    }
    (!healthy.any(|peer| takers.take(region, peer.store_id))).then_some(NoTaker::TakeNone)
}

fn why(region: &Region, store_id: StoreId, takers: &LeaderTakers<'_>) -> Option<Cause> {
    let id = region.id;
    let why = no_taker(region, store_id.pd(), takers)?;
    let text = match why {
        NoTaker::NoOtherVoter => format!("region {id} has no other voter"),
        NoTaker::Unhealthy => format!("region {id}: its other voters lag or do not respond"),
        NoTaker::TakeNone => {
            let healthy = others(region, store_id.pd()).filter(|peer| is_healthy(region, peer));
            let stores: Vec<_> = healthy.map(|peer| peer.store_id.to_string()).collect();
            format!(
                "region {id}: its other voters are on stores that take no leaders: {}",
                stores.join(", ")
            )
        }
    };
    Some(Cause::new(why.code(), text))
}
