//! The stores' side: commands are executed a while after they were given.

use crate::cluster::Cluster;
use crate::cluster::events::Event;
use crate::cluster::region::{Epoch, Key, Peer, Region, Role};
use crate::cluster::step::{On, SplitPolicy, Step};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    TransferLeader {
        to: u64,
    },
    AddLearner(On),
    PromoteLearner(On),
    EnterJoint {
        promote: Vec<On>,
        demote: Vec<On>,
    },
    LeaveJoint,
    RemovePeer(On),
    Split {
        policy: SplitPolicy,
        keys: Vec<String>,
    },
    Merge {
        target: u64,
    },
}

impl Command {
    /// What a step asks of the region's leader, if anything.
    pub(crate) fn of(step: &Step) -> Option<Self> {
        Some(match step.clone() {
            Step::TransferLeader { to, .. } => Self::TransferLeader { to },
            Step::AddLearner(on) => Self::AddLearner(on),
            Step::PromoteLearner(on) => Self::PromoteLearner(on),
            Step::EnterJoint { promote, demote } => Self::EnterJoint { promote, demote },
            Step::LeaveJoint { .. } => Self::LeaveJoint,
            Step::RemovePeer(on) => Self::RemovePeer(on),
            Step::Split { policy, keys, .. } => Self::Split { policy, keys },
            Step::Merge { passive: true, .. } => return None,
            Step::Merge { target, .. } => Self::Merge { target },
        })
    }
}

impl Cluster {
    /// Gives a command to the store that leads the region; nobody hears it if that store is away.
    pub(crate) fn send_command(&mut self, region_id: u64, command: Command) {
        let given = (region_id, command);
        let heard = self
            .regions
            .get(region_id)
            .and_then(|region| region.leader)
            .is_some_and(|leader| self.obeys(leader));
        if !heard || self.in_flight.contains(&given) {
            return;
        }
        let Some(epoch) = self.regions.get(region_id).map(|region| region.epoch) else {
            return;
        };
        let (region_id, command) = given.clone();
        self.in_flight.push(given);
        self.schedule(
            self.settings.step_latency,
            Event::Executed {
                region_id,
                epoch,
                command,
            },
        );
    }

    /// A store is done with a command; the region's next heartbeat says so.
    ///
    /// A command that was given for another epoch is refused, but for leader transfers.
    pub(crate) fn executed(&mut self, region_id: u64, epoch: Epoch, command: Command) {
        self.in_flight
            .retain(|(id, other)| *id != region_id || *other != command);
        let Some(region) = self.regions.get(region_id) else {
            return;
        };
        let is_current = region.epoch == epoch || matches!(command, Command::TransferLeader { .. });
        if !is_current || !region.leader.is_some_and(|leader| self.obeys(leader)) {
            return;
        }
        match command {
            Command::Split { policy, keys } => self.execute_split(region_id, policy, &keys),
            Command::Merge { target } => self.merge(region_id, target),
            Command::TransferLeader { to } => {
                let is_taken = self.obeys(to)
                    && !self
                        .stores
                        .get(&to)
                        .is_some_and(|store| store.refuses_leaders);
                if is_taken {
                    self.regions.change(region_id, |region| {
                        // TiKV transfers only to a voter that has caught up.
                        if region.voter_on(to).is_some() && !region.pending.contains(&to) {
                            region.leader = Some(to);
                        }
                    });
                }
            }
            change => self.change_peers(region_id, change),
        }
        self.region_heartbeat(region_id);
    }

    fn obeys(&self, store_id: u64) -> bool {
        self.stores
            .get(&store_id)
            .is_some_and(|store| store.obeys())
    }

    fn change_peers(&mut self, region_id: u64, command: Command) {
        let snapshot_latency = self.settings.snapshot_latency;
        let late = match &command {
            Command::AddLearner(on) => {
                let store = self.stores.get(&on.store_id);
                let is_stuck = store.is_some_and(|store| store.stuck);
                (!snapshot_latency.is_zero() || is_stuck).then_some(on.store_id)
            }
            _ => None,
        };
        let was_added = self
            .regions
            .change(region_id, |region| region.change_peers(command, late));
        if was_added == Some(true)
            && let Some(store_id) = late
        {
            self.schedule(
                snapshot_latency,
                Event::CaughtUp {
                    region_id,
                    store_id,
                },
            );
        }
    }

    /// A learner has its snapshot, unless its store is stuck.
    pub(crate) fn caught_up(&mut self, region_id: u64, store_id: u64) {
        if self.stores.get(&store_id).is_some_and(|store| store.stuck) {
            let later = self.settings.heartbeat_interval;
            return self.schedule(
                later,
                Event::CaughtUp {
                    region_id,
                    store_id,
                },
            );
        }
        let is_there = self.regions.change(region_id, |region| {
            region.pending.retain(|pending| *pending != store_id);
        });
        if is_there.is_some() {
            self.region_heartbeat(region_id);
        }
    }

