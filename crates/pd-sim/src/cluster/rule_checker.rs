//! The rule checker: makes a region's peers what the placement rules want.

use crate::cluster::Cluster;
use crate::cluster::fit::{Fit, RuleFit};
use crate::cluster::operator::{Kind, Level, Operator};
use crate::cluster::plan::Plan;
use crate::cluster::region::{Peer, Region};
use crate::cluster::rules::{Rule, RuleRole};
use crate::cluster::store::{Store, StoreState};

/// What a region needs, found while only looking.
#[derive(Debug)]
struct Remedy {
    plan: Plan,
    kind: Kind,
    level: Level,
}

impl Remedy {
    fn new(plan: Plan, kind: Kind) -> Self {
        Self {
            plan,
            kind,
            level: Level::Medium,
        }
    }

    fn replica(plan: Plan) -> Self {
        Self {
            plan,
            kind: Kind::REPLICA,
            level: Level::High,
        }
    }
}

impl Cluster {
    pub(crate) fn check_rules(&mut self, region: &Region) -> Option<Operator> {
        region.leader?;
        // Where rules are off it is the replica checker that does so: `replica_checker.go`.
        let checker = if self.config.placement_rules_are_on() {
            "rule"
        } else {
            "replica"
        };
        if self.is_checker_paused(checker) {
            return None;
        }
        let remedy = self.remedy(region)?;
        let limit = self.config.limit("replica-schedule-limit", self.now);
        if self.count_operators(Kind::REPLICA) >= limit {
            return None;
        }
        let operator = remedy.plan.build(self, remedy.kind).ok()?;
        Some(operator.at_level(remedy.level))
    }

    fn remedy(&self, region: &Region) -> Option<Remedy> {
        let fit = self.fit(region)?;
        if let Some(remedy) = self.fix_orphans(region, &fit) {
            return Some(remedy);
        }
        fit.rules.iter().find_map(|rule_fit| {
            let rule = rule_fit.rule;
            if rule_fit.peers.len() < rule.count {
                return self.add_rule_peer(region, &fit, rule_fit);
            }
            self.replace_lost_peer(region, &fit, rule_fit).or_else(|| {
                rule_fit
                    .with_other_role
                    .iter()
                    .find_map(|peer| self.fix_role(region, rule, peer))
            })
        })
    }

    fn fix_orphans(&self, region: &Region, fit: &Fit<'_>) -> Option<Remedy> {
        let orphan = fit.orphans.first()?;
        let is_unhealthy = |peer: &Peer| {
            region.is_unhealthy_on(peer.store_id) || self.is_disconnected(peer.store_id)
        };
        if fit.is_satisfied() && !fit.taken().any(is_unhealthy) {
            let plan = Plan::new("remove-orphan-peer", region).remove_peer(orphan.store_id);
            return Some(Remedy::new(plan, Kind::NONE));
        }
        self.replace_with_spare(region, fit, is_unhealthy)
            .or_else(|| remove_spare(region, fit))
    }

    fn replace_with_spare(
        &self,
        region: &Region,
        fit: &Fit<'_>,
        is_unhealthy: impl Fn(&Peer) -> bool,
    ) -> Option<Remedy> {
        let lost = fit
            .taken()
            .find(|peer| self.is_disconnected(peer.store_id))?;
        let spare = fit.orphans.iter().find(|peer| !is_unhealthy(peer))?;
        let plan = if spare.is_voter() == lost.is_voter() {
            Plan::new("remove-replaced-orphan-peer", region).remove_peer(lost.store_id)
        } else if lost.is_voter() {
            Plan::new("replace-down-peer-with-orphan-peer", region)
                .promote_learner(spare.store_id)
                .remove_peer(lost.store_id)
        } else {
            Plan::new("replace-down-peer-with-orphan-peer", region)
                .demote_voter(spare.store_id)
                .remove_peer(lost.store_id)
        };
        Some(Remedy::new(plan, Kind::NONE))
    }

