//! How a region's peers fit the rules that hold for it, and which of them no rule wants.

use crate::cluster::Cluster;
use crate::cluster::region::{Peer, Region};
use crate::cluster::rules::{Rule, RuleRole};

/// A region beside its rules.
#[derive(Debug)]
pub(crate) struct Fit<'a> {
    pub(crate) rules: Vec<RuleFit<'a>>,
    /// Peers no rule wants.
    pub(crate) orphans: Vec<Peer>,
}

/// The peers one rule takes.
#[derive(Debug)]
pub(crate) struct RuleFit<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) peers: Vec<Peer>,
    /// Those among them that should be something else.
    pub(crate) with_other_role: Vec<Peer>,
}

impl RuleFit<'_> {
    pub(crate) fn is_satisfied(&self) -> bool {
        self.peers.len() == self.rule.count && self.with_other_role.is_empty()
    }
}

impl Fit<'_> {
    pub(crate) fn is_satisfied(&self) -> bool {
        self.rules.iter().all(RuleFit::is_satisfied)
    }

    /// All peers that some rule takes.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &Peer> {
        self.rules.iter().flat_map(|fit| &fit.peers)
    }
}

impl Cluster {
    /// Matches a region with its rules, in their order. Peers that are what a rule wants come
    /// first, then healthy ones, then older ones. `None` where the region spans rules' borders.
    pub(crate) fn fit<'a>(&'a self, region: &Region) -> Option<Fit<'a>> {
        let rules = self.rules_for(region)?;
        let mut left = region.peers.clone();
        let fits = rules
            .into_iter()
            .map(|rule| {
                let mut candidates: Vec<Peer> = left
                    .iter()
                    .copied()
                    .filter(|peer| rule.role != RuleRole::Learner || !peer.is_voter())
                    .filter(|peer| {
                        self.stores
                            .get(&peer.store_id)
                            .is_some_and(|store| rule.allows(store))
                    })
                    .collect();
                let is_right =
                    |peer: &Peer| rule.role.is(peer, region.leader == Some(peer.store_id));
                candidates.sort_unstable_by_key(|peer| {
                    let is_unhealthy = region.is_unhealthy_on(peer.store_id)
                        || self.is_disconnected(peer.store_id);
                    (!is_right(peer), is_unhealthy, peer.id)
                });
                candidates.truncate(rule.count);
                left.retain(|peer| candidates.iter().all(|taken| taken.id != peer.id));
                let with_other_role = candidates
                    .iter()
                    .copied()
                    .filter(|peer| !is_right(peer))
                    .collect();
                RuleFit {
                    rule,
                    peers: candidates,
                    with_other_role,
                }
            })
            .collect();
        Some(Fit {
            rules: fits,
            orphans: left,
        })
    }

    /// The rules of a region; without placement rules, one for as many voters as configured.
    pub(crate) fn rules_for(&self, region: &Region) -> Option<Vec<&Rule>> {
        if self.config.placement_rules_are_on() {
            self.rules.for_region(region)
        } else {
            Some(self.rules.get("pd", "default").into_iter().collect())
        }
    }

    /// Exactly the peers the rules want, all well.
    pub(crate) fn is_normal(&self, region: &Region) -> bool {
        region.is_healthy() && self.is_replicated(region)
    }

    /// Whether the rules let the store lead the region.
    pub(crate) fn rules_let_lead(&self, region: &Region, store_id: u64) -> bool {
        if !self.config.placement_rules_are_on() {
            return true;
        }
        let Some(store) = self.stores.get(&store_id) else {
            return false;
        };
        self.rules_for(region).is_some_and(|rules| {
            rules.iter().any(|rule| {
                matches!(rule.role, RuleRole::Leader | RuleRole::Voter) && rule.allows(store)
            })
        })
    }
}