    fn execute_split(&mut self, region_id: u64, policy: SplitPolicy, keys: &[String]) {
        let Some(region) = self.regions.get(region_id) else {
            return;
        };
        let keys: Vec<String> = match policy {
            SplitPolicy::UseKey => keys.to_vec(),
            SplitPolicy::Scan | SplitPolicy::Approximate => middle_of(region).into_iter().collect(),
        };
        self.split_region(region_id, keys);
    }

    /// Cuts a region at keys inside of it, if the stores do that. The new regions lie to the left.
    pub(crate) fn split_region(&mut self, region_id: u64, mut keys: Vec<String>) -> Vec<u64> {
        if !self.settings.executes_splits {
            return Vec::new();
        }
        let Some(region) = self.regions.get(region_id) else {
            return Vec::new();
        };
        keys.retain(|key| region.strictly_contains(key));
        keys.sort_unstable();
        keys.dedup();
        let Some(mut region) = (!keys.is_empty())
            .then(|| self.regions.remove(region_id))
            .flatten()
        else {
            return Vec::new();
        };
        let parts = keys.len() as i64 + 1;
        region.epoch.version += keys.len() as u64;
        region.size = (region.size / parts).max(1);
        region.keys /= parts;
        let mut new = Vec::new();
        for key in keys {
            let mut left = region.clone();
            let key = Key::from(key);
            left.end_key = key.clone();
            for peer in &mut left.peers {
                peer.id = self.allocate_id();
            }
            left.id = self.allocate_id();
            region.start_key = key;
            self.unchecked.insert(left.id);
            new.push(left.id);
            self.regions.insert(left);
        }
        self.regions.insert(region);
        new
    }

    fn merge(&mut self, source_id: u64, target_id: u64) {
        let adjacent = match (self.regions.get(source_id), self.regions.get(target_id)) {
            (Some(source), Some(target)) => {
                (source.end_key == target.start_key && !source.end_key.is_empty())
                    || (target.end_key == source.start_key && !target.end_key.is_empty())
            }
            _ => false,
        };
        if !adjacent {
            return;
        }
        let (Some(source), Some(mut target)) = (
            self.regions.remove(source_id),
            self.regions.remove(target_id),
        ) else {
            return;
        };
        if source.end_key == target.start_key {
            target.start_key = source.start_key;
        } else {
            target.end_key = source.end_key;
        }
        target.epoch = Epoch {
            version: source.epoch.version.max(target.epoch.version) + 1,
            conf_ver: source.epoch.conf_ver.max(target.epoch.conf_ver),
        };
        target.size += source.size;
        target.keys += source.keys;
        self.regions.insert(target);
        self.region_heartbeat(target_id);
    }
}

impl Region {
    /// Executes a change of the peers; whether a peer was added.
    ///
    /// A peer added to the store `late` has to wait for its snapshot.
    fn change_peers(&mut self, command: Command, late: Option<u64>) -> bool {
        match command {
            Command::AddLearner(on) if self.peer_on(on.store_id).is_none() => {
                self.peers.push(Peer {
                    id: on.peer_id,
                    store_id: on.store_id,
                    role: Role::Learner,
                });
                self.epoch.conf_ver += 1;
                self.pending.extend(late);
                return true;
            }
            Command::PromoteLearner(on) => self.set_role(&on, Role::Learner, Role::Voter),
            Command::EnterJoint { promote, demote } if !self.in_joint_state() => {
                let (incoming, demoting) = if promote.len() + demote.len() == 1 {
                    (Role::Voter, Role::Learner)
                } else {
                    (Role::IncomingVoter, Role::DemotingVoter)
                };
                for on in &promote {
                    self.set_role(on, Role::Learner, incoming);
                }
                for on in &demote {
                    self.set_role(on, Role::Voter, demoting);
                }
            }
            Command::LeaveJoint => self.leave_joint_state(),
            Command::RemovePeer(on)
                if self.leader != Some(on.store_id)
                    && self
                        .peer_on(on.store_id)
                        .is_some_and(|peer| peer.id == on.peer_id) =>
            {
                self.remove_peer_on(on.store_id);
                self.epoch.conf_ver += 1;
            }
            _ => {}
        }
        false
    }

    fn set_role(&mut self, on: &On, from: Role, to: Role) {
        if let Some(peer) = self.peer_on_mut(on.store_id)
            && peer.id == on.peer_id
            && peer.role == from
        {
            peer.role = to;
            self.epoch.conf_ver += 1;
        }
    }

    fn leave_joint_state(&mut self) {
        let demoted_leader = self
            .leader_peer()
            .is_some_and(|peer| peer.role == Role::DemotingVoter);
        if demoted_leader {
            return;
        }
        for peer in &mut self.peers {
            match peer.role {
                Role::IncomingVoter => peer.role = Role::Voter,
                Role::DemotingVoter => peer.role = Role::Learner,
                Role::Voter | Role::Learner => continue,
            }
            self.epoch.conf_ver += 1;
        }
    }
}

/// A key about half way through the region: its start with one more byte.
fn middle_of(region: &Region) -> Option<String> {
    let key = format!("{}80", region.start_key);
    region.strictly_contains(&key).then_some(key)
}