    fn add_rule_peer(&self, region: &Region, fit: &Fit<'_>, short: &RuleFit<'_>) -> Option<Remedy> {
        if !self.config.is_on("enable-make-up-replica") {
            return None;
        }
        let rule = short.rule;
        let Some(target) = self.best_target(region, rule, &short.peers) else {
            return self.swap_fit(region, fit, rule);
        };
        let plan = Plan::new("add-rule-peer", region).add_peer(target, rule.role.of_peer());
        Some(Remedy::replica(plan))
    }

    /// Moves a peer of another rule away, so that this one may have its place: `addRulePeer` of
    /// `pkg/schedule/checker/rule_checker.go`, from 7.5 on.
    fn swap_fit(&self, region: &Region, fit: &Fit<'_>, short: &Rule) -> Option<Remedy> {
        if !self.rows().swaps_fits {
            return None;
        }
        region.peers.iter().find_map(|peer| {
            let store = self.stores.get(&peer.store_id)?;
            let mut fits = fit.rules.iter();
            let old = fits.find(|one| one.peers.iter().any(|taken| taken.id == peer.id))?;
            (short.allows(store) && old.is_satisfied())
                .then(|| self.replace(region, fit, old, *peer, "swap-fit"))
                .flatten()
        })
    }

    /// Moves a peer away from a store that is being emptied or has been down for too long.
    fn replace_lost_peer(
        &self,
        region: &Region,
        fit: &Fit<'_>,
        rule_fit: &RuleFit<'_>,
    ) -> Option<Remedy> {
        let max_down_time = self.config.duration("max-store-down-time");
        let peers = &rule_fit.peers;
        let (peer, why) = peers.iter().find_map(|peer| {
            let store = self.stores.get(&peer.store_id)?;
            if region.down.contains_key(&peer.store_id)
                && store.down_time(self.now) > max_down_time
                && (self.config.placement_rules_are_on()
                    || self.config.is_on("enable-remove-down-replica"))
            {
                Some((*peer, "down"))
            } else if store.state == StoreState::Offline
                && (self.config.placement_rules_are_on()
                    || self.config.is_on("enable-replace-offline-replica"))
            {
                Some((*peer, "offline"))
            } else {
                None
            }
        })?;
        self.replace(region, fit, rule_fit, peer, why)
    }

    fn replace(
        &self,
        region: &Region,
        fit: &Fit<'_>,
        rule_fit: &RuleFit<'_>,
        peer: Peer,
        why: &str,
    ) -> Option<Remedy> {
        let rule = rule_fit.rule;
        let others: Vec<Peer> = rule_fit
            .peers
            .iter()
            .copied()
            .filter(|other| other.id != peer.id)
            .collect();
        let target = self.best_target(region, rule, &others)?;
        let leads = region.leader == Some(peer.store_id);
        let heir = leads
            .then(|| {
                fit.taken()
                    .filter(|other| other.id != peer.id && other.is_voter())
                    .filter(|other| !region.is_unhealthy_on(other.store_id))
                    .find(|other| {
                        self.takes_leaders(other.store_id)
                            && self.rules_let_lead(region, other.store_id)
                    })
            })
            .flatten();
        let desc = match heir {
            Some(_) => format!("replace-rule-{why}-leader-peer"),
            None => format!("replace-rule-{why}-peer"),
        };
        let mut plan = Plan::new(&desc, region)
            .remove_peer(peer.store_id)
            .add_peer(target, rule.role.of_peer());
        if let Some(heir) = heir {
            plan = plan.set_leader(heir.store_id);
        }
        Some(Remedy::replica(plan))
    }

