//! A cluster read back from what a PD answered: the bodies of `GET /stores` and of a region list.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::region::{Epoch, Flow, Peer, Region, Role};
use crate::cluster::store::{Store, StoreState};
use crate::gotext::parse_human_size;

impl Cluster {
    /// Replaces stores and regions by the recorded ones.
    pub(crate) fn load(&mut self, stores: &str, regions: &str) -> Result<(), serde_json::Error> {
        let stores: RecordedStores = serde_json::from_str(stores)?;
        let regions: RecordedRegions = serde_json::from_str(regions)?;
        self.stores = stores
            .stores
            .into_iter()
            .map(|recorded| recorded.into_store(self.now))
            .map(|store| (store.id, store))
            .collect();
        // The cluster's version is that of its oldest store.
        let oldest = self
            .stores
            .values()
            .map(|store| store.version.as_str())
            .min();
        if let Some(version) = oldest {
            self.config.cluster_version = version.trim_start_matches('v').to_owned();
        }
        self.regions = regions
            .regions
            .into_iter()
            .map(RecordedRegion::into_region)
            .collect();
        let highest = self.regions.iter().flat_map(|region| {
            std::iter::once(region.id).chain(region.peers.iter().map(|peer| peer.id))
        });
        self.next_id = highest
            .chain(self.stores.keys().copied())
            .max()
            .unwrap_or(0)
            + 1;
        self.check_everything();
        Ok(())
    }
}

#[derive(Deserialize)]
struct RecordedStores {
    stores: Vec<RecordedStore>,
}

#[derive(Deserialize)]
struct RecordedStore {
    store: RecordedMeta,
    status: RecordedStatus,
}

#[derive(Deserialize)]
struct RecordedMeta {
    id: u64,
    address: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    labels: Vec<RecordedLabel>,
    #[serde(default)]
    state: u8,
    #[serde(default)]
    start_timestamp: i64,
    #[serde(default)]
    last_heartbeat: i64,
}

#[derive(Deserialize)]
struct RecordedLabel {
    key: String,
    value: String,
}

#[derive(Deserialize)]
struct RecordedStatus {
    capacity: String,
    used_size: String,
}

impl RecordedStore {
    fn into_store(self, now: Time) -> Store {
        let Self { store, status } = self;
        Store {
            address: store.address,
            version: store.version,
            labels: store
                .labels
                .into_iter()
                .map(|label| (label.key, label.value))
                .collect(),
            state: match store.state {
                1 => StoreState::Offline,
                2 => StoreState::Tombstone,
                _ => StoreState::Up,
            },
            started: Time::from_unix_seconds(store.start_timestamp),
            last_heartbeat: Time::from_unix_nanos(store.last_heartbeat),
            capacity: parse_human_size(&status.capacity).unwrap_or(0),
            used: parse_human_size(&status.used_size).unwrap_or(0),
            ..Store::new(store.id, now)
        }
    }
}

#[derive(Deserialize)]
struct RecordedRegions {
    regions: Vec<RecordedRegion>,
}

#[derive(Deserialize)]
struct RecordedRegion {
    id: u64,
    start_key: String,
    end_key: String,
    epoch: RecordedEpoch,
    peers: Vec<RecordedPeer>,
    leader: RecordedLeader,
    #[serde(default)]
    written_bytes: u64,
    #[serde(default)]
    read_bytes: u64,
    #[serde(default)]
    approximate_size: i64,
    #[serde(default)]
    approximate_keys: i64,
}

#[derive(Deserialize)]
struct RecordedEpoch {
    #[serde(default)]
    conf_ver: u64,
    #[serde(default)]
    version: u64,
}

#[derive(Deserialize)]
struct RecordedPeer {
    id: u64,
    store_id: u64,
    #[serde(default)]
    role: u8,
}

#[derive(Deserialize)]
struct RecordedLeader {
    store_id: Option<u64>,
}

impl RecordedRegion {
    fn into_region(self) -> Region {
        Region {
            id: self.id,
            start_key: self.start_key.into(),
            end_key: self.end_key.into(),
            epoch: Epoch {
                conf_ver: self.epoch.conf_ver,
                version: self.epoch.version,
            },
            peers: self
                .peers
                .into_iter()
                .map(|peer| Peer {
                    id: peer.id,
                    store_id: peer.store_id,
                    role: match peer.role {
                        1 => Role::Learner,
                        2 => Role::IncomingVoter,
                        3 => Role::DemotingVoter,
                        _ => Role::Voter,
                    },
                })
                .collect(),
            leader: self.leader.store_id,
            down: BTreeMap::new(),
            pending: Vec::new(),
            size: self.approximate_size,
            keys: self.approximate_keys,
            flow: Flow {
                written_bytes: self.written_bytes,
                read_bytes: self.read_bytes,
                ..Flow::default()
            },
        }
    }
}
