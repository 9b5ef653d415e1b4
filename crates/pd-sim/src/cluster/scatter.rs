//! Scattering: spreading the regions of a group evenly over the stores.
//!
//! PD counts, per group, where it has put peers and leaders so far, and picks at random among
//! equals. Here a region stays where it is when nowhere is better: then nothing is created.

use std::collections::BTreeMap;

use crate::cluster::Cluster;
use crate::cluster::operator::{Kind, Level, Operator};
use crate::cluster::plan::Plan;
use crate::cluster::region::{Peer, Region, Role};
use crate::cluster::store::StoreState;
use crate::errors;

/// Where regions of each group were put. A new PD leader begins anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scattered(BTreeMap<String, BTreeMap<u64, Placed>>);

#[derive(Debug, Clone, Copy, Default)]
struct Placed {
    peers: u64,
    leaders: u64,
}

impl Scattered {
    fn of(&self, group: &str, store_id: u64) -> Placed {
        self.0
            .get(group)
            .and_then(|stores| stores.get(&store_id))
            .copied()
            .unwrap_or_default()
    }

    fn count(&mut self, group: &str, peers: &[(u64, Role)], leader: u64) {
        let stores = self.0.entry(group.to_owned()).or_default();
        for (store_id, _) in peers {
            stores.entry(*store_id).or_default().peers += 1;
        }
        stores.entry(leader).or_default().leaders += 1;
    }

    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

impl Cluster {
    /// The operator that would spread a region, if it has to move; PD's words if it will not.
    pub(crate) fn scatter(
        &mut self,
        region: &Region,
        group: &str,
    ) -> Result<Option<Operator>, String> {
        let id = region.id;
        if !self.is_replicated(region) {
            return Err(format!("region {id} is not fully replicated"));
        }
        // From 8.5 on a region that has an operator is left alone.
        if self.rows().range_scheduler && self.operators.contains_key(&id) {
            return Err(format!("the operator of region {id} already exist"));
        }
        let Some(old_leader) = region.leader else {
            return Err(format!("region {id} has no leader"));
        };
        if self.is_hot(id) {
            return Err(format!("region {id} is hot"));
        }
        let peers = self.scattered_peers(region, group);
        let leader = peers
            .iter()
            .filter(|(store_id, role)| {
                *role == Role::Voter
                    && (*store_id == old_leader
                        || (self.takes_leaders(*store_id)
                            && self.rules_let_lead(region, *store_id)))
            })
            .min_by_key(|(store_id, _)| {
                let leaders = self.scattered.of(group, *store_id).leaders;
                (leaders, *store_id != old_leader, *store_id)
            })
            .map_or(old_leader, |(store_id, _)| *store_id);
        self.scattered.count(group, &peers, leader);
        let stays = region
            .peers
            .iter()
            .all(|peer| peers.iter().any(|(store_id, _)| *store_id == peer.store_id));
        if stays && leader == old_leader {
            return Ok(None);
        }
        let operator = Plan::new("scatter-region", region)
            .set_peers(&peers)
            .set_new_leader(leader)
            .build(self, Kind::ADMIN)?;
        Ok(Some(operator.at_level(Level::High)))
    }

    /// As many peers as the rules want, in the roles they want, whether well or not.
    pub(crate) fn is_replicated(&self, region: &Region) -> bool {
        if !self.config.placement_rules_are_on() {
            return region.peers.len() as u64 == self.config.max_replicas()
                && region.peers.iter().all(Peer::is_voter);
        }
        self.fit(region)
            .is_some_and(|fit| fit.is_satisfied() && fit.orphans.is_empty())
    }

    pub(crate) fn is_hot(&self, region_id: u64) -> bool {
        let threshold = self
            .config
            .limit("hot-region-cache-hits-threshold", self.now);
        self.hot
            .get(&region_id)
            .is_some_and(|hot| hot.degree >= threshold)
    }

    fn scattered_peers(&self, region: &Region, group: &str) -> Vec<(u64, Role)> {
        let mut chosen: Vec<(u64, Role)> = Vec::new();
        for peer in &region.peers {
            let is_free = |store_id: u64| {
                chosen.iter().all(|(taken, _)| *taken != store_id)
                    && (store_id == peer.store_id || region.peer_on(store_id).is_none())
            };
            let rules = self.rules_for(region).unwrap_or_default();
            let best = self
                .stores
                .values()
                .filter(|store| is_free(store.id))
                .filter(|store| {
                    store.id == peer.store_id
                        || (store.state == StoreState::Up
                            && !store.is_disconnected(self.now)
                            && self.has_room_for_a_peer(store.id)
                            && rules.iter().any(|rule| rule.allows(store)))
                })
                .min_by_key(|store| {
                    let peers = self.scattered.of(group, store.id).peers;
                    (peers, store.id != peer.store_id, store.id)
                })
                .map_or(peer.store_id, |store| store.id);
            chosen.push((best, peer.role));
        }
        chosen
    }
}

impl Cluster {
    /// Regions of a range given in hex, and how many are missing: none.
    pub(crate) fn regions_between(
        &self,
        start: &str,
        end: &str,
    ) -> Result<(Vec<Region>, usize), String> {
        let (start, end) = (errors::go_hex(start)?, errors::go_hex(end)?);
        let found: Vec<Region> = self
            .regions
            .scan_from(&start)
            .take_while(|region| end.is_empty() || *region.start_key < *end)
            .cloned()
            .collect();
        if found.is_empty() {
            return Err(errors::empty_region(self.rows()));
        }
        Ok((found, 0))
    }

    /// The regions that exist, and how many do not.
    pub(crate) fn regions_to_scatter(&self, ids: &[u64]) -> Result<(Vec<Region>, usize), String> {
        let found: Vec<Region> = ids
            .iter()
            .filter_map(|id| self.regions.get(*id))
            .cloned()
            .collect();
        match (ids, found.is_empty()) {
            ([], _) => Err(errors::empty_region(self.rows())),
            ([id], true) => Err(errors::scatter_region_missing(self.rows(), *id)),
            (_, true) => Err(errors::empty_region(self.rows())),
            _ => {
                let missing = ids.len() - found.len();
                Ok((found, missing))
            }
        }
    }

    /// Scatters regions; the percentage of those that went well.
    pub(crate) fn scatter_all(&mut self, regions: &[Region], missing: usize, group: &str) -> usize {
        let mut failed = missing;
        let mut done = 0;
        for region in regions {
            match self.scatter(region, group) {
                Err(_) => failed += 1,
                Ok(None) => done += 1,
                Ok(Some(operator)) => {
                    done += 1;
                    if !self.add_operators(vec![operator]) {
                        failed += 1;
                    }
                }
            }
        }
        if failed == 0 {
            100
        } else {
            100 - 100 * failed / (done + failed)
        }
    }
}
