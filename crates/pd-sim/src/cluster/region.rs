//! Regions and their peers.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A key in upper-case hex. Empty is unbounded.
pub(crate) type Key = Arc<str>;

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
    pub(crate) start_key: Key,
    pub(crate) end_key: Key,
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
    pub(crate) flow: Flow,
}

/// What was written and read in the last heartbeat interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) written_bytes: u64,
    pub(crate) read_bytes: u64,
    pub(crate) written_keys: u64,
    pub(crate) read_keys: u64,
    pub(crate) write_queries: u64,
    pub(crate) read_queries: u64,
    pub(crate) cpu: u64,
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
        *key > *self.start_key && (self.end_key.is_empty() || *key < *self.end_key)
    }
}
