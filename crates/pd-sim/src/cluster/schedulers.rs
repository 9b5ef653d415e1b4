//! The schedulers by name: which run, which are paused, what evict-leader is set to.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::config::Items;
use crate::cluster::scheduler_settings::defaults;
use crate::errors;
use crate::version::Rows;

pub(crate) const EVICT_LEADER: &str = "evict-leader-scheduler";
pub(crate) const BALANCE_LEADER: &str = "balance-leader-scheduler";

pub(crate) const GRANT_LEADER: &str = "grant-leader-scheduler";

/// What a scheduler that works on a range or on chosen stores was told.
#[derive(Debug, Clone)]
pub(crate) enum Special {
    Range {
        range_name: String,
        start_key: String,
        end_key: String,
    },
    HotStores {
        stores: Vec<u64>,
        leader: u64,
    },
}

/// Whether `POST /schedulers` knows the name, for schedulers that take no argument.
pub(crate) fn is_plain(name: &str, rows: &Rows) -> bool {
    match name {
        "balance-leader-scheduler"
        | "balance-region-scheduler"
        | "balance-hot-region-scheduler"
        | "evict-slow-store-scheduler"
        | "label-scheduler"
        | "random-merge-scheduler"
        | "shuffle-leader-scheduler"
        | "shuffle-region-scheduler"
        | "shuffle-hot-region-scheduler" => true,
        "balance-witness-scheduler"
        | "evict-slow-trend-scheduler"
        | "transfer-witness-leader-scheduler" => rows.witness_schedulers,
        "evict-stopping-store-scheduler" => rows.affinity_kind,
        "split-bucket-scheduler" => rows.split_bucket_scheduler,
        _ => false,
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause {
    pub(crate) from: Time,
    pub(crate) until: Time,
}

#[derive(Debug, Clone)]
pub(crate) struct Schedulers {
    /// In the order they were added.
    pub(crate) names: Vec<String>,
    /// Default schedulers that were removed.
    pub(crate) disabled: Vec<String>,
    pauses: BTreeMap<String, Pause>,
    checker_pauses: BTreeMap<String, Pause>,
    /// Stores whose leaders are to leave; none means evict-leader does not run.
    pub(crate) evicting: BTreeSet<u64>,
    pub(crate) evict_batch: u64,
    /// Stores that leaders may go to although they are being drained: a bug of PD 8.5.
    pub(crate) leaders_come_to: BTreeSet<u64>,
    /// Stores whose regions are to be led by them; none means grant-leader does not run.
    pub(crate) granting: BTreeSet<u64>,
    /// Schedulers whose last round did not take place.
    pub(crate) was_paused: BTreeSet<String>,
    /// Settings of the schedulers that have some, by name.
    pub(crate) settings: BTreeMap<String, Items>,
    pub(crate) special: BTreeMap<String, Special>,
}

impl Schedulers {
    /// As they are before they are loaded.
    pub(crate) fn not_loaded(disabled: Vec<String>) -> Self {
        Self {
            disabled,
            ..Self::none()
        }
    }

    fn none() -> Self {
        Self {
            names: Vec::new(),
            disabled: Vec::new(),
            pauses: BTreeMap::new(),
            checker_pauses: BTreeMap::new(),
            evicting: BTreeSet::new(),
            evict_batch: 3,
            leaders_come_to: BTreeSet::new(),
            granting: BTreeSet::new(),
            was_paused: BTreeSet::new(),
            settings: BTreeMap::new(),
            special: BTreeMap::new(),
        }
    }

    pub(crate) fn new(rows: &Rows) -> Self {
        let mut schedulers = Self::none();
        for name in rows.default_schedulers {
            schedulers.add(name, rows);
        }
        schedulers
    }

    pub(crate) fn runs(&self, name: &str) -> bool {
        self.names.iter().any(|running| running == name)
    }

    pub(crate) fn has_settings(&self, name: &str) -> bool {
        self.settings.contains_key(name)
    }

    /// The stores evict- or grant-leader is set to.
    pub(crate) fn stores_of(&self, name: &str) -> impl Iterator<Item = u64> {
        let stores = if name == GRANT_LEADER {
            &self.granting
        } else {
            &self.evicting
        };
        stores.iter().copied()
    }

    pub(crate) fn add(&mut self, name: &str, rows: &Rows) {
        self.disabled.retain(|disabled| disabled != name);
        self.names.push(name.to_owned());
        let settings = defaults(name, rows);
        if !settings.is_empty() {
            self.settings.insert(name.to_owned(), settings);
        }
    }

    /// Whether there was such a scheduler.
    pub(crate) fn remove(&mut self, name: &str, rows: &Rows) -> bool {
        let before = self.names.len();
        self.names.retain(|running| running != name);
        self.pauses.remove(name);
        self.settings.remove(name);
        self.special.remove(name);
        match name {
            EVICT_LEADER => {
                self.evicting.clear();
                self.leaders_come_to.clear();
                self.evict_batch = 3;
            }
            GRANT_LEADER => self.granting.clear(),
            _ => {}
        }
        let removed = self.names.len() < before;
        if removed && rows.default_schedulers.contains(&name) {
            self.disabled.push(name.to_owned());
        }
        removed
    }

    /// The pause in force at `now`.
    pub(crate) fn pause_of(&self, name: &str, now: Time) -> Option<Pause> {
        self.pauses
            .get(name)
            .copied()
            .filter(|pause| pause.until > now)
    }

    pub(crate) fn set_pause(&mut self, name: &str, pause: Option<Pause>) {
        match pause {
            Some(pause) => self.pauses.insert(name.to_owned(), pause),
            None => self.pauses.remove(name),
        };
    }

    pub(crate) fn set_checker_pause(&mut self, name: &str, pause: Option<Pause>) {
        match pause {
            Some(pause) => self.checker_pauses.insert(name.to_owned(), pause),
            None => self.checker_pauses.remove(name),
        };
    }

    pub(crate) fn forget_pauses(&mut self) {
        self.pauses.clear();
        self.checker_pauses.clear();
    }

    /// A drain keeps leaders from coming, even while the scheduler itself is paused.
    pub(crate) fn pauses_leader_transfer_to(&self, store_id: u64) -> bool {
        self.evicting.contains(&store_id) && !self.leaders_come_to.contains(&store_id)
    }

    /// Leaders do not leave a store that is granted some.
    pub(crate) fn pauses_leader_transfer_from(&self, store_id: u64) -> bool {
        self.granting.contains(&store_id)
    }
}

impl Cluster {
    /// Every scheduler's turn.
    pub(crate) fn run_schedulers(&mut self) {
        if self.is_halted() || !self.is_bootstrapped() || self.members.leader().is_none() {
            return;
        }
        let now = self.now;
        let schedulers = &mut self.schedulers;
        let paused = schedulers.names.iter().filter(|name| {
            schedulers
                .pauses
                .get(*name)
                .is_some_and(|pause| pause.until > now)
        });
        schedulers.was_paused = paused.cloned().collect();
        if self.may_run(EVICT_LEADER) {
            self.evict_leaders();
        }
        if self.may_run(GRANT_LEADER) {
            self.grant_leaders();
        }
        if self.settings.balance_leader && self.may_run(BALANCE_LEADER) {
            self.balance_leaders();
        }
    }

    /// Puts a store into evict-leader; true if the scheduler was not there and now runs.
    pub(crate) fn start_evicting(&mut self, store_id: u64) -> bool {
        self.schedulers.evicting.insert(store_id);
        let is_new = !self.schedulers.runs(EVICT_LEADER);
        if is_new {
            let rows = self.rows();
            self.schedulers.add(EVICT_LEADER, rows);
        }
        is_new
    }

    /// Takes a store out of evict-leader; true if it was the last and the scheduler is gone.
    pub(crate) fn stop_evicting(&mut self, store_id: u64) -> Option<bool> {
        self.take_store_out(EVICT_LEADER, store_id)
    }

    /// As [`stop_evicting`](Self::stop_evicting), of evict- or grant-leader.
    pub(crate) fn take_store_out(&mut self, name: &str, store_id: u64) -> Option<bool> {
        let stores = if name == GRANT_LEADER {
            &mut self.schedulers.granting
        } else {
            self.schedulers.leaders_come_to.remove(&store_id);
            &mut self.schedulers.evicting
        };
        if !stores.remove(&store_id) {
            return None;
        }
        let last = stores.is_empty();
        if last {
            let rows = self.rows();
            self.schedulers.remove(name, rows);
        }
        Some(last)
    }

    /// Whether the scheduler may hold a store's leaders back, or why not.
    ///
    /// Up to PD 8.5 one scheduler at a time may; PD 9.0 counts.
    pub(crate) fn may_pause_leader_transfer(
        &self,
        name: &str,
        store_id: u64,
    ) -> Result<(), String> {
        if !self.stores.contains_key(&store_id) {
            return Err(errors::store_not_found(store_id));
        }
        let (own, other) = match name {
            GRANT_LEADER => (&self.schedulers.granting, &self.schedulers.evicting),
            _ => (&self.schedulers.evicting, &self.schedulers.granting),
        };
        if !own.contains(&store_id) && other.contains(&store_id) && !self.rows().shows_leader_pause
        {
            return Err(errors::leader_transfer_paused(store_id));
        }
        Ok(())
    }

    pub(crate) fn is_checker_paused(&self, name: &str) -> bool {
        self.schedulers
            .checker_pauses
            .get(name)
            .is_some_and(|pause| pause.until > self.now)
    }

    fn may_run(&self, name: &str) -> bool {
        self.schedulers.runs(name) && self.schedulers.pause_of(name, self.now).is_none()
    }
}
