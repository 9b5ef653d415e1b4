//! From the peers a region has to the peers it should have: what an operator is built from.

use crate::cluster::Cluster;
use crate::cluster::config::HALT_SCHEDULING;
use crate::cluster::operator::{Kind, Operator};
use crate::cluster::region::{Peer, Region, Role};
use crate::cluster::store::StoreState;

/// A change of a region that has not been turned into steps yet.
///
/// Errors are kept until [`Plan::build`], so that the first one wins, as in PD.
#[derive(Debug)]
pub(crate) struct Plan {
    desc: String,
    pub(super) origin: Region,
    pub(super) target: Vec<Peer>,
    pub(super) target_leader: Option<u64>,
    /// Further leaders that are as good.
    pub(super) target_leaders: Vec<u64>,
    /// Whether the leader may go where leaders do not go by themselves.
    is_forced: bool,
    error: Option<String>,
}

/// The difference between what a region is and what it should be.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) add: Vec<Peer>,
    pub(super) remove: Vec<Peer>,
    pub(super) promote: Vec<Peer>,
    pub(super) demote: Vec<Peer>,
}

impl Plan {
    pub(crate) fn new(desc: &str, region: &Region) -> Self {
        let mut plan = Self::in_any_state(desc, region);
        if plan.error.is_none() && region.in_joint_state() {
            plan.fail("cannot build operator for region which is in joint state".to_owned());
        }
        plan
    }

    /// A plan for a region that may be in joint state.
    pub(crate) fn in_any_state(desc: &str, region: &Region) -> Self {
        let error = region
            .leader_peer()
            .is_none()
            .then(|| "cannot build operator for region with no leader".to_owned());
        Self {
            desc: desc.to_owned(),
            origin: region.clone(),
            target: region.peers.clone(),
            target_leader: None,
            target_leaders: Vec::new(),
            is_forced: false,
            error,
        }
    }

    /// Adds a peer; its id is allocated when the plan is built.
    pub(crate) fn add_peer(mut self, store_id: u64, role: Role) -> Self {
        let new = Peer {
            id: 0,
            store_id,
            role,
        };
        match self.target.iter().find(|peer| peer.store_id == store_id) {
            _ if new.in_joint_state() => {
                self.fail(format!(
                    "cannot add peer {}: is in joint state",
                    go_peer(&new)
                ));
            }
            Some(old) => {
                let old = go_peer(old);
                self.fail(format!(
                    "cannot add peer {}: already have peer {old}",
                    go_peer(&new)
                ));
            }
            None => self.target.push(new),
        }
        self
    }

    pub(crate) fn remove_peer(mut self, store_id: u64) -> Self {
        if self.target.iter().all(|peer| peer.store_id != store_id) {
            self.fail(format!("cannot remove peer from {store_id}: not found"));
        } else if self.target_leader == Some(store_id) {
            self.fail(format!(
                "cannot remove peer from {store_id}: is target leader"
            ));
        } else if self.error.is_none() {
            self.target.retain(|peer| peer.store_id != store_id);
        }
        self
    }

    pub(crate) fn promote_learner(mut self, store_id: u64) -> Self {
        if self.origin.is_unhealthy_on(store_id) {
            self.fail(format!("cannot promote peer {store_id}: unhealthy"));
        } else if let Some(peer) = self.target.iter_mut().find(|p| p.store_id == store_id) {
            peer.role = Role::Voter;
        }
        self
    }

    pub(crate) fn demote_voter(mut self, store_id: u64) -> Self {
        if let Some(peer) = self.target.iter_mut().find(|p| p.store_id == store_id) {
            peer.role = Role::Learner;
        }
        self
    }

    /// Replaces all peers.
    pub(crate) fn set_peers(mut self, peers: &[(u64, Role)]) -> Self {
        self.target = peers
            .iter()
            .map(|(store_id, role)| Peer {
                id: self.origin.peer_on(*store_id).map_or(0, |peer| peer.id),
                store_id: *store_id,
                role: *role,
            })
            .collect();
        self
    }

    pub(crate) fn set_leader(mut self, store_id: u64) -> Self {
        match self.target.iter().find(|peer| peer.store_id == store_id) {
            None => self.fail(format!("cannot transfer leader to {store_id}: not found")),
            Some(peer) if !peer.is_voter() => {
                self.fail(format!("cannot transfer leader to {store_id}: not voter"));
            }
            Some(_) if self.origin.is_unhealthy_on(store_id) => {
                self.fail(format!("cannot transfer leader to {store_id}: unhealthy"));
            }
            Some(_) => self.target_leader = Some(store_id),
        }
        self
    }

    /// As [`set_leader`](Self::set_leader), for a leader that may be new and not well yet.
    pub(crate) fn set_new_leader(mut self, store_id: u64) -> Self {
        if self.target.iter().any(|peer| peer.store_id == store_id) {
            self.target_leader = Some(store_id);
        }
        self
    }

    pub(crate) fn set_leaders(mut self, mut store_ids: Vec<u64>) -> Self {
        store_ids.sort_unstable();
        store_ids.retain(|id| {
            self.target
                .iter()
                .any(|peer| peer.store_id == *id && peer.is_voter())
                && !self.origin.is_unhealthy_on(*id)
        });
        self.target_leaders = store_ids;
        self
    }

    /// Lets the leader go where leaders do not go by themselves.
    pub(crate) fn forced(mut self) -> Self {
        self.is_forced = true;
        self
    }

