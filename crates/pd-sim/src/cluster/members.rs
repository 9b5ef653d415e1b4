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
    pub(crate) priority: i64,
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
    /// Members that were taken out of the group; what listens there answers no more for it.
    pub(crate) removed: BTreeSet<usize>,
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

    /// Index of the member that is called so and has not been taken out.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        let index = self.list.iter().position(|member| member.name == name)?;
        (!self.removed.contains(&index)).then_some(index)
    }

    /// Who leads next when the leader goes: of the highest priority, the next in order.
    pub(crate) fn next_alive(&self) -> usize {
        let members = self.list.len().max(1);
        (1..members)
            .map(|ahead| (self.leader + ahead) % members)
            .filter(|index| !self.stopped.contains(index) && !self.removed.contains(index))
            .rev()
            .max_by_key(|index| self.list.get(*index).map(|member| member.priority))
            .unwrap_or(self.leader)
    }

    pub(crate) fn elected(&mut self) {
        self.leader = self.next;
        self.outage = None;
    }
}

impl Cluster {
    /// The leader hands over to another member, at once.
    pub(crate) fn hand_over(&mut self, index: usize) {
        self.change_leader(Duration::ZERO, Outage::NoLeader);
        self.members.leader = index;
    }

    /// The leader is gone. Its memory is lost: operators, records, pauses, hot spots. After `election` the
    /// next member leads; what the stores were told they still do.
    pub(crate) fn change_leader(&mut self, election: Duration, outage: Outage) {
        self.operators.clear();
        self.records.clear();
        self.schedulers.forget_pauses();
        self.hot.clear();
        self.emptying.forget();
        self.scattered.forget();
        self.members.next = self.members.next_alive();
        if election.is_zero() {
            self.members.elected();
        } else {
            self.members.outage = Some(outage);
            self.schedule(election, Event::Elected);
        }
    }
}
