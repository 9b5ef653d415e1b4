//! The schedulers by name: which run, which are paused, what evict-leader is set to.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Time;
use crate::cluster::Cluster;
use crate::version::Rows;

pub(crate) const EVICT_LEADER: &str = "evict-leader-scheduler";
pub(crate) const BALANCE_LEADER: &str = "balance-leader-scheduler";

/// Everything `POST /schedulers` knows the name of and that takes no argument.
pub(crate) const PLAIN: [&str; 12] = [
    "balance-leader-scheduler",
    "balance-region-scheduler",
    "balance-hot-region-scheduler",
    "balance-witness-scheduler",
    "evict-slow-store-scheduler",
    "evict-slow-trend-scheduler",
    "evict-stopping-store-scheduler",
    "label-scheduler",
    "random-merge-scheduler",
    "shuffle-leader-scheduler",
    "shuffle-region-scheduler",
    "transfer-witness-leader-scheduler",
];

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
}

impl Schedulers {
    pub(crate) fn new(rows: &Rows) -> Self {
        Self {
            names: rows
                .default_schedulers
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            disabled: Vec::new(),
            pauses: BTreeMap::new(),
            checker_pauses: BTreeMap::new(),
            evicting: BTreeSet::new(),
            evict_batch: 3,
        }
    }

    pub(crate) fn runs(&self, name: &str) -> bool {
        self.names.iter().any(|running| running == name)
    }

    pub(crate) fn add(&mut self, name: &str) {
        self.disabled.retain(|disabled| disabled != name);
        self.names.push(name.to_owned());
    }

    /// Whether there was such a scheduler.
    pub(crate) fn remove(&mut self, name: &str, rows: &Rows) -> bool {
        let before = self.names.len();
        self.names.retain(|running| running != name);
        self.pauses.remove(name);
        if name == EVICT_LEADER {
            self.evicting.clear();
            self.evict_batch = 3;
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
        self.evicting.contains(&store_id)
    }
}

impl Cluster {
    /// Every scheduler's turn.
    pub(crate) fn run_schedulers(&mut self) {
        if self.is_halted() || !self.is_bootstrapped() || self.members.leader().is_none() {
            return;
        }
        if self.may_run(EVICT_LEADER) {
            self.evict_leaders();
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
            self.schedulers.add(EVICT_LEADER);
        }
        is_new
    }

    /// Takes a store out of evict-leader; true if it was the last and the scheduler is gone.
    pub(crate) fn stop_evicting(&mut self, store_id: u64) -> Option<bool> {
        if !self.schedulers.evicting.remove(&store_id) {
            return None;
        }
        let last = self.schedulers.evicting.is_empty();
        if last {
            let rows = self.rows();
            self.schedulers.remove(EVICT_LEADER, rows);
        }
        Some(last)
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
