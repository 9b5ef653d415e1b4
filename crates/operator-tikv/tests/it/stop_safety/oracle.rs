//! What would be lost, by counting: every region of the simulator, one by one, knowing nothing of
//! how the subject counts.

use std::collections::BTreeSet;

use pd_sim::{Role, Sim};

/// What the test has done to a cluster.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) silent: BTreeSet<u64>,
    pub(super) offline: BTreeSet<u64>,
    pub(super) drained: BTreeSet<u64>,
    pub(super) tiflash: BTreeSet<u64>,
    /// Replicas that are down or pending: region and store.
    pub(super) unwell: BTreeSet<(u64, u64)>,
    /// Those of them that their leaders call down.
    pub(super) down: BTreeSet<(u64, u64)>,
}

/// The regions that would lose their majority, or have none and lose more.
pub(super) fn lost(sim: &Sim, done: &Done, asked: &[u64]) -> BTreeSet<u64> {
    let ids = sim.region_ids().into_iter();
    ids.filter(|id| is_lost(sim, done, asked, *id)).collect()
}

fn is_lost(sim: &Sim, done: &Done, asked: &[u64], id: u64) -> bool {
    let (mut goes, mut goes_with_vote) = (false, false);
    // Of the old and the new set of voters: how many there are, serve now, and serve then.
    let mut sets = [[0; 3]; 2];
    let (mut data_now, mut data_then) = (0, 0);
    for peer in sim.peers(id) {
        let store = peer.store_id;
        let is_asked = asked.contains(&store);
        let leaves = done.offline.contains(&store) || done.drained.contains(&store);
        let silent = done.silent.contains(&store);
        let serves = match is_asked {
            // One that lags votes as long as its store is there, and PD may not hear of a store
            // that is.
            true => !(silent && done.down.contains(&(id, store))),
            false => !(silent || leaves || done.unwell.contains(&(id, store))),
        };
        let stays = serves && !is_asked;
        let places = match peer.role {
            Role::Voter => &[0, 1][..],
            Role::DemotingVoter => &[0],
            Role::IncomingVoter => &[1],
            _ => &[],
        };
        for place in places {
            sets[*place][0] += 1;
            sets[*place][1] += u32::from(serves);
            sets[*place][2] += u32::from(stays);
        }
        let is_row_store = !done.tiflash.contains(&store);
        data_now += u32::from(serves && is_row_store);
        data_then += u32::from(stays && is_row_store);
        if serves && is_asked && is_row_store {
            goes = true;
            goes_with_vote |= peer.role != Role::Learner;
        }
    }
    let works = |at: usize| sets.iter().all(|set| set[at] > set[0] / 2);
    let loses_majority = goes_with_vote && !works(2);
    let loses_last = goes && !works(1) && data_now > 0 && data_then == 0;
    loses_majority || loses_last
}
