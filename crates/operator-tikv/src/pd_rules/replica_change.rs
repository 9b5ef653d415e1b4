//! What PD says when a replica is moved (`transfer_peer`), added or removed, in its order.

use action_core::{Cause, Verdict};
use pd_client::regions::{Peer, PeerRole};

use crate::cluster::Tikv;
use crate::facts::region::{can_lead, in_joint_state, is_healthy, role_name};
use crate::parameters::ids::StoreId;
use crate::pd_rules::leadership::{LeaderBlockers, MayLead};
use crate::pd_rules::operator_priority::Level;
use crate::pd_rules::refusals::check_target;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::stop::{Checked, Stop, accepted_unless, nothing_to_do, refused};

/// How many reads tell what keeps leaders from stores, at most, in a plan that has read before.
const LEADER_BLOCKER_READS: usize = 4;

/// Moving a replica from one store to another.
pub(crate) async fn check_move(
    tikv: &Tikv,
    at: &RegionSnapshot,
    from: StoreId,
    to: StoreId,
) -> Checked<Verdict> {
    let peers = &at.region.peers;
    let no_peer = || refused("no_peer", format!("region has no peer in store {from}"));
    let old = at.region.peer_on(from.pd()).ok_or_else(no_peer)?;
    let target = at.store(tikv, to).await?;
    check_target(to, target.as_ref(), tikv.clock())?;
    at.check_buildable(Joint::Refused)?;
    // Its id is PD's to give; nothing here looks at it.
    let mut new = *old;
    new.store_id = to.pd();
    if let Some(there) = at.region.peer_on(to.pd()) {
        return Err(peer_exists(&new, there));
    }
    let stay = peers.iter().filter(|peer| peer.store_id != from.pd());
    let wanted: Vec<_> = stay.copied().chain([new]).collect();
    let next = at
        .check_leader_left(tikv, &wanted, LEADER_BLOCKER_READS)
        .await?;
    let accepted = at.check_change_accepted(&wanted, target.as_ref())?;
    Ok(at.led_next(next, accepted))
}

/// Adding a replica.
pub(crate) async fn check_add(
    tikv: &Tikv,
    at: &RegionSnapshot,
    to: StoreId,
    role: PeerRole,
) -> Checked<Verdict> {
    if let Some(there) = at.region.peer_on(to.pd()) {
        if there.role == role && is_healthy(&at.region, there) {
            let role = role_name(there.role);
            return Err(nothing_to_do(format!("store {to} holds a {role}")));
        }
        let text = format!("region already has peer in store {to}");
        return Err(refused("peer_exists", text));
    }
    let target = at.store(tikv, to).await?;
    check_target(to, target.as_ref(), tikv.clock())?;
    at.check_buildable(Joint::Refused)?;
    // Whoever leads goes on leading, a witness apart.
    at.check_leader_left(tikv, &at.region.peers, LEADER_BLOCKER_READS)
        .await?;
    at.check_accepted(Level::Urgent, target.as_ref())
}

/// Removing a replica.
pub(crate) async fn check_remove(
    tikv: &Tikv,
    at: &RegionSnapshot,
    from: StoreId,
) -> Checked<Verdict> {
    let peers = &at.region.peers;
    if at.region.peer_on(from.pd()).is_none() {
        let already = format!("store {from} holds no replica of the region");
        return Err(nothing_to_do(already));
    }
    at.check_buildable(Joint::Refused)?;
    let left = peers.iter().filter(|peer| peer.store_id != from.pd());
    let left: Vec<_> = left.copied().collect();
    let next = at
        .check_leader_left(tikv, &left, LEADER_BLOCKER_READS)
        .await?;
    let accepted = at.check_change_accepted(&left, None)?;
    Ok(at.led_next(next, accepted))
}

/// Whether PD works on a region that is between two sets of voters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    Allowed,
    Refused,
}

impl RegionSnapshot {
    /// Whether PD can build an operator for the region at all.
    pub(crate) fn check_buildable(&self, joint: Joint) -> Checked {
        let not_buildable = |code, why| {
            let text = format!("cannot build operator for region {why}");
            Err(refused(code, text))
        };
        let region = &self.region;
        let leads = |leader: &Peer| region.peer_on(leader.store_id).is_some();
        if !region.leader.as_ref().is_some_and(leads) {
            return not_buildable("no_leader", "with no leader");
        }
        if self.rules.as_ref().is_some_and(Vec::is_empty) {
            return not_buildable("no_rule", "match no placement rule");
        }
        if joint == Joint::Refused && region.peers.iter().any(in_joint_state) {
            return not_buildable("joint_state", "which is in joint state");
        }
        Ok(())
    }

