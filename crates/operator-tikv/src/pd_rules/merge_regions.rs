//! What PD says to a merge, in its order.

use action_core::Verdict;
use pd_client::operators::OperatorReport;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::rules::RegionFit;

use crate::cluster::Tikv;
use crate::facts::key_range::KeyRange;
use crate::facts::region::in_joint_state;
use crate::pd_rules::operator_priority::{Level, check_free};
use crate::pd_rules::placement::is_replicated;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::replica_change::Joint;
use crate::pd_rules::stop::{Checked, refused};

/// How many reads tell what keeps leaders from stores, at most: a merge has read two regions.
const LEADER_BLOCKER_READS: usize = 2;

/// Merging a region into a neighbour, each with how its replicas fit its rules.
pub(crate) async fn check_merge(
    tikv: &Tikv,
    (at, fit): (&RegionSnapshot, Option<RegionFit>),
    (target, target_fit): (&Region, Option<RegionFit>),
    on_target: Option<&OperatorReport>,
) -> Checked<Verdict> {
    let source = &at.region;
    for (region, fit) in [(source, fit), (target, target_fit)] {
        let well = region.pending_peers.is_empty() && region.down_peers.is_empty();
        if !well || !is_replicated(region, fit.as_ref(), &at.config) {
            let text = format!("region {} has abnormal peer", region.id);
            return Err(refused("PD:region:ErrRegionAbnormalPeer", text));
        }
    }
    let boundary = |one: &KeyRange| one.boundary(&KeyRange::of(target)).is_some();
    if !boundary(&KeyRange::of(source)) {
        let text = "two regions are not adjacent";
        return Err(refused("PD:region:ErrRegionNotAdjacent", text));
    }
    if source.peers.iter().chain(&target.peers).any(in_joint_state) {
        let text = "cannot merge regions which are in joint state";
        return Err(refused("joint_state", text));
    }
    if !same_stores(source, target) {
        at.check_buildable(Joint::Refused)?;
        at.check_leader_left(tikv, &target.peers, LEADER_BLOCKER_READS)
            .await?;
    }
    let other = check_free(on_target, Level::Urgent, &at.config.schedule)?;
    Ok(match at.check_accepted(Level::Urgent, None)? {
        Verdict::WouldProceed => other,
        verdict => verdict,
    })
}

/// Whether two regions have replicas of the same parts on the same stores.
fn same_stores(source: &Region, target: &Region) -> bool {
    let learns = |peer: &Peer| peer.role == PeerRole::Learner;
    let is_same = |peer: &Peer| {
        let other = target.peer_on(peer.store_id);
        other.is_some_and(|other| {
            learns(peer) == learns(other) && peer.is_witness == other.is_witness
        })
    };
    source.peers.len() == target.peers.len() && source.peers.iter().all(is_same)
}
