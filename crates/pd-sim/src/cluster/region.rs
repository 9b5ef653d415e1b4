//! Regions, their peers, and the index over their keys.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Bound;

/// What a peer is in its Raft group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Votes.
    Voter,
    /// Follows without a vote.
    Learner,
    /// Becomes a voter when the joint state is left.
    IncomingVoter,
    /// Becomes a learner when the joint state is left.
    DemotingVoter,
}

/// One replica of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Id of the replica itself.
    pub id: u64,
    /// Store that holds it.
    pub store_id: u64,
    /// What it is in the Raft group.
    pub role: Role,
}

impl Peer {
    /// Whether PD lists the peer among the voters; only learners are not.
    pub(crate) fn is_voter(&self) -> bool {
        self.role != Role::Learner
    }

    pub(crate) fn in_joint_state(&self) -> bool {
        matches!(self.role, Role::IncomingVoter | Role::DemotingVoter)
    }
}

/// A region's epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Grows with every change of the peers.
    pub conf_ver: u64,
    /// Grows with every split and merge.
    pub version: u64,
}

/// What makes a region hot: rates per second, and for how many intervals already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HotFlow {
    /// Read, rather than written.
    pub is_read: bool,
    /// Bytes per second.
    pub bytes: u64,
    /// Keys per second.
    pub keys: u64,
    /// Queries per second.
    pub queries: u64,
    /// `hot_degree`: grows for as long as the region stays hot.
    pub degree: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub(crate) id: u64,
    /// Upper-case hex; empty is unbounded.
    pub(crate) start_key: String,
    pub(crate) end_key: String,
    pub(crate) epoch: Epoch,
    pub(crate) peers: Vec<Peer>,
    /// Store of the leader; `None` when PD knows of none.
    pub(crate) leader: Option<u64>,
    /// Stores whose peer is down, and for how many seconds.
    pub(crate) down: BTreeMap<u64, u64>,
    /// Stores whose peer has not caught up.
    pub(crate) pending: Vec<u64>,
    /// MiB.
    pub(crate) size: i64,
    pub(crate) keys: i64,
    pub(crate) written_bytes: u64,
    pub(crate) read_bytes: u64,
}

impl Region {
    pub(crate) fn peer_on(&self, store_id: u64) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.store_id == store_id)
    }

    pub(crate) fn peer_on_mut(&mut self, store_id: u64) -> Option<&mut Peer> {
        self.peers.iter_mut().find(|peer| peer.store_id == store_id)
    }

    pub(crate) fn voter_on(&self, store_id: u64) -> Option<&Peer> {
        self.peer_on(store_id).filter(|peer| peer.is_voter())
    }

    pub(crate) fn leader_peer(&self) -> Option<&Peer> {
        self.leader.and_then(|store_id| self.peer_on(store_id))
    }

    pub(crate) fn in_joint_state(&self) -> bool {
        self.peers.iter().any(Peer::in_joint_state)
    }

    pub(crate) fn is_unhealthy_on(&self, store_id: u64) -> bool {
        self.pending.contains(&store_id) || self.down.contains_key(&store_id)
    }

    /// Nothing pending, nothing down.
    pub(crate) fn is_healthy(&self) -> bool {
        self.pending.is_empty() && self.down.is_empty()
    }

    pub(crate) fn remove_peer_on(&mut self, store_id: u64) {
        self.peers.retain(|peer| peer.store_id != store_id);
        self.pending.retain(|pending| *pending != store_id);
        self.down.remove(&store_id);
        if self.leader == Some(store_id) {
            self.leader = None;
        }
    }

    /// Whether `key` lies strictly inside, so that a split there would cut something off.
    pub(crate) fn strictly_contains(&self, key: &str) -> bool {
        key > self.start_key.as_str() && (self.end_key.is_empty() || key < self.end_key.as_str())
    }
}

/// All regions, found by id or by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Regions {
    by_id: BTreeMap<u64, Region>,
    by_start_key: BTreeMap<String, u64>,
    /// What stores hold, counted when asked for and forgotten with every change.
    holdings: OnceCell<BTreeMap<u64, Holdings>>,
}

/// What a store holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Holdings {
    pub(crate) leaders: u64,
    pub(crate) leader_size: i64,
    pub(crate) regions: u64,
    pub(crate) region_size: i64,
    pub(crate) learners: u64,
    pub(crate) pending: u64,
}

impl Regions {
    pub(crate) fn insert(&mut self, region: Region) {
        self.holdings.take();
        self.by_start_key
            .insert(region.start_key.clone(), region.id);
        self.by_id.insert(region.id, region);
    }

    pub(crate) fn remove(&mut self, region_id: u64) -> Option<Region> {
        self.holdings.take();
        let region = self.by_id.remove(&region_id)?;
        if self.by_start_key.get(&region.start_key) == Some(&region_id) {
            self.by_start_key.remove(&region.start_key);
        }
        Some(region)
    }

    pub(crate) fn get(&self, region_id: u64) -> Option<&Region> {
        self.by_id.get(&region_id)
    }

    /// For changes that leave the keys alone; take out and insert again to change those.
    pub(crate) fn get_mut(&mut self, region_id: u64) -> Option<&mut Region> {
        self.holdings.take();
        self.by_id.get_mut(&region_id)
    }

    /// What a store holds.
    pub(crate) fn held_by(&self, store_id: u64) -> Holdings {
        self.holdings().get(&store_id).copied().unwrap_or_default()
    }

    /// What all stores hold; stores that hold nothing are missing.
    pub(crate) fn holdings(&self) -> &BTreeMap<u64, Holdings> {
        self.holdings.get_or_init(|| {
            let mut all: BTreeMap<u64, Holdings> = BTreeMap::new();
            for region in self.by_id.values() {
                for peer in &region.peers {
                    let held = all.entry(peer.store_id).or_default();
                    held.regions += 1;
                    held.region_size += region.size;
                    held.learners += u64::from(!peer.is_voter());
                    held.pending += u64::from(region.pending.contains(&peer.store_id));
                    if region.leader == Some(peer.store_id) {
                        held.leaders += 1;
                        held.leader_size += region.size;
                    }
                }
            }
            all
        })
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
            .map(|(start, _)| start.clone())
            .unwrap_or_default();
        self.by_start_key
            .range(first..)
            .filter_map(|(_, id)| self.by_id.get(id))
    }

    /// The neighbours in key order: left, right.
    pub(crate) fn siblings(&self, region: &Region) -> (Option<&Region>, Option<&Region>) {
        let left = self
            .by_start_key
            .range::<str, _>((Bound::Unbounded, Bound::Excluded(region.start_key.as_str())))
            .next_back();
        let right = (!region.end_key.is_empty())
            .then(|| self.by_start_key.get_key_value(&region.end_key))
            .flatten();
        let find = |found: Option<(&String, &u64)>| found.and_then(|(_, id)| self.by_id.get(id));
        (find(left), find(right))
    }
}
