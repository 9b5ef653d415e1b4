//! The checkers: what PD does by itself to a region that is not as it should be.
//!
//! Each patrol asks them in PD's order: leave a joint state, split where labels differ, then the
//! placement rule. The first that finds something gets the region.

use crate::cluster::Cluster;
use crate::cluster::operator::{Kind, Level, Operator};
use crate::cluster::plan::Plan;
use crate::cluster::region::{Peer, Region, Role};
use crate::cluster::rules::Fit;
use crate::cluster::step::{On, SplitPolicy, Step};
use crate::cluster::store::StoreState;

/// How many regions one patrol looks at.
const PATROL: usize = 10_000;

impl Cluster {
    /// One patrol over the regions that may need something.
    pub(crate) fn patrol(&mut self) {
        if self.is_halted() || !self.is_bootstrapped() || self.members.leader().is_none() {
            return;
        }
        let regions: Vec<u64> = self
            .unchecked
            .range(self.patrolled..)
            .copied()
            .take(PATROL)
            .collect();
        self.patrolled = match regions.last() {
            Some(last) if regions.len() == PATROL => last + 1,
            _ => 0,
        };
        for region_id in regions {
            if self.operators.contains_key(&region_id) {
                continue;
            }
            let Some(region) = self.regions.get(region_id) else {
                self.unchecked.remove(&region_id);
                continue;
            };
            if self.is_settled(region) {
                self.unchecked.remove(&region_id);
                continue;
            }
            let region = region.clone();
            // What a store has no room for now waits for a later patrol.
            if let Some(operator) = self.check(&region)
                && !self.exceeds_store_limit(&operator)
            {
                self.add_operators(vec![operator]);
            }
        }
    }

    /// A split operator as the labeler or an administrator makes it.
    pub(crate) fn split_operator(
        &self,
        desc: &str,
        region: &Region,
        kind: Kind,
        policy: SplitPolicy,
        keys: Vec<String>,
    ) -> Operator {
        let mut brief = format!("split: region {} use policy {policy}", region.id);
        if !keys.is_empty() {
            brief.push_str(&format!(" and keys [{}]", keys.join(" ")));
        }
        let step = Step::Split {
            start_key: region.start_key.clone(),
            end_key: region.end_key.clone(),
            policy,
            keys,
        };
        let kind = kind.with(Kind::SPLIT);
        Operator::new(desc, brief, region, kind, vec![step], self.now)
    }

    fn check(&mut self, region: &Region) -> Option<Operator> {
        self.leave_joint_state(region)
            .or_else(|| self.split_at_labels(region))
            .or_else(|| self.check_rule(region))
    }

    /// Nothing is wrong with the region, and nothing will be until something changes.
    fn is_settled(&self, region: &Region) -> bool {
        self.is_normal(region)
            && !region.in_joint_state()
            && !self
                .labeler_split_keys
                .iter()
                .any(|key| region.strictly_contains(key))
            && region.peers.iter().all(|peer| {
                self.stores
                    .get(&peer.store_id)
                    .is_some_and(|store| store.state == StoreState::Up)
                    && !self.is_disconnected(peer.store_id)
            })
    }

    fn leave_joint_state(&self, region: &Region) -> Option<Operator> {
        if !region.in_joint_state() || self.is_checker_paused("joint-state") {
            return None;
        }
        let with_role = |role: Role| -> Vec<On> {
            let mut on: Vec<On> = region
                .peers
                .iter()
                .filter(|peer| peer.role == role)
                .map(On::from)
                .collect();
            on.sort_unstable_by_key(|on| on.store_id);
            on
        };
        let (promote, demote) = (
            with_role(Role::IncomingVoter),
            with_role(Role::DemotingVoter),
        );
        let (word, changed) = if promote.is_empty() {
            ("demote", &demote)
        } else {
            ("promote", &promote)
        };
        let stores: Vec<String> = changed.iter().map(|on| on.store_id.to_string()).collect();
        let brief = format!("{word} peer: store [{}]", stores.join(" "));
        let mut kind = Kind::NONE;
        let mut steps = Vec::new();
        let leader = region.leader?;
        if demote.iter().any(|on| on.store_id == leader) {
            let to = region.peers.iter().find(|peer| {
                matches!(peer.role, Role::Voter | Role::IncomingVoter)
                    && self.takes_leaders(peer.store_id)
            })?;
            steps.push(Step::TransferLeader {
                from: leader,
                to: to.store_id,
                also: Vec::new(),
            });
            kind = Kind::LEADER;
        }
        steps.push(Step::LeaveJoint { promote, demote });
        let operator = Operator::new("leave-joint-state", brief, region, kind, steps, self.now);
        Some(operator.at_level(Level::High))
    }