    /// Turns the plan into an operator, or says in PD's words why it cannot be one.
    pub(crate) fn build(mut self, cluster: &mut Cluster, kind: Kind) -> Result<Operator, String> {
        let spans_rules = cluster
            .rules_for(&self.origin)
            .is_none_or(|rules| rules.is_empty());
        if self.origin.leader_peer().is_some() && spans_rules {
            let text = "cannot build operator for region match no placement rule";
            return Err(text.to_owned());
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if !self.target.iter().any(Peer::is_voter) {
            return Err("cannot create operator: target peers have no voter".to_owned());
        }
        let difference = self.difference(cluster);
        if let Some(leader) = self.target_leader {
            let allowed = self.is_forced
                || self
                    .target
                    .iter()
                    .any(|peer| peer.store_id == leader && self.may_lead(cluster, peer));
            if !allowed {
                return Err("cannot create operator: target leader is not allowed".to_owned());
            }
        }
        let brief = self.brief(&difference);
        let changes = difference.add.len() + difference.remove.len() + difference.promote.len();
        // `NewBuilder` and `prepareBuild` of `pkg/schedule/operator/builder.go`.
        let is_joint = cluster.config.is_on("enable-joint-consensus");
        let simple = !is_joint
            || changes <= 1
                && difference.demote.is_empty()
                && !(difference.remove.len() == 1 && self.target.len() == 1);
        let (steps, kind) = if simple {
            self.single_change(cluster, difference, kind)?
        } else {
            self.joint_change(cluster, difference, kind)?
        };
        Ok(Operator::new(
            &self.desc,
            brief,
            &self.origin,
            kind,
            steps,
            cluster.now,
        ))
    }

    fn fail(&mut self, error: String) {
        self.error.get_or_insert(error);
    }

    fn difference(&mut self, cluster: &mut Cluster) -> Difference {
        let mut difference = Difference::default();
        for peer in &self.origin.peers {
            match self.target.iter().find(|t| t.store_id == peer.store_id) {
                None => difference.remove.push(*peer),
                Some(target) if !peer.is_voter() && target.is_voter() => {
                    difference.promote.push(Peer {
                        id: peer.id,
                        ..*target
                    });
                }
                Some(target) if peer.is_voter() && !target.is_voter() => {
                    difference.demote.push(Peer {
                        id: peer.id,
                        ..*target
                    });
                }
                Some(_) => {}
            }
        }
        for peer in &mut self.target {
            if self.origin.peer_on(peer.store_id).is_none() {
                peer.id = cluster.allocate_id();
                difference.add.push(*peer);
            }
        }
        for list in [
            &mut difference.add,
            &mut difference.remove,
            &mut difference.promote,
            &mut difference.demote,
        ] {
            list.sort_unstable_by_key(|peer| peer.store_id);
        }
        difference
    }

    fn brief(&self, difference: &Difference) -> String {
        let stores = |peers: &[Peer]| list(peers.iter().map(|peer| peer.store_id));
        let Difference {
            add,
            remove,
            promote,
            demote,
        } = difference;
        let origin_leader = self.origin.leader.unwrap_or(0);
        let target_leader = self.target_leader.unwrap_or(0);
        if !add.is_empty() && !remove.is_empty() {
            format!("mv peer: store {} to {}", stores(remove), stores(add))
        } else if !add.is_empty() {
            format!("add peer: store {}", stores(add))
        } else if !remove.is_empty() && !promote.is_empty() {
            format!(
                "promote peer: store {}, rm peer: store {}",
                stores(remove),
                stores(promote)
            )
        } else if !remove.is_empty() && !demote.is_empty() {
            format!(
                "demote peer: store {}, rm peer: store {}",
                stores(demote),
                stores(remove)
            )
        } else if !remove.is_empty() {
            format!("rm peer: store {}", stores(remove))
        } else if !promote.is_empty() {
            format!("promote peer: store {}", stores(promote))
        } else if !demote.is_empty() {
            format!("demote peer: store {}", stores(demote))
        } else if !self.target_leaders.is_empty() {
            format!(
                "evict leader: from store {origin_leader} to one in {}, or to {target_leader} (for compatibility)",
                list(self.target_leaders.iter().copied())
            )
        } else if origin_leader != target_leader {
            format!("transfer leader: store {origin_leader} to {target_leader}")
        } else {
            String::new()
        }
    }
}

impl Cluster {
    /// Whether a store may be given leaders.
    pub(crate) fn takes_leaders(&self, store_id: u64) -> bool {
        self.stores.get(&store_id).is_some_and(|store| {
            store.state == StoreState::Up
                && !store.is_disconnected(self.now)
                && store.down_time(self.now) <= self.config.duration("max-store-down-time")
        }) && !self.schedulers.pauses_leader_transfer_to(store_id)
            // Up to PD 8.5 there is one pause for both directions.
            && (self.rows().shows_leader_pause
                || !self.schedulers.pauses_leader_transfer_from(store_id))
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.config.is_on(HALT_SCHEDULING) || self.unsafe_recovery.is_some()
    }
}

/// A peer as Go prints the protobuf: every field with a space after it.
fn go_peer(peer: &Peer) -> String {
    let id = if peer.id == 0 {
        String::new()
    } else {
        format!("id:{} ", peer.id)
    };
    let role = match peer.role {
        Role::Voter => "",
        Role::Learner => "role:Learner ",
        Role::IncomingVoter => "role:IncomingVoter ",
        Role::DemotingVoter => "role:DemotingVoter ",
    };
    format!("{id}store_id:{} {role}", peer.store_id)
}

/// A list as Go prints it: `[1 2 3]`.
fn list(ids: impl Iterator<Item = u64>) -> String {
    let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(" "))
}
