//! Whether a scheduler that gives leaders to a store takes a leader there.
//!
//! It takes those of regions that have a follower on its store, one after the other at random:
//! `Schedule` of `pkg/schedule/schedulers/grant_leader.go`, the same from 6.5 on.

use action_core::Cause;

use crate::facts::region::can_lead;
use crate::parameters::ids::StoreId;
use crate::pd_rules::leadership::{GRANT_LEADER, LeaderBlockers};
use crate::pd_rules::region_snapshot::RegionSnapshot;

/// What takes the leader of the region away again, once it is on that store.
pub(crate) fn taken_by_grant(
    at: &RegionSnapshot,
    blockers: &LeaderBlockers,
    to: StoreId,
) -> Option<Cause> {
    let takes = |store: pd_client::StoreId| {
        let mut peers = at.region.peers.iter();
        store != to.pd() && peers.any(|peer| peer.store_id == store && can_lead(peer))
    };
    let store = blockers.granted().find(|store| takes(*store))?;
    let text = format!(
        "`{GRANT_LEADER}` moves the leaders of all regions with a replica on store {store} there, including this one"
    );
    Some(Cause::new("grant_leader", text))
}
