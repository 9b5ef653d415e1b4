//! All regions, with what it takes to find them: by id, by key, by store.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::cluster::region::{Key, Region};

/// All regions.
///
/// What stores hold is kept up to date with every change, so that nothing has to visit them all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Regions {
    by_id: BTreeMap<u64, Region>,
    by_start_key: BTreeMap<Key, u64>,
    held: BTreeMap<u64, Held>,
    /// Every state that a region was in, if anybody wants to know.
    history: Option<Vec<Region>>,
}

/// What a store holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) leaders: u64,
    pub(crate) leader_size: i64,
    pub(crate) regions: u64,
    pub(crate) region_size: i64,
    pub(crate) learners: u64,
    pub(crate) pending: u64,
}

#[derive(Debug, Clone, Default)]
struct Held {
    sums: Holdings,
    peers: BTreeSet<u64>,
    led: BTreeSet<u64>,
}

impl Regions {
    pub(crate) fn insert(&mut self, region: Region) {
        enter(&mut self.held, &region);
        if let Some(history) = &mut self.history {
            history.push(region.clone());
        }
        self.by_start_key
            .insert(region.start_key.clone(), region.id);
        self.by_id.insert(region.id, region);
    }

    pub(crate) fn remove(&mut self, region_id: u64) -> Option<Region> {
        let region = self.by_id.remove(&region_id)?;
        leave(&mut self.held, &region);
        if self.by_start_key.get(&region.start_key) == Some(&region_id) {
            self.by_start_key.remove(&region.start_key);
        }
        Some(region)
    }

    pub(crate) fn get(&self, region_id: u64) -> Option<&Region> {
        self.by_id.get(&region_id)
    }

    /// For changes that leave the keys alone; take out and insert again to change those.
    pub(crate) fn change<R>(
        &mut self,
        region_id: u64,
        change: impl FnOnce(&mut Region) -> R,
    ) -> Option<R> {
        let region = self.by_id.get_mut(&region_id)?;
        leave(&mut self.held, region);
        let result = change(region);
        enter(&mut self.held, region);
        if let Some(history) = &mut self.history {
            history.push(region.clone());
        }
        Some(result)
    }

    /// From now on every state of a region is kept.
    pub(crate) fn keep_history(&mut self) {
        self.history = Some(self.by_id.values().cloned().collect());
    }

    /// The states that a region was in, the oldest first.
    pub(crate) fn history_of(&self, region_id: u64) -> impl Iterator<Item = &Region> {
        let all = self.history.iter().flatten();
        all.filter(move |region| region.id == region_id)
    }

    /// What a store holds.
    pub(crate) fn held_by(&self, store_id: u64) -> Holdings {
        self.held
            .get(&store_id)
            .map(|held| held.sums)
            .unwrap_or_default()
    }

    /// What all stores hold.
    pub(crate) fn holdings(&self) -> impl Iterator<Item = (u64, Holdings)> {
        self.held
            .iter()
            .map(|(store_id, held)| (*store_id, held.sums))
    }

    /// Regions with a peer on the store.
    pub(crate) fn on(&self, store_id: u64) -> impl Iterator<Item = &Region> {
        let ids = self.held.get(&store_id).map(|held| &held.peers);
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.by_id.get(id))
    }

    /// Regions the store leads.
    pub(crate) fn led_by(&self, store_id: u64) -> impl Iterator<Item = &Region> {
        let ids = self.held.get(&store_id).map(|held| &held.led);
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.by_id.get(id))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> {
        self.by_id.keys().copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Region> {
        self.by_id.values()
    }

    /// Regions in key order, beginning with the one that holds `key`.
    pub(crate) fn scan_from<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a Region> + use<'a> {
        let first = self
            .by_start_key
            .range::<str, _>((Bound::Unbounded, Bound::Included(key)))
            .next_back()
            .map_or_else(|| Key::from(""), |(start, _)| start.clone());
        self.by_start_key
            .range(first..)
            .filter_map(|(_, id)| self.by_id.get(id))
    }
}

