//! Looking at the cluster directly, past the API.

use crate::cluster::region::{Epoch, Peer};
use crate::sim::Sim;

/// What a region was at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegionState {
    /// The store that led it.
    pub leader: Option<u64>,
    /// Its peers.
    pub peers: Vec<Peer>,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its first key in hex.
    pub start_key: String,
    /// The key after its last in hex, empty when unbounded.
    pub end_key: String,
}

impl Sim {
    /// Ids of all regions.
    pub fn region_ids(&self) -> Vec<u64> {
        self.with(|cluster| cluster.regions.ids().collect())
    }

    /// The store that leads a region.
    pub fn leader_of(&self, region_id: u64) -> Option<u64> {
        self.with(|cluster| cluster.true_leader(region_id))
    }

    /// A region's peers, oldest first; none if there is no such region.
    pub fn peers(&self, region_id: u64) -> Vec<Peer> {
        self.with(|cluster| {
            cluster
                .regions
                .get(region_id)
                .map(|region| region.peers.clone())
                .unwrap_or_default()
        })
    }

    /// A region's epoch.
    pub fn epoch(&self, region_id: u64) -> Option<Epoch> {
        self.with(|cluster| Some(cluster.regions.get(region_id)?.epoch))
    }

    /// From now on every state of every region is kept, and every operator that ends.
    pub fn keep_history(&self) {
        self.with(|cluster| {
            cluster.regions.keep_history();
            cluster.ended = Some(Vec::new());
        });
    }

    /// The states a region was in since [`keep_history`](Self::keep_history), the oldest first.
    pub fn history(&self, region_id: u64) -> Vec<RegionState> {
        self.with(|cluster| {
            let states = cluster.regions.history_of(region_id);
            states
                .map(|region| RegionState {
                    leader: region.leader,
                    peers: region.peers.clone(),
                    epoch: region.epoch,
                    start_key: region.start_key.to_string(),
                    end_key: region.end_key.to_string(),
                })
                .collect()
        })
    }

    /// The operators that ended since [`keep_history`](Self::keep_history), on all regions and also
    /// after PD forgot them, as `GET /operators/{region_id}` told of them.
    pub fn ended_operators(&self) -> Vec<String> {
        self.with(|cluster| {
            let (rows, start) = (cluster.rows(), cluster.process_start);
            let ended = cluster.ended.iter().flatten();
            ended
                .map(|operator| operator.status_text(rows, start))
                .collect()
        })
    }

    /// How many regions a store leads.
    pub fn leader_count(&self, store_id: u64) -> u64 {
        self.with(|cluster| {
            cluster.regions.held_by(store_id).leaders + cluster.unheard_leaders(store_id)
        })
    }

    /// How many regions have a peer on a store.
    pub fn region_count(&self, store_id: u64) -> u64 {
        self.with(|cluster| cluster.regions.held_by(store_id).regions)
    }

    /// A store's `state_name`.
    pub fn state_name(&self, store_id: u64) -> Option<&'static str> {
        self.with(|cluster| {
            let max_down_time = cluster.config.duration("max-store-down-time");
            let store = cluster.stores.get(&store_id)?;
            Some(store.state_name(cluster.now, max_down_time))
        })
    }

    /// Stores that are being drained of leaders.
    pub fn evicting(&self) -> Vec<u64> {
        self.with(|cluster| cluster.schedulers.evicting.iter().copied().collect())
    }

    /// Text of the operator that runs on a region.
    pub fn operator(&self, region_id: u64) -> Option<String> {
        self.with(|cluster| {
            let operator = cluster.operators.get(&region_id)?;
            Some(operator.text(cluster.rows(), cluster.process_start))
        })
    }

    /// Texts of all running operators, by region.
    pub fn operators(&self) -> Vec<String> {
        self.with(|cluster| {
            cluster
                .operators
                .values()
                .map(|operator| operator.text(cluster.rows(), cluster.process_start))
                .collect()
        })
    }

    /// What `GET /operators/{region_id}` says: the running operator, else the last that ended.
    pub fn operator_status(&self, region_id: u64) -> Option<String> {
        self.with(|cluster| {
            let operator = cluster.operator_of(region_id)?;
            Some(operator.status_text(cluster.rows(), cluster.process_start))
        })
    }

    /// The limit in force: a temporary value if there is one, else the stored one.
    pub fn limit_in_force(&self, name: &str) -> u64 {
        self.with(|cluster| cluster.config.limit(name, cluster.now))
    }
}