    fn fix_role(&self, region: &Region, rule: &Rule, peer: &Peer) -> Option<Remedy> {
        let leads = region.leader == Some(peer.store_id);
        let (plan, kind) = match rule.role {
            RuleRole::Learner if peer.is_voter() => {
                let plan = Plan::new("fix-demote-voter", region).demote_voter(peer.store_id);
                (plan, Kind::NONE)
            }
            RuleRole::Learner => return None,
            _ if !peer.is_voter() => {
                let plan = Plan::new("fix-peer-role", region).promote_learner(peer.store_id);
                (plan, Kind::NONE)
            }
            RuleRole::Leader if !leads && self.may_be_led_by(region, peer) => {
                let plan = Plan::new("fix-leader-role", region).set_leader(peer.store_id);
                (plan, Kind::NONE)
            }
            RuleRole::Follower if leads => {
                // The first that may lead; if that is the leader itself, nothing is built.
                let mut peers = region.peers.iter();
                let other = peers
                    .find(|other| self.may_be_led_by(region, other))
                    .filter(|other| other.id != peer.id)?;
                let plan = Plan::new("fix-follower-role", region).set_leader(other.store_id);
                (plan, Kind::NONE)
            }
            _ => return None,
        };
        Some(Remedy::new(plan, kind))
    }

    fn may_be_led_by(&self, region: &Region, peer: &Peer) -> bool {
        peer.is_voter()
            && self.takes_leaders(peer.store_id)
            && self.rules_let_lead(region, peer.store_id)
    }

    /// Whether a store shares the rule's isolation level, and the labels above it, with none of the
    /// others: `NewIsolationFilter` of `pkg/schedule/filter/filters.go`.
    fn is_isolated(&self, rule: &Rule, store: &Store, others: &[Peer]) -> bool {
        let mut labels = rule.location_labels.iter();
        let Some(level) = labels.position(|label| *label == rule.isolation_level) else {
            return true;
        };
        let labels = &rule.location_labels[..=level];
        let value = |store: &Store, key: &str| {
            let value = store.label(key).filter(|value| !value.is_empty());
            value.map(str::to_owned)
        };
        let mut others = others
            .iter()
            .filter_map(|peer| self.stores.get(&peer.store_id));
        !others.any(|other| {
            let mut labels = labels.iter();
            labels.all(|key| {
                let theirs = value(other, key);
                theirs.is_some() && theirs == value(store, key)
            })
        })
    }

    /// The store that may take a peer under the rule: the best apart from the others, then the
    /// emptiest.
    fn best_target(&self, region: &Region, rule: &Rule, others: &[Peer]) -> Option<u64> {
        self.stores
            .values()
            .filter(|store| {
                store.state == StoreState::Up
                    && !store.is_disconnected(self.now)
                    && rule.allows(store)
                    && region.peer_on(store.id).is_none()
                    && self.is_isolated(rule, store, others)
            })
            .min_by_key(|store| {
                // How many leading location labels the store shares with each of the others.
                let shared: usize = others
                    .iter()
                    .filter_map(|peer| self.stores.get(&peer.store_id))
                    .map(|other| {
                        rule.location_labels
                            .iter()
                            .take_while(|key| {
                                store.label(key).is_some() && store.label(key) == other.label(key)
                            })
                            .count()
                    })
                    .sum();
                (shared, self.regions.held_by(store.id).regions)
            })
            .map(|store| store.id)
    }
}

/// Of several peers that no rule wants, one goes where the region has more than all rules ask for:
/// `fixOrphanPeers` of `pkg/schedule/checker/rule_checker.go`, with `ExtraCount` of `fit.go`.
fn remove_spare(region: &Region, fit: &Fit<'_>) -> Option<Remedy> {
    let asked: usize = fit.rules.iter().map(|one| one.rule.count).sum();
    let second = fit.orphans.get(1)?;
    (region.peers.len() > asked).then(|| {
        let plan = Plan::new("remove-orphan-peer", region).remove_peer(second.store_id);
        Remedy::new(plan, Kind::NONE)
    })
}
