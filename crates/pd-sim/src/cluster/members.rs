//! PD's members and who leads them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::events::Event;
use crate::cluster::regions::Holdings;

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

    /// Index of the member that is called so.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|member| member.name == name)
    }

    /// Who leads next when the leader goes: of the highest priority, the next in order.
    pub(crate) fn next_alive(&self) -> usize {
        let members = self.list.len().max(1);
        (1..members)
            .map(|ahead| (self.leader + ahead) % members)
            .filter(|index| !self.stopped.contains(index))
            .rev()
            .max_by_key(|index| self.list.get(*index).map(|member| member.priority))
            .unwrap_or(self.leader)
    }

    pub(crate) fn elected(&mut self) {
        self.leader = self.next;
        self.outage = None;
    }
}

/// What stores held when the last leader was lost.
#[derive(Debug, Clone)]
pub(crate) struct Stale {
    held: BTreeMap<u64, Holdings>,
    /// How long after the election it is shown.
    lasts: Duration,
    /// From the election on.
    until: Option<Time>,
}

impl Cluster {
    /// What PD shows that a store holds.
    pub(crate) fn shown_holdings(&self, store_id: u64) -> Holdings {
        match &self.stale {
            Some(stale) if stale.until.is_none_or(|until| self.now < until) => {
                stale.held.get(&store_id).copied().unwrap_or_default()
            }
            _ => self.regions.held_by(store_id),
        }
    }

    /// What stores hold now is what the next leader shows, for so long after its election.
    pub(crate) fn keep_as_stale(&mut self, lasts: Duration) {
        self.stale = Some(Stale {
            held: self.regions.holdings().collect(),
            lasts,
            until: None,
        });
    }

    pub(super) fn elected(&mut self) {
        self.members.elected();
        let now = self.now;
        if let Some(stale) = &mut self.stale {
            stale.until = Some(now + stale.lasts);
        }
    }

    /// A member that ranks above the leader has it hand over: `CheckPriority` of
    /// `pkg/member/member.go`.
    pub(crate) fn take_over_by_priority(&mut self) {
        let Some(leader) = self.members.leader() else {
            return;
        };
        let priority = leader.priority;
        let running = self.members.list.iter().enumerate();
        let above = running
            .filter(|(index, _)| !self.members.stopped.contains(index))
            .filter(|(_, member)| member.priority > priority)
            .max_by_key(|(_, member)| member.priority);
        if let Some((index, _)) = above {
            self.hand_over(index);
        }
    }

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
        self.unsafe_recovery = None;
        self.members.next = self.members.next_alive();
        if election.is_zero() {
            self.elected();
        } else {
            self.members.outage = Some(outage);
            self.schedule(election, Event::Elected);
        }
    }
}