    fn split_at_labels(&self, region: &Region) -> Option<Operator> {
        let keys: Vec<String> = self
            .labeler_split_keys
            .iter()
            .filter(|key| region.strictly_contains(key))
            .cloned()
            .collect();
        (!keys.is_empty() && !self.is_checker_paused("split")).then(|| {
            self.split_operator(
                "labeler-split-region",
                region,
                Kind::NONE,
                SplitPolicy::UseKey,
                keys,
            )
        })
    }

    fn check_rule(&mut self, region: &Region) -> Option<Operator> {
        region.leader?;
        if self.is_checker_paused("rule") {
            return None;
        }
        let fit = self.fit(region);
        let operator = self
            .fix_orphans(region, &fit)
            .or_else(|| self.make_up_replica(region, &fit))
            .or_else(|| self.replace_lost_peer(region, &fit))
            .or_else(|| self.fix_role(region, &fit))?;
        let limit = self.config.limit("replica-schedule-limit", self.now);
        (self.count_operators(Kind::REPLICA) < limit).then_some(operator)
    }

    fn fix_orphans(&mut self, region: &Region, fit: &Fit) -> Option<Operator> {
        let orphan = fit.orphans.first()?;
        let is_unwell = |peer: &Peer| {
            region.is_unhealthy_on(peer.store_id) || self.is_disconnected(peer.store_id)
        };
        if fit.is_satisfied() && !fit.taken.iter().any(is_unwell) {
            return Plan::new("remove-orphan-peer", region)
                .remove_peer(orphan.store_id)
                .build(self, Kind::NONE)
                .ok();
        }
        let lost = fit.taken.iter().find(|peer| is_unwell(peer))?;
        let spare = fit
            .orphans
            .iter()
            .find(|peer| peer.role == Role::Learner && !is_unwell(peer))?;
        Plan::new("replace-down-peer-with-orphan-peer", region)
            .promote_learner(spare.store_id)
            .remove_peer(lost.store_id)
            .build(self, Kind::NONE)
            .ok()
    }

    fn make_up_replica(&mut self, region: &Region, fit: &Fit) -> Option<Operator> {
        if fit.taken.len() >= fit.wanted || !self.config.is_on("enable-make-up-replica") {
            return None;
        }
        let target = self.best_target(region)?;
        Plan::new("add-rule-peer", region)
            .add_peer(target, Role::Voter)
            .build(self, Kind::REPLICA)
            .ok()
    }

    /// Moves a peer away from a store that is being emptied or has been down for too long.
    fn replace_lost_peer(&mut self, region: &Region, fit: &Fit) -> Option<Operator> {
        let max_down_time = self.config.duration("max-store-down-time");
        let (peer, why) = fit.taken.iter().find_map(|peer| {
            let store = self.stores.get(&peer.store_id)?;
            if region.down.contains_key(&peer.store_id)
                && store.down_time(self.now) > max_down_time
                && self.config.is_on("enable-remove-down-replica")
            {
                Some((*peer, "down"))
            } else if store.state == StoreState::Offline
                && self.config.is_on("enable-replace-offline-replica")
            {
                Some((*peer, "offline"))
            } else {
                None
            }
        })?;
        let target = self.best_target(region)?;
        Plan::new(&format!("replace-rule-{why}-peer"), region)
            .remove_peer(peer.store_id)
            .add_peer(target, Role::Voter)
            .build(self, Kind::REPLICA)
            .ok()
    }

    fn fix_role(&mut self, region: &Region, fit: &Fit) -> Option<Operator> {
        let learner = fit.taken.iter().find(|peer| !peer.is_voter())?;
        Plan::new("fix-peer-role", region)
            .promote_learner(learner.store_id)
            .build(self, Kind::NONE)
            .ok()
    }

    /// The emptiest store that may take a peer of the region.
    fn best_target(&self, region: &Region) -> Option<u64> {
        self.stores
            .values()
            .filter(|store| {
                store.state == StoreState::Up
                    && !store.is_disconnected(self.now)
                    && region.peer_on(store.id).is_none()
            })
            .min_by_key(|store| self.regions.held_by(store.id).regions)
            .map(|store| store.id)
    }
}
