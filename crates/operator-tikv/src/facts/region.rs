//! What is kept of a region.

use pd_client::regions::{Peer, PeerRole, Region};
use serde::{Deserialize, Serialize};

use crate::facts::traces::{KeepsTraces, Traces};
use crate::parameters::ids::StoreId;

/// A region as it was when a plan was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegionFacts {
    /// The store that led it; `None` when PD knew of no leader.
    pub leader_store_id: Option<StoreId>,
    /// Its replicas.
    pub peers: Vec<PeerFacts>,
    /// Grows with each change of replicas.
    pub conf_ver: u64,
    /// Grows with each split and merge.
    pub version: u64,
    /// Its size, MiB.
    pub size_mib: u64,
    /// Stores of its replicas that were tombstones, or gone: none goes back there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_store_ids: Vec<StoreId>,
    /// What PD had in memory of it; `None` where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<Traces>,
}

/// A replica as it was when a plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PeerFacts {
    /// Its own id, which PD gives to no other; 0 in records that are older than it.
    #[serde(default)]
    pub id: u64,
    /// The store it was on.
    pub store_id: StoreId,
    /// Its part in the region, in PD's word.
    pub role: String,
}

impl KeepsTraces for RegionFacts {
    fn traces(&self) -> Option<&Traces> {
        self.traces.as_ref()
    }
}

impl RegionFacts {
    pub(crate) fn of(region: &Region) -> Self {
        let mut peers: Vec<PeerFacts> = region
            .peers
            .iter()
            .map(|peer| PeerFacts {
                id: peer.id.get(),
                store_id: peer.store_id.into(),
                role: role_name(peer.role),
            })
            .collect();
        peers.sort_by_key(|peer| peer.store_id);
        Self {
            leader_store_id: region.leader.map(|leader| leader.store_id.into()),
            peers,
            conf_ver: region.epoch.conf_ver,
            version: region.epoch.version,
            size_mib: u64::try_from(region.approximate_size).unwrap_or(0),
            removed_store_ids: Vec::new(),
            traces: None,
        }
    }

    /// The same, with what PD had in memory.
    pub(crate) fn with(self, traces: Traces) -> Self {
        Self {
            traces: Some(traces),
            ..self
        }
    }

    /// Why no replica goes back to a store; `None` where one may.
    pub(crate) fn no_way_back(&self, store_id: StoreId) -> Option<String> {
        self.removed_store_ids.contains(&store_id).then(|| {
            format!("store {store_id} is a tombstone or gone: no replica can return there")
        })
    }

    pub(crate) fn peer_on(&self, store_id: StoreId) -> Option<&PeerFacts> {
        self.peers.iter().find(|peer| peer.store_id == store_id)
    }

    /// Whether this very replica is there, whatever its role by now.
    pub(crate) fn has_peer(&self, id: u64) -> bool {
        self.peers.iter().any(|peer| peer.id == id)
    }

    pub(crate) fn role_on(&self, store_id: StoreId) -> Option<&str> {
        self.peer_on(store_id).map(|peer| peer.role.as_str())
    }

    /// The store that led it, as text.
    pub(crate) fn leader_text(&self) -> Option<String> {
        self.leader_store_id.map(|id| id.to_string())
    }

    /// The replicas' own ids, by store.
    pub(crate) fn peer_ids(&self) -> Vec<u64> {
        self.peers.iter().map(|peer| peer.id).collect()
    }

    /// The replicas as text, such as `store 1 Voter, store 4 Learner`.
    pub(crate) fn peers_text(&self) -> String {
        let peers = self.peers.iter();
        let peers: Vec<_> = peers
            .map(|peer| format!("store {} {}", peer.store_id, peer.role))
            .collect();
        peers.join(", ")
    }
}

/// A role in PD's word.
pub(crate) fn role_name(role: PeerRole) -> String {
    match role {
        PeerRole::Voter => "Voter".to_owned(),
        PeerRole::Learner => "Learner".to_owned(),
        PeerRole::IncomingVoter => "IncomingVoter".to_owned(),
        PeerRole::DemotingVoter => "DemotingVoter".to_owned(),
        PeerRole::Other(number) => format!("role {number}"),
        _ => "unknown role".to_owned(),
    }
}

/// Whether a replica is between two sets of voters.
pub(crate) fn in_joint_state(peer: &Peer) -> bool {
    matches!(peer.role, PeerRole::IncomingVoter | PeerRole::DemotingVoter)
}

/// Whether a store holds a replica that answers and keeps up.
pub(crate) fn is_healthy_on(region: &Region, store_id: StoreId) -> bool {
    let peer = region.peer_on(store_id.pd());
    peer.is_some_and(|peer| is_healthy(region, peer))
}

/// Whether a replica answers and keeps up.
pub(crate) fn is_healthy(region: &Region, peer: &Peer) -> bool {
    region
        .pending_peers
        .iter()
        .all(|pending| pending.id != peer.id)
        && region.down_peers.iter().all(|down| down.peer.id != peer.id)
}

/// Whether a replica's role lets it lead.
pub(crate) fn can_lead(peer: &Peer) -> bool {
    matches!(peer.role, PeerRole::Voter | PeerRole::IncomingVoter) && !peer.is_witness
}

/// Replicas as text, such as `store 1 Voter, store 4 Learner`.
pub(crate) fn named_peers(peers: &[&Peer]) -> String {
    let texts: Vec<String> = peers
        .iter()
        .take(16)
        .map(|peer| format!("store {} {}", peer.store_id, role_name(peer.role)))
        .collect();
    texts.join(", ")
}
