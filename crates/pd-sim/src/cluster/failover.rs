//! What the other stores notice when one is silent: they elect new leaders and report down peers.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::cluster::region::Region;

/// A Raft group elects a new leader after about this long.
const ELECTION: Duration = Duration::from_secs(20);
/// A leader reports a peer as down after this long.
const DOWN_PEER: Duration = Duration::from_secs(600);

impl Cluster {
    /// The live stores' reaction to the silent ones, as region heartbeats tell PD.
    pub(super) fn notice_silence(&mut self) {
        let silent = |cluster: &Self, limit: Duration| -> BTreeSet<u64> {
            cluster
                .stores
                .values()
                .filter(|store| store.stuck && store.down_time(cluster.now) > limit)
                .map(|store| store.id)
                .collect()
        };
        let (leaderless, down) = (silent(self, ELECTION), silent(self, DOWN_PEER));
        let recovered: BTreeSet<u64> = self.silent.difference(&down).copied().collect();
        if leaderless.is_empty() && recovered.is_empty() {
            return;
        }
        let concerned: BTreeSet<u64> = leaderless
            .iter()
            .chain(&recovered)
            .flat_map(|store_id| self.regions.on(*store_id))
            .map(|region| region.id)
            .collect();
        let changed: Vec<Region> = concerned
            .into_iter()
            .filter_map(|region_id| self.regions.get(region_id))
            .filter_map(|region| self.as_survivors_see(region, &leaderless, &down, &recovered))
            .collect();
        for seen in changed {
            let region_id = seen.id;
            self.regions.change(region_id, |region| {
                region.leader = seen.leader;
                region.down = seen.down;
            });
            self.region_heartbeat(region_id);
        }
        self.silent = down;
    }

    /// The region as its living peers report it; `None` if nothing is new.
    fn as_survivors_see(
        &self,
        region: &Region,
        leaderless: &BTreeSet<u64>,
        down: &BTreeSet<u64>,
        recovered: &BTreeSet<u64>,
    ) -> Option<Region> {
        let voters = region.peers.iter().filter(|peer| peer.is_voter()).count();
        let mut alive = region
            .peers
            .iter()
            .filter(|peer| peer.is_voter() && !leaderless.contains(&peer.store_id))
            .map(|peer| peer.store_id);
        let first_alive = alive.next()?;
        let has_quorum = 2 * (1 + alive.count()) > voters;
        let mut seen = region.clone();
        if region
            .leader
            .is_some_and(|leader| leaderless.contains(&leader))
        {
            if !has_quorum {
                return None;
            }
            seen.leader = Some(first_alive);
        }
        for peer in &region.peers {
            let Some(store) = self.stores.get(&peer.store_id) else {
                continue;
            };
            if down.contains(&store.id) {
                let seconds = store.down_time(self.now).as_secs();
                seen.down.insert(store.id, seconds);
            } else if recovered.contains(&store.id) {
                seen.down.remove(&store.id);
            }
        }
        (seen.leader != region.leader || seen.down != region.down).then_some(seen)
    }
}