/// Many at once take less room than one by one.
impl FromIterator<Region> for Regions {
    fn from_iter<I: IntoIterator<Item = Region>>(regions: I) -> Self {
        let by_id: BTreeMap<u64, Region> = regions
            .into_iter()
            .map(|region| (region.id, region))
            .collect();
        let by_start_key = by_id
            .values()
            .map(|region| (region.start_key.clone(), region.id))
            .collect();
        let mut stores: BTreeMap<u64, (Holdings, Vec<u64>, Vec<u64>)> = BTreeMap::new();
        for region in by_id.values() {
            for (store_id, share) in shares(region) {
                let (sums, peers, led) = stores.entry(store_id).or_default();
                sums.add(share);
                peers.push(region.id);
                led.extend((share.leaders > 0).then_some(region.id));
            }
        }
        let held = stores
            .into_iter()
            .map(|(store_id, (sums, peers, led))| {
                let held = Held {
                    sums,
                    peers: peers.into_iter().collect(),
                    led: led.into_iter().collect(),
                };
                (store_id, held)
            })
            .collect();
        Self {
            by_id,
            by_start_key,
            held,
            history: None,
        }
    }
}

impl Holdings {
    fn add(&mut self, share: Self) {
        self.leaders += share.leaders;
        self.leader_size += share.leader_size;
        self.regions += share.regions;
        self.region_size += share.region_size;
        self.learners += share.learners;
        self.pending += share.pending;
    }

    fn subtract(&mut self, share: Self) {
        self.leaders -= share.leaders;
        self.leader_size -= share.leader_size;
        self.regions -= share.regions;
        self.region_size -= share.region_size;
        self.learners -= share.learners;
        self.pending -= share.pending;
    }
}

/// What one region adds to each of its stores.
fn shares(region: &Region) -> impl Iterator<Item = (u64, Holdings)> {
    region.peers.iter().map(|peer| {
        let leads = region.leader == Some(peer.store_id);
        let share = Holdings {
            leaders: u64::from(leads),
            leader_size: if leads { region.size } else { 0 },
            regions: 1,
            region_size: region.size,
            learners: u64::from(!peer.is_voter()),
            pending: u64::from(region.pending.contains(&peer.store_id)),
        };
        (peer.store_id, share)
    })
}

fn enter(stores: &mut BTreeMap<u64, Held>, region: &Region) {
    for (store_id, share) in shares(region) {
        let held = stores.entry(store_id).or_default();
        held.sums.add(share);
        held.peers.insert(region.id);
        if share.leaders > 0 {
            held.led.insert(region.id);
        }
    }
}

fn leave(stores: &mut BTreeMap<u64, Held>, region: &Region) {
    for (store_id, share) in shares(region) {
        let Some(held) = stores.get_mut(&store_id) else {
            continue;
        };
        held.sums.subtract(share);
        held.peers.remove(&region.id);
        held.led.remove(&region.id);
        if held.peers.is_empty() {
            stores.remove(&store_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::region::{Epoch, Peer, Role};

    fn region(id: u64, leader: u64, stores: &[u64]) -> Region {
        Region {
            id,
            start_key: format!("{id:02}").into(),
            end_key: format!("{:02}", id + 1).into(),
            epoch: Epoch {
                conf_ver: 1,
                version: 1,
            },
            peers: stores
                .iter()
                .map(|store_id| Peer {
                    id: id * 100 + store_id,
                    store_id: *store_id,
                    role: Role::Voter,
                })
                .collect(),
            leader: Some(leader),
            down: BTreeMap::new(),
            pending: Vec::new(),
            size: 10,
            keys: 100,
            flow: Default::default(),
        }
    }

    #[test]
    fn sums_follow_every_change() {
        let all = [region(1, 1, &[1, 2]), region(2, 2, &[2, 3])];
        let mut regions: Regions = all.iter().cloned().collect();
        regions.change(1, |region| region.leader = Some(2));
        regions.change(2, |region| region.remove_peer_on(3));
        regions.insert(region(3, 3, &[3]));
        let again: Regions = regions.iter().cloned().collect();
        assert_eq!(
            regions.holdings().collect::<Vec<_>>(),
            again.holdings().collect::<Vec<_>>()
        );
        assert_eq!(regions.held_by(2).leader_size, 20);
        let ids = |found: &mut dyn Iterator<Item = &Region>| -> Vec<u64> {
            found.map(|region| region.id).collect()
        };
        assert_eq!(ids(&mut regions.led_by(2)), [1, 2]);
        assert_eq!(ids(&mut regions.on(3)), [3]);
        regions.remove(3);
        assert_eq!(regions.held_by(3), Holdings::default());
    }
}
