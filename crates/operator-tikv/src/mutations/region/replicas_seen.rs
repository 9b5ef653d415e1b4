//! What a region's replicas show of a change of them.
//!
//! PD gives an id to no replica twice, so one that is gone was taken away, whatever holds its place
//! now; and each step of a change adds to `conf_ver`, so that few steps can be counted.

// length: the readings that prove the end of each change of replicas, row by row.

use pd_client::regions::Region;

use crate::evidence::foreign_operator::{ForeignOperator, Since};
use crate::facts::region::{RegionFacts, in_joint_state, is_healthy_on};
use crate::mutations::region::reading::Shows;
use crate::parameters::ids::StoreId;

/// A region's replicas before and now.
pub(crate) struct Replicas<'a> {
    before: &'a RegionFacts,
    now: &'a RegionFacts,
    region: &'a Region,
    others: &'a [ForeignOperator<'a>],
}

impl<'a> Replicas<'a> {
    pub(crate) fn new(
        since: &'a Since<'a, RegionFacts>,
        region: &'a Region,
        now: &'a RegionFacts,
    ) -> Self {
        Self {
            before: since.before,
            now,
            region,
            others: &since.others,
        }
    }

    fn not_done(&self) -> Shows {
        Shows::NotDone {
            same: self.now.peers == self.before.peers,
        }
    }

    fn unclear(&self) -> Shows {
        Shows::Unclear {
            same: self.now.peers == self.before.peers,
        }
    }

    fn is_joint(&self) -> bool {
        self.region.peers.iter().any(in_joint_state)
    }

    /// How often the replicas were changed; `None` after a merge, which counts otherwise.
    fn changes(&self) -> Option<u64> {
        let grown = self.now.conf_ver.checked_sub(self.before.conf_ver);
        grown.filter(|_| self.now.version == self.before.version)
    }

    /// Whether the replica that was on a store is there no more, by its own id.
    fn lost(&self, store: StoreId) -> bool {
        let old = self.before.peer_on(store);
        old.is_some_and(|old| !self.now.has_peer(old.id))
    }

    /// A store was to get a replica of this role, and held none.
    pub(crate) fn added(&self, store: StoreId, role: &str) -> Shows {
        let done = format!("store {store} holds a {role} of the region");
        let held = format!("store {store} held a {role} of the region");
        match self.now.role_on(store) {
            Some(there) if there == role && is_healthy_on(self.region, store) => Shows::Done(done),
            // Each replica is a learner at first.
            Some("Voter") if role == "Learner" => Shows::WasDone(held),
            Some(there) => Shows::HalfDone(format!("half added: store {store} holds a {there}")),
            None => match self.had(store, role) {
                Some(true) => Shows::WasDone(held),
                Some(false) if self.is_joint() => {
                    Shows::HalfDone(format!("half changed: {}", self.now.peers_text()))
                }
                Some(false) => self.not_done(),
                None => self.unclear(),
            },
        }
    }

    /// Whether a store that held nothing before and holds nothing now had a replica of this role
    /// in between.
    fn had(&self, store: StoreId, role: &str) -> Option<bool> {
        let voter = role == "Voter";
        let changes = self.changes();
        if changes == Some(0) {
            return Some(false);
        }
        let removed_by = self.others.iter().find(|other| other.removes(store));
        let removed_by = removed_by.filter(|other| !other.adds(store));
        if let Some(other) = removed_by {
            if !voter || other.found_voter_on(store) {
                return Some(true);
            }
            let (conf_ver, version) = (self.before.conf_ver, self.before.version);
            match other.conf_ver_since(conf_ver, version) {
                // Nothing but a learner was added.
                Some(1) => return Some(false),
                // A learner was added and one thing more was done. All others are as they were, so
                // that it became a voter.
                Some(2) if self.is_all_but(other) => return Some(true),
                _ => return None,
            }
        }
        // To be added and taken away again takes two changes, as a voter three.
        let least = if voter { 3 } else { 2 };
        let fewer = changes.is_some_and(|changes| changes < least);
        fewer.then_some(false)
    }

    /// Whether the region is as it was before, but for what an operator has added.
    fn is_all_but(&self, other: &ForeignOperator<'_>) -> bool {
        let all_there = self
            .before
            .peers
            .iter()
            .all(|old| self.now.peers.contains(old));
        let mut new = self
            .now
            .peers
            .iter()
            .filter(|one| !self.before.has_peer(one.id));
        all_there && new.all(|one| other.adds(one.store_id))
    }

    /// The replica on a store was to go.
    pub(crate) fn removed(&self, store: StoreId) -> Shows {
        let there = self.now.role_on(store);
        if self.lost(store) {
            return match there {
                None => Shows::Done(format!("store {store} holds no replica of the region")),
                Some(_) => Shows::WasDone(format!(
                    "the replica on store {store} was removed, and a new one is there"
                )),
            };
        }
        match there.filter(|role| self.before.role_on(store) != Some(role)) {
            Some(role) => Shows::HalfDone(format!("half removed: store {store} holds a {role}")),
            None if self.is_joint() => {
                Shows::HalfDone(format!("half changed: {}", self.now.peers_text()))
            }
            None => self.not_done(),
        }
    }

    /// The replica on a store was to move to another, which held none.
    pub(crate) fn moved(&self, from: StoreId, to: StoreId) -> Shows {
        let role = self.before.role_on(from).unwrap_or("Voter");
        let (old, new) = (self.now.role_on(from), self.now.role_on(to));
        let held = |role: Option<&str>| role.unwrap_or("nothing").to_owned();
        let half = || {
            let (old, new) = (held(old), held(new));
            Shows::HalfDone(format!(
                "half moved: store {from} holds {old}, store {to} holds {new}"
            ))
        };
        let was = || Shows::WasDone(format!("the replica moved from store {from} to store {to}"));
        if !self.lost(from) {
            return if new.is_some() || self.is_joint() {
                half()
            } else {
                self.not_done()
            };
        }
        if new == Some(role) && is_healthy_on(self.region, to) {
            return match old {
                None if self.is_joint() => half(),
                None => Shows::Done(format!("store {to} holds the replica, store {from} none")),
                Some(_) => was(),
            };
        }
        if new.is_some() {
            return half();
        }
        let found = |other: &ForeignOperator<'_>| {
            other.removes(to) && other.found_voter_on(to) && !other.removes(from)
        };
        if role == "Voter" && self.others.iter().any(found) {
            return was();
        }
        // Gone there, come here as a voter and gone from here takes four changes, as a learner three.
        let least = if role == "Voter" { 4 } else { 3 };
        match self.changes() {
            Some(changes) if changes < least => self.not_done(),
            _ => self.unclear(),
        }
    }
}

#[cfg(test)]
mod tests;
