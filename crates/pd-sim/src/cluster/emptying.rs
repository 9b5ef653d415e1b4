//! Stores on their way out: what PD remembers about them, and how far they are.

use std::collections::BTreeMap;

use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::store::{Limits, StoreState};

/// What the PD leader has in memory about stores that are being emptied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Emptying {
    /// Limits from before, to be given back if the store stays. A new leader does not know them:
    /// there the store keeps its limit of a hundred million.
    limits: BTreeMap<u64, Limits>,
    progress: BTreeMap<u64, Progress>,
}

/// How far a store is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// MiB there were.
    total: f64,
    /// MiB there are.
    left: f64,
    /// MiB a second.
    pub(crate) speed: f64,
    seen: Time,
}

impl Progress {
    pub(crate) fn share(&self) -> f64 {
        if self.total > 0.0 {
            ((self.total - self.left) / self.total).clamp(0.0, 1.0)
        } else {
            1.0
        }
    }

    /// `f64::MAX` while nothing moves, as PD says it.
    pub(crate) fn left_seconds(&self) -> f64 {
        if self.speed > 0.0 {
            self.left / self.speed
        } else {
            f64::MAX
        }
    }
}

impl Emptying {
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Cluster {
    /// Takes a store offline: its peers are to leave.
    pub(crate) fn begin_emptying(&mut self, store_id: u64, destroyed: bool) {
        let is_shown_late = self.rows().progress_is_late;
        let size = self.regions.held_by(store_id).region_size as f64;
        let Some(store) = self.stores.get_mut(&store_id) else {
            return;
        };
        self.emptying.limits.insert(store_id, store.limits);
        store.state = StoreState::Offline;
        store.physically_destroyed = destroyed;
        store.limits.remove = Limits::UNLIMITED;
        if !is_shown_late {
            self.start_progress(store_id, size);
        }
        self.check_holders_of(store_id);
    }

    /// Takes it back.
    pub(crate) fn stop_emptying(&mut self, store_id: u64) {
        if let Some(store) = self.stores.get_mut(&store_id) {
            store.state = StoreState::Up;
            if let Some(limits) = self.emptying.limits.get(&store_id) {
                store.limits = *limits;
            }
        }
        self.emptying.progress.remove(&store_id);
        self.check_holders_of(store_id);
    }

    pub(crate) fn emptying_progress(&self, store_id: u64) -> Option<Progress> {
        self.emptying.progress.get(&store_id).copied()
    }

    /// All stores that are being emptied.
    pub(crate) fn all_progress(&self) -> impl Iterator<Item = &Progress> {
        self.emptying.progress.values()
    }

    /// PD's regular look at its stores: how far they are, and which are gone.
    pub(super) fn look_after_emptying_stores(&mut self) {
        let offline: Vec<u64> = self
            .stores
            .values()
            .filter(|store| store.state == StoreState::Offline)
            .map(|store| store.id)
            .collect();
        for store_id in offline {
            let held = self.regions.held_by(store_id);
            if held.regions == 0 {
                if let Some(store) = self.stores.get_mut(&store_id) {
                    store.state = StoreState::Tombstone;
                }
                self.emptying.progress.remove(&store_id);
                self.emptying.limits.remove(&store_id);
                continue;
            }
            let (left, now) = (held.region_size as f64, self.now);
            match self.emptying.progress.get_mut(&store_id) {
                None => self.start_progress(store_id, left),
                Some(progress) => {
                    let seconds = now.since(progress.seen).as_secs_f64();
                    if seconds > 0.0 {
                        progress.speed = ((progress.left - left) / seconds).max(0.0);
                    }
                    progress.left = left;
                    progress.seen = now;
                }
            }
        }
    }

    fn start_progress(&mut self, store_id: u64, size: f64) {
        let progress = Progress {
            total: size,
            left: size,
            speed: 0.0,
            seen: self.now,
        };
        self.emptying.progress.insert(store_id, progress);
    }
}
