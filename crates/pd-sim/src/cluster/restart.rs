//! PD's process started anew: who leads regions, what stores report and which schedulers there are
//! it knows only when heartbeats are in.
//!
//! From the source of PD 8.5.7, and the same in 6.5.12: regions are loaded from disk without a
//! leader (`storage.TryLoadRegionsOnce`), stores without what they reported (`LoadStores`), and the
//! schedulers run when nine tenths of the regions were reported (`prepareChecker`). Until then the
//! configuration lists them, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::cluster::members::Outage;
use crate::cluster::schedulers::{EVICT_LEADER, GRANT_LEADER, Schedulers};
use crate::cluster::store::StoreState;

/// What PD has not heard of since its process started.
#[derive(Debug, Default)]
pub(crate) struct Unheard {
    /// Regions, and who leads them.
    regions: BTreeMap<u64, Option<u64>>,
    stores: BTreeSet<u64>,
    /// The schedulers as they are stored, until they are loaded.
    schedulers: Option<Box<Schedulers>>,
}

/// Heartbeats that do not arrive.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    pub(crate) stores: bool,
    pub(crate) regions: bool,
}

/// The schedulers run when this share of the regions was reported.
const COLLECTED: f64 = 0.9;

impl Cluster {
    /// PD's process ends and is started again on its data.
    pub(crate) fn restart(&mut self) {
        self.change_leader(Duration::ZERO, Outage::NoLeader);
        self.process_start = self.now;
        let ids: Vec<u64> = self.regions.ids().collect();
        for id in ids {
            let leader = self.regions.change(id, |region| region.leader.take());
            let known = self.unheard.regions.entry(id).or_insert(None);
            *known = leader.flatten().or(*known);
        }
        self.unheard.stores = self.stores.keys().copied().collect();
        if self.unheard.schedulers.is_none() {
            let none = Schedulers::not_loaded(self.schedulers.disabled.clone());
            let stored = std::mem::replace(&mut self.schedulers, none);
            self.unheard.schedulers = Some(Box::new(stored));
        }
    }

    /// Whether PD collects heartbeats, and neither checks nor schedules yet.
    pub(crate) fn is_collecting(&self) -> bool {
        self.unheard.schedulers.is_some()
    }

    /// The schedulers that are stored and not loaded yet.
    pub(crate) fn stored_schedulers(&self) -> Option<&Schedulers> {
        self.unheard.schedulers.as_deref()
    }

    /// Whether PD has heard of a store since its process started.
    pub(crate) fn is_heard(&self, store_id: u64) -> bool {
        !self.unheard.stores.contains(&store_id)
    }

    /// Who leads a region, whether PD knows of it or not.
    pub(crate) fn true_leader(&self, region_id: u64) -> Option<u64> {
        let known = self.regions.get(region_id)?.leader;
        known.or_else(|| self.unheard.regions.get(&region_id).copied().flatten())
    }

    /// How many regions a store leads that PD has not heard of.
    pub(crate) fn unheard_leaders(&self, store_id: u64) -> u64 {
        let leaders = self.unheard.regions.values();
        leaders.filter(|leader| **leader == Some(store_id)).count() as u64
    }

    /// Heartbeats of stores arrive, if they are not held.
    pub(super) fn hear_of_stores(&mut self) {
        if self.held.stores {
            return;
        }
        let now = self.now;
        for store in self.stores.values_mut() {
            if !store.stuck && store.state != StoreState::Tombstone {
                store.last_heartbeat = now;
                self.unheard.stores.remove(&store.id);
            }
        }
    }

    /// Regions whose leader lives are reported, if that is not held, and the schedulers loaded.
    pub(super) fn hear_of_regions(&mut self) {
        if self.held.regions || (self.unheard.regions.is_empty() && !self.is_collecting()) {
            return;
        }
        let lives = |store_id: &u64| self.stores.get(store_id).is_some_and(|one| !one.stuck);
        let (heard, silent) = std::mem::take(&mut self.unheard.regions)
            .into_iter()
            .partition(|(_, leader)| leader.as_ref().is_some_and(lives));
        self.unheard.regions = silent;
        let heard: BTreeMap<u64, Option<u64>> = heard;
        for (id, leader) in heard {
            self.regions.change(id, |region| region.leader = leader);
            self.region_heartbeat(id);
        }
        let left = self.unheard.regions.len() as f64;
        if left <= (1.0 - COLLECTED) * self.regions.len() as f64 {
            self.load_schedulers();
        }
    }

    /// The stored schedulers run. Of one that was asked for meanwhile the stores of before are lost:
    /// seen on PD 8.5.7, with evict-leader.
    fn load_schedulers(&mut self) {
        let Some(mut stored) = self.unheard.schedulers.take() else {
            return;
        };
        let early = &self.schedulers;
        for name in &early.names {
            if !stored.runs(name) {
                stored.names.push(name.clone());
            }
        }
        if early.runs(EVICT_LEADER) {
            stored.evicting.clone_from(&early.evicting);
        }
        if early.runs(GRANT_LEADER) {
            stored.granting.clone_from(&early.granting);
        }
        self.schedulers = *stored;
    }

    /// A store leads a region that PD may not have heard of.
    pub(crate) fn lead(&mut self, region_id: u64, leader: Option<u64>) {
        match self.unheard.regions.get_mut(&region_id) {
            Some(known) => *known = leader,
            None => {
                self.regions
                    .change(region_id, |region| region.leader = leader);
            }
        }
    }
}
