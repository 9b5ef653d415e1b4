//! What becomes of one region.

use pd_client::regions::{Peer, PeerRole, Region};

use crate::facts::region::role_name;
use crate::stop_safety::answer::{Loss, UnsafeRegion};
use crate::stop_safety::going::{Fate, Going};

/// So many replicas of a region are shown.
const SHOWN: usize = 16;

/// What becomes of a region that has a replica on one of the stores.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    Kept,
    Lost(UnsafeRegion),
    /// It would be kept, if it has a leader: PD knows of none.
    NoLeaderKnown,
}

/// What becomes of a region; `None` when the stores take nothing from it.
pub(super) fn judge(region: &Region, going: &Going) -> Option<Judged> {
    let goes = |peer: &&Peer| {
        going.fate(region, peer) == Fate::GoesDown && !going.is_tiflash(peer.store_id)
    };
    let mut going_down = region.peers.iter().filter(goes).peekable();
    going_down.peek()?;
    let takes_a_vote = going_down.any(votes);
    let is_down = |peer: &Peer| region.down_peers.iter().any(|down| down.peer.id == peer.id);
    let before = |peer: &Peer| {
        matches!(going.fate(region, peer), Fate::Stays | Fate::GoesDown) && !is_down(peer)
    };
    let after = |peer: &Peer| going.fate(region, peer) == Fate::Stays;
    let holds = |peer: &Peer| !peer.is_witness && !going.is_tiflash(peer.store_id);
    let may_lead = |peer: &Peer| votes(peer) && !peer.is_witness;
    let any = |is: &dyn Fn(&Peer) -> bool| region.peers.iter().any(is);
    let loss = if !any(&|peer| after(peer) && holds(peer))
        && any(&|peer| before(peer) && holds(peer))
        && !has_majority(region, before)
    {
        Loss::LastReplica
    } else if !takes_a_vote {
        return Some(Judged::Kept);
    } else if !has_majority(region, before) {
        Loss::VoterWithoutMajority
    } else if !has_majority(region, after) {
        Loss::Majority
    } else if !any(&|peer| after(peer) && may_lead(peer)) {
        Loss::LastThatMayLead
    } else if region.leader.is_none() {
        return Some(Judged::NoLeaderKnown);
    } else {
        return Some(Judged::Kept);
    };
    Some(Judged::Lost(shown(region, going, loss)))
}

fn votes(peer: &Peer) -> bool {
    peer.role != PeerRole::Learner
}

/// Whether these replicas decide: a majority of the voters, and between two sets of voters of each.
fn has_majority(region: &Region, is_there: impl Fn(&Peer) -> bool) -> bool {
    let is_decided = |has_vote: &dyn Fn(PeerRole) -> bool| {
        let voters = region.peers.iter().filter(|peer| has_vote(peer.role));
        let (mut all, mut there) = (0, 0);
        for peer in voters {
            all += 1;
            there += usize::from(is_there(peer));
        }
        2 * there > all
    };
    // A role that nobody here knows may have a vote in either, and decides nothing.
    let is_known = region
        .peers
        .iter()
        .all(|peer| !matches!(peer.role, PeerRole::Other(_)));
    is_known
        && is_decided(&|role| matches!(role, PeerRole::Voter | PeerRole::DemotingVoter))
        && is_decided(&|role| matches!(role, PeerRole::Voter | PeerRole::IncomingVoter))
}

fn shown(region: &Region, going: &Going, loses: Loss) -> UnsafeRegion {
    let voters = region.peers.iter().filter(|peer| votes(peer));
    let left = voters
        .clone()
        .filter(|peer| going.fate(region, peer) == Fate::Stays);
    let replicas = region.peers.iter().take(SHOWN).map(|peer| {
        let fate = match going.fate(region, peer) {
            Fate::Stays => "stays",
            Fate::GoesDown => "would go down",
            Fate::Gone(why) => why,
        };
        let witness = if peer.is_witness { " witness" } else { "" };
        format!(
            "store {} {}{witness}: {fate}",
            peer.store_id,
            role_name(peer.role)
        )
    });
    UnsafeRegion {
        region_id: region.id.into(),
        loses,
        voters: voters.clone().count() as u64,
        voters_left: left.count() as u64,
        replicas: replicas.collect(),
    }
}
