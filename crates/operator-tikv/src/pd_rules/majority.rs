//! Whether enough of a region's voters answer for a majority of them: without it nothing about the
//! region changes any more.

use action_core::Cause;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::stores::{Store, StoreState};

/// The voters among some replicas, and those of them that do not answer.
struct Voters<'a> {
    all: usize,
    silent: Vec<&'a Peer>,
}

impl<'a> Voters<'a> {
    /// A voter does not answer when PD does not hear of its store, or when the region's leader
    /// reports it as down. The stores are those that are not tombstones.
    fn of(peers: &'a [Peer], region: &Region, stores: &[Store]) -> Self {
        let heard = |peer: &Peer| {
            let mut stores = stores.iter();
            let store = stores.find(|store| store.id == peer.store_id);
            let states = [StoreState::Up, StoreState::Offline];
            store.is_some_and(|store| states.contains(&store.state_name))
        };
        let is_down = |peer: &Peer| {
            let mut down = region.down_peers.iter().map(|down| &down.peer);
            // One that is to be has no id yet.
            down.any(|down| (down.id, down.store_id) == (peer.id, peer.store_id))
        };
        let votes = |peer: &&Peer| peer.role != PeerRole::Learner;
        let voters = peers.iter().filter(votes);
        let silent = voters.clone().filter(|peer| !heard(peer) || is_down(peer));
        Self {
            all: voters.count(),
            silent: silent.collect(),
        }
    }

    fn are_too_few(&self) -> bool {
        !self.silent.is_empty() && 2 * self.silent.len() >= self.all
    }

    /// A tombstone does not come back.
    fn way_out(&self, stores: &[Store]) -> &'static str {
        let is_there = |peer: &&Peer| stores.iter().any(|store| store.id == peer.store_id);
        match self.silent.iter().filter(|peer| is_there(peer)).count() {
            0 => "their stores are tombstones or gone, so the region needs unsafe recovery",
            there if there == self.silent.len() => {
                "start one of these stores, or use unsafe recovery"
            }
            _ => "start one of these stores that is not a tombstone, or use unsafe recovery",
        }
    }

    fn silent_stores(&self) -> String {
        let stores = self.silent.iter().map(|peer| peer.store_id.to_string());
        stores.collect::<Vec<_>>().join(", ")
    }
}

/// That a region has lost its majority.
pub(crate) fn majority_lost(region: &Region, stores: &[Store]) -> Option<Cause> {
    let voters = Voters::of(&region.peers, region, stores);
    voters.are_too_few().then(|| {
        let text = format!(
            "{} of {} voters do not respond, because their stores send no heartbeats or the region's leader reports them as down ({}): {}",
            voters.silent.len(),
            voters.all,
            voters.silent_stores(),
            voters.way_out(stores)
        );
        Cause::new("majority_lost", text)
    })
}

/// Why a region would not keep its majority with these replicas.
pub(crate) fn majority_of_rest(rest: &[Peer], region: &Region, stores: &[Store]) -> Option<String> {
    let voters = Voters::of(rest, region, stores);
    voters.are_too_few().then(|| {
        format!(
            "the region would have {} voters, of which {} do not respond (on stores {}), and could lose its majority; PD would accept it",
            voters.all,
            voters.silent.len(),
            voters.silent_stores()
        )
    })
}
