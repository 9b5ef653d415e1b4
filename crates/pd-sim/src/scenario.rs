//! Test set-up: states a test wants and PD's API does not give.

use std::time::Duration;

use serde_json::Value as Json;

use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::operator::{Kind, Level, Operator};
use crate::cluster::plan::Plan;
use crate::cluster::region::{HotFlow, Peer, Region, Role};
use crate::cluster::step::SplitPolicy;
use crate::cluster::store::StoreState;
use crate::sim::Sim;

/// An operator that somebody else has PD run.
#[derive(Debug, Clone)]
pub struct ForeignOperator {
    desc: String,
    region_id: u64,
    change: Change,
    is_admin: bool,
}

#[derive(Debug, Clone)]
enum Change {
    TransferLeader { to: u64 },
    MovePeer { from: u64, to: u64 },
    AddPeer { to: u64, role: Role },
    RemovePeer { from: u64 },
    Split { keys: Vec<String> },
}

impl ForeignOperator {
    /// A leader transfer, such as balance-leader makes.
    pub fn transfer_leader(desc: &str, region_id: u64, to: u64) -> Self {
        Self::new(desc, region_id, Change::TransferLeader { to })
    }

    /// A peer's move, such as balance-region makes.
    pub fn move_peer(desc: &str, region_id: u64, from: u64, to: u64) -> Self {
        Self::new(desc, region_id, Change::MovePeer { from, to })
    }

    /// A peer more, such as the rule checker makes.
    pub fn add_peer(desc: &str, region_id: u64, to: u64, role: Role) -> Self {
        Self::new(desc, region_id, Change::AddPeer { to, role })
    }

    /// A peer less, such as the rule checker makes.
    pub fn remove_peer(desc: &str, region_id: u64, from: u64) -> Self {
        Self::new(desc, region_id, Change::RemovePeer { from })
    }

    /// A split at keys in hex, such as the labeler makes.
    pub fn split<'a>(desc: &str, region_id: u64, keys: impl IntoIterator<Item = &'a str>) -> Self {
        let keys = keys.into_iter().map(str::to_ascii_uppercase).collect();
        Self::new(desc, region_id, Change::Split { keys })
    }

    /// An administrator's: nothing displaces it.
    #[must_use]
    pub fn admin(mut self) -> Self {
        self.is_admin = true;
        self
    }

    fn new(desc: &str, region_id: u64, change: Change) -> Self {
        Self {
            desc: desc.to_owned(),
            region_id,
            change,
            is_admin: false,
        }
    }

    fn build(self, cluster: &mut Cluster) -> Result<Operator, String> {
        let Some(region) = cluster.regions.get(self.region_id).cloned() else {
            return Err(format!("region {} not found", self.region_id));
        };
        let admin = if self.is_admin {
            Kind::ADMIN
        } else {
            Kind::NONE
        };
        let plan = Plan::new(&self.desc, &region);
        let mut operator = match self.change {
            Change::TransferLeader { to } => {
                plan.set_leader(to).build(cluster, admin.with(Kind::LEADER))
            }
            Change::MovePeer { from, to } => {
                let role = region.peer_on(from).map_or(Role::Voter, |peer| peer.role);
                plan.remove_peer(from)
                    .add_peer(to, role)
                    .build(cluster, admin)
            }
            Change::AddPeer { to, role } => plan.add_peer(to, role).build(cluster, admin),
            Change::RemovePeer { from } => plan.remove_peer(from).build(cluster, admin),
            Change::Split { keys } => {
                let policy = SplitPolicy::UseKey;
                Ok(cluster.split_operator(&self.desc, &region, admin, policy, keys))
            }
        }?;
        let level = if self.is_admin {
            Level::Urgent
        } else {
            Level::Medium
        };
        operator.ignores_store_limits = true;
        Ok(operator.at_level(level))
    }
}

impl Sim {
    /// Has PD run somebody else's operator.
    ///
    /// # Errors
    ///
    /// PD's words, when it would not make such an operator or the region has one already.
    pub fn insert_operator(&self, operator: ForeignOperator) -> Result<(), String> {
        self.with(|cluster| {
            let operator = operator.build(cluster)?;
            if cluster.add_operators(vec![operator]) {
                Ok(())
            } else {
                Err(crate::errors::add_operator(cluster.rows()))
            }
        })
    }

    /// Makes a store lead a region at once; `0` leaves the region without a leader.
    pub fn set_leader(&self, region_id: u64, store_id: u64) {
        self.with(|cluster| {
            cluster.lead(region_id, (store_id != 0).then_some(store_id));
            cluster.region_heartbeat(region_id);
        });
    }

    /// Adds a peer at once.
    pub fn add_peer(&self, region_id: u64, store_id: u64, role: Role) {
        let id = self.with(Cluster::allocate_id);
        self.region(region_id, |region| {
            region.peers.push(Peer { id, store_id, role });
            region.epoch.conf_ver += 1;
        });
    }

