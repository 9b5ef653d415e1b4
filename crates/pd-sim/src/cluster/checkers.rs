//! The checkers: what PD does by itself to a region that is not as it should be.
//!
//! Each patrol asks them in PD's order: leave a joint state, split where labels differ, then the
//! placement rule. The first that finds something gets the region.

use crate::cluster::Cluster;
use crate::cluster::operator::{Kind, Level, Operator};
use crate::cluster::region::{Region, Role};
use crate::cluster::step::{On, SplitPolicy, Step};
use crate::cluster::store::StoreState;

/// How many regions one patrol looks at.
const PATROL: usize = 10_000;

impl Cluster {
    /// One patrol over the regions that may need something.
    pub(crate) fn patrol(&mut self) {
        if self.is_halted()
            || !self.is_bootstrapped()
            || self.is_collecting()
            || self.members.leader().is_none()
        {
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
        let kind = if kind.contains(Kind::ADMIN) && self.rows().default_store_limit {
            kind
        } else {
            kind.with(Kind::SPLIT)
        };
        Operator::new(desc, brief, region, kind, vec![step], self.now)
    }

    fn check(&mut self, region: &Region) -> Option<Operator> {
        self.leave_joint_state(region)
            .or_else(|| self.split_at_labels(region))
            .or_else(|| self.split_at_rules(region))
            .or_else(|| self.check_rules(region))
    }

    /// Nothing is wrong with the region, and nothing will be until something changes.
    fn is_settled(&self, region: &Region) -> bool {
        self.is_normal(region)
            && !region.in_joint_state()
            && !self
                .labeler_split_keys
                .iter()
                .any(|key| region.strictly_contains(key))
            && self.labels.borders_in(region).is_empty()
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
            .chain(self.labels.borders_in(region))
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

    /// Splits a region where a placement rule begins or ends.
    fn split_at_rules(&self, region: &Region) -> Option<Operator> {
        let keys: Vec<String> = self
            .rules
            .borders_in(region)
            .iter()
            .map(|key| key.to_string())
            .collect();
        let is_on = self.config.placement_rules_are_on() && !self.is_checker_paused("split");
        (!keys.is_empty() && is_on).then(|| {
            let policy = SplitPolicy::UseKey;
            self.split_operator("rule-split-region", region, Kind::NONE, policy, keys)
        })
    }
}