    /// Whether one of the replicas that are to be all may lead, and which of them PD has lead; none
    /// where the leader stays. Asks what keeps leaders away in no more than `reads`.
    ///
    /// Of several PD takes the lowest store id, voters that are there before what is added
    /// (`setTargetLeaderIfNotExist` and `comparePlan` of `builder.go`, alike in 6.5 and 8.5).
    pub(crate) async fn check_leader_left(
        &self,
        tikv: &Tikv,
        target: &[Peer],
        reads: usize,
    ) -> Checked<Option<Peer>> {
        let votes = |peer: &Peer| peer.role != PeerRole::Learner;
        if !target.iter().any(votes) {
            let text = "cannot create operator: target peers have no voter";
            return Err(refused("no_voter_left", text));
        }
        let leader = self.region.leader.map(|leader| leader.store_id);
        let leads_on = |peer: &Peer| Some(peer.store_id) == leader && can_lead(peer);
        if target.iter().any(leads_on) {
            return Ok(None);
        }
        let blockers = LeaderBlockers::read(tikv, &self.config, reads).await?;
        let mut causes = Vec::new();
        let mut voters: Vec<&Peer> = target.iter().filter(|peer| can_lead(peer)).collect();
        voters.sort_by_key(|peer| (self.region.peer_on(peer.store_id).is_none(), peer.store_id));
        for peer in voters {
            let store = self.serving(peer.store_id.into());
            match blockers.lets_lead(store, self.rules.as_deref()) {
                // One before it may lead or not.
                MayLead::Yes => return Ok(causes.is_empty().then_some(*peer)),
                MayLead::No => {}
                MayLead::NotShown(unshown) => causes.extend(unshown),
            }
        }
        if !causes.is_empty() {
            return Err(Stop::Verdict(Verdict::Undecided { causes }));
        }
        Err(self.no_valid_leader(target))
    }

    /// What becomes of a change after which another replica leads: PD does not look whether that one
    /// has caught up (`allowLeader` of `builder.go`, `CheckInProgress` of `step.go`), and TiKV gives the
    /// lead to no other.
    fn led_next(&self, next: Option<Peer>, accepted: Verdict) -> Verdict {
        let lags = next.filter(|peer| !is_healthy(&self.region, peer));
        let Some(peer) = lags.filter(|_| accepted.may_be_sent()) else {
            return accepted;
        };
        let (id, region) = (peer.store_id, self.region.id);
        let is_well = |other: &&Peer| {
            let is_next = other.id == peer.id || self.leader() == Some(other.store_id.into());
            !is_next && can_lead(other) && is_healthy(&self.region, other)
        };
        let other = self.region.peers.iter().find(is_well);
        let first = other.map_or_else(String::new, |other| {
            format!("; transfer the leader to store {} first", other.store_id)
        });
        let text = format!(
            "PD would make the replica on store {id} the next leader of region {region}, but it lags or does not respond: the leader stays until that replica has caught up{first}"
        );
        accepted_unless(vec![Cause::new("next_leader_lags", text)])
    }

    /// What PD says when none of the replicas that are to be all may lead.
    fn no_valid_leader(&self, target: &[Peer]) -> Stop {
        let peers = &self.region.peers;
        let learns = |peer: &Peer| peer.role == PeerRole::Learner;
        let is_gone = |peer: &&Peer| target.iter().all(|other| other.store_id != peer.store_id);
        let was = |peer: &Peer| self.region.peer_on(peer.store_id).map(learns);
        // What becomes a voter is a change, too, and what becomes none takes a joint state.
        let is_changed = |peer: &&Peer| was(peer).is_none_or(|learned| learned && !learns(peer));
        let is_demoted = |peer: &Peer| was(peer) == Some(false) && learns(peer);
        let gone = peers.iter().filter(is_gone).count();
        let changed = gone + target.iter().filter(is_changed).count();
        // One change by itself takes no joint state, unless it leaves one replica of two.
        let joint = self.config.schedule.enable_joint_consensus != Some(false)
            && (changed > 1 || target.iter().any(is_demoted) || (gone == 1 && target.len() == 1));
        let text = if joint {
            "no valid leader"
        } else {
            "fail to build operator: plan is empty, maybe no valid leader"
        };
        refused("no_leader_left", text)
    }
}

/// What PD says when a replica is added where there is one. It prints both as Go prints them, a
/// space after each field.
fn peer_exists(new: &Peer, there: &Peer) -> Stop {
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
    refused("peer_exists", text)
}