    /// Removes a peer at once.
    pub fn remove_peer(&self, region_id: u64, store_id: u64) {
        self.region(region_id, |region| {
            region.remove_peer_on(store_id);
            region.epoch.conf_ver += 1;
        });
    }

    /// TiKV splits a region at a key in hex by itself, as one that has grown: by no operator.
    pub fn split(&self, region_id: u64, key: &str) {
        self.with(|cluster| {
            cluster.split_region(region_id, vec![key.to_owned()]);
            cluster.region_heartbeat(region_id);
        });
    }

    /// Says that a peer has not caught up, or has.
    pub fn set_pending(&self, region_id: u64, store_id: u64, is_pending: bool) {
        self.region(region_id, |region| {
            region.pending.retain(|pending| *pending != store_id);
            if is_pending {
                region.pending.push(store_id);
            }
        });
    }

    /// Says for how long a peer has been down; `None` that it is not.
    pub fn set_down(&self, region_id: u64, store_id: u64, down: Option<Duration>) {
        self.region(region_id, |region| {
            match down {
                Some(down) => region.down.insert(store_id, down.as_secs()),
                None => region.down.remove(&store_id),
            };
        });
    }

    /// Sets a region's approximate size in MiB.
    pub fn set_region_size(&self, region_id: u64, size: i64) {
        self.region(region_id, |region| region.size = size);
    }

    /// Makes a region hot, or with `None` not hot any more.
    pub fn set_hot(&self, region_id: u64, hot: Option<HotFlow>) {
        self.with(|cluster| match hot {
            Some(hot) => cluster.hot.insert(region_id, hot),
            None => cluster.hot.remove(&region_id),
        });
    }

    /// Puts a store into a state at once.
    pub fn set_store_state(&self, store_id: u64, state: StoreState) {
        self.store(store_id, |store, _| store.state = state);
    }

    /// Gives a store labels.
    pub fn set_labels<'a>(
        &self,
        store_id: u64,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        let labels = labels
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        self.store(store_id, |store, _| store.labels = labels);
    }

    /// Sets how long ago a store was last heard of. Its next heartbeat comes when it is due.
    pub fn set_heartbeat_age(&self, store_id: u64, age: Duration) {
        self.store(store_id, |store, now| store.last_heartbeat = now - age);
    }

    /// A stuck store sends no heartbeats and does nothing: it becomes Disconnected, then Down.
    ///
    /// What it led is led by another voter once it has been silent for 20 s, if a majority of
    /// the region's voters lives; after ten minutes its peers are reported as down.
    pub fn set_stuck(&self, store_id: u64, is_stuck: bool) {
        self.store(store_id, |store, _| store.stuck = is_stuck);
    }

    /// A store that sends heartbeats and does nothing PD asks: operators stay RUNNING.
    pub fn set_ignores_operators(&self, store_id: u64, ignores: bool) {
        self.store(store_id, |store, _| store.ignores_operators = ignores);
    }

    /// A store whose TiKV refuses every leader transfer to it: PD accepts, and nothing happens.
    pub fn set_refuses_leaders(&self, store_id: u64, refuses: bool) {
        self.store(store_id, |store, _| store.refuses_leaders = refuses);
    }

    /// Drains a store of leaders, as somebody else's request would, or stops it.
    pub fn set_evicting(&self, store_id: u64, is_evicting: bool) {
        self.with(|cluster| {
            if is_evicting {
                cluster.start_evicting(store_id);
            } else {
                cluster.stop_evicting(store_id);
            }
        });
    }

    /// Somebody gives up failed stores by force, and it does not get on; all scheduling is halted
    /// until it is over or PD's leader changes.
    pub fn set_unsafe_recovery(&self, is_running: bool) {
        self.with(|cluster| cluster.unsafe_recovery = is_running.then_some(cluster.now));
    }

    /// Sets an item of the schedule configuration, as `POST /config/schedule` would.
    ///
    /// Returns whether there is such an item and it takes such a value.
    pub fn set_schedule(&self, name: &str, value: impl Into<Json>) -> bool {
        let value = value.into();
        self.with(|cluster| {
            let mut items = cluster.config.schedule.iter_mut();
            let Some((_, item)) = items.find(|(known, _)| *known == name) else {
                return false;
            };
            item.parse(&value).map(|new| *item = new).is_ok()
        })
    }

    /// Removes the labels' split keys, so that their operators are not made again.
    pub fn clear_labeler_split_keys(&self) {
        self.with(|cluster| cluster.labeler_split_keys.clear());
    }

    fn region(&self, region_id: u64, change: impl FnOnce(&mut Region)) {
        self.with(|cluster| {
            if cluster.regions.change(region_id, change).is_some() {
                cluster.region_heartbeat(region_id);
            }
        });
    }

    fn store(&self, store_id: u64, change: impl FnOnce(&mut crate::cluster::store::Store, Time)) {
        self.with(|cluster| {
            let now = cluster.now;
            if let Some(store) = cluster.stores.get_mut(&store_id) {
                change(store, now);
                cluster.check_holders_of(store_id);
            }
        });
    }
}
