//! What PD says to a change of a region's replicas.

use action_core::Verdict;
use pd_client::config::Config;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::rules::Rule;

use crate::facts::region::{can_lead, in_joint_state, role_name};
use crate::pd_rules::leadership::MayLead;
use crate::pd_rules::refusals::rejected;

/// What PD says to a region it cannot work on.
pub(crate) fn not_buildable(
    region: &Region,
    rules: Option<&[Rule]>,
    may_be_joint: bool,
) -> Option<Verdict> {
    let leads = region
        .leader
        .is_some_and(|leader| region.peer_on(leader.store_id).is_some());
    if !leads {
        let text = "cannot build operator for region with no leader";
        return Some(rejected("no_leader", text));
    }
    if rules.is_some_and(<[Rule]>::is_empty) {
        let text = "cannot build operator for region match no placement rule";
        return Some(rejected("no_rule", text));
    }
    if !may_be_joint && region.peers.iter().any(in_joint_state) {
        let text = "cannot build operator for region which is in joint state";
        return Some(rejected("joint_state", text));
    }
    None
}

/// What PD says when a replica is added where there is one. It prints both as Go prints them, a
/// space after each field.
pub(crate) fn peer_exists(new: &Peer, there: &Peer) -> Verdict {
    let fields = |peer: &Peer| {
        let role = match peer.role {
            PeerRole::Voter => String::new(),
            role => format!("role:{} ", role_name(role)),
        };
        let witness = if peer.is_witness {
            "is_witness:true "
        } else {
            ""
        };
        format!("store_id:{} {role}{witness}", peer.store_id)
    };
    let text = format!(
        "cannot add peer {}: already have peer id:{} {}",
        fields(new),
        there.id,
        fields(there)
    );
    rejected("peer_exists", text)
}

/// What PD says when the leader's replica goes and none of those left may lead.
pub(crate) fn no_valid_leader(
    region: &Region,
    target: &[Peer],
    config: &Config,
    may_lead: impl Fn(&Peer) -> MayLead,
) -> Option<Verdict> {
    let mut not_shown = Vec::new();
    for peer in target.iter().filter(|peer| can_lead(peer)) {
        match may_lead(peer) {
            MayLead::Yes => return None,
            MayLead::No => {}
            MayLead::NotShown(causes) => not_shown.extend(causes),
        }
    }
    if !not_shown.is_empty() {
        return Some(Verdict::Undecided { causes: not_shown });
    }
    let changed = region
        .peers
        .iter()
        .filter(|peer| target.iter().all(|other| other.store_id != peer.store_id))
        .count()
        + target
            .iter()
            .filter(|peer| region.peer_on(peer.store_id).is_none())
            .count();
    // One change by itself takes no joint state, unless it leaves one replica of two.
    let joint = config.schedule.enable_joint_consensus != Some(false)
        && (changed > 1 || (target.len() == 1 && region.peers.len() == 2));
    let text = if joint {
        "no valid leader"
    } else {
        "fail to build operator: plan is empty, maybe no valid leader"
    };
    Some(rejected("no_leader_left", text))
}
