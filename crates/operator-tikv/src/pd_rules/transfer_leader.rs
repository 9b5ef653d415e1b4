//! What PD says to a transfer of a region's leader, in its order.

use action_core::Verdict;
use pd_client::regions::{Peer, PeerRole};

use crate::cluster::Tikv;
use crate::facts::region::{can_lead, is_healthy};
use crate::parameters::ids::StoreId;
use crate::pd_rules::leadership::{LeaderBlockers, MayLead};
use crate::pd_rules::operator_priority::Level;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::replica_change::Joint;
use crate::pd_rules::stop::{Checked, Stop, nothing_to_do, refused};

/// How many reads tell what keeps leaders from stores, at most: the drains, and each scheduler
/// that may.
const LEADER_BLOCKER_READS: usize = 5;

/// Moving the leader to another store; with what keeps leaders from stores.
pub(crate) async fn check_transfer_leader(
    tikv: &Tikv,
    at: &RegionSnapshot,
    to: StoreId,
) -> Checked<(Verdict, LeaderBlockers)> {
    let votes = |peer: &&Peer| peer.role != PeerRole::Learner;
    let no_voter = || refused("no_voter", format!("region has no voter in store {to}"));
    let voter = at
        .region
        .peer_on(to.pd())
        .filter(votes)
        .ok_or_else(no_voter)?;
    at.check_buildable(Joint::Allowed)?;
    if !is_healthy(&at.region, voter) {
        let text = format!("cannot transfer leader to {to}: unhealthy");
        return Err(refused("target_unhealthy", text));
    }
    if !can_lead(voter) {
        return Err(not_allowed());
    }
    if at.leader() == Some(to) {
        return Err(nothing_to_do(format!(
            "store {to} leads region {}",
            at.region.id
        )));
    }
    let blockers = LeaderBlockers::read(tikv, &at.config, LEADER_BLOCKER_READS).await?;
    let verdict = match blockers.lets_lead(at.serving(to), at.rules.as_deref()) {
        MayLead::Yes => at.check_accepted(Level::Urgent, None)?,
        MayLead::No => return Err(not_allowed()),
        MayLead::NotShown(causes) => Verdict::Undecided { causes },
    };
    Ok((verdict, blockers))
}

fn not_allowed() -> Stop {
    let text = "cannot create operator: target leader is not allowed";
    refused("target_not_allowed", text)
}
