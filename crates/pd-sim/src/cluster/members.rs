//! PD's members and who leads them.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::cluster::events::Event;

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) peer_url: String,
    pub(crate) client_url: String,
}

/// What requests are answered while no member leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outage {
    /// `500 redirect failed`: the members still point at the leader that is gone.
    RedirectFailed,
    /// `503`: the members know that nobody leads.
    NoLeader,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    pub(crate) list: Vec<Member>,
    /// Index of the leader.
    pub(crate) leader: usize,
    /// Members whose process is stopped, by index.
    pub(crate) stopped: BTreeSet<usize>,
    /// Set while an election is going on.
    pub(crate) outage: Option<Outage>,
    next: usize,
}

impl Members {
    pub(crate) fn leader(&self) -> Option<&Member> {
        if self.outage.is_some() {
            None
        } else {
            self.list.get(self.leader)
        }
    }

    pub(crate) fn elected(&mut self) {
        self.leader = self.next;
        self.outage = None;
    }
}

impl Cluster {
    /// The leader is gone. Its memory is lost: operators, records, pauses. After `election` the
    /// next member leads; what the stores were told they still do.
    pub(crate) fn change_leader(&mut self, election: Duration, outage: Outage) {
        self.operators.clear();
        self.records.clear();
        self.schedulers.forget_pauses();
        let members = self.members.list.len().max(1);
        self.members.next = (1..=members)
            .map(|ahead| (self.members.leader + ahead) % members)
            .find(|index| !self.members.stopped.contains(index))
            .unwrap_or(self.members.leader);
        if election.is_zero() {
            self.members.elected();
        } else {
            self.members.outage = Some(outage);
            self.schedule(election, Event::Elected);
        }
    }
}
