//! How a region's replicas would fit its rules if another of them led.
//!
//! The search of `pkg/schedule/placement/fit.go`: of all ways to give replicas to rules the best,
//! where an earlier rule counts more than a later one, and of equal ways the first that is found.

use std::cmp::Ordering;

use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::rules::{Rule, RuleRole};
use pd_client::stores::Store;

use crate::parameters::ids::StoreId;
use crate::pd_rules::placement::takes;
use crate::pd_rules::region_snapshot::RegionSnapshot;

/// More replicas or rules than this are not searched: ways grow as their factorial.
const SEARCHED: usize = 7;

/// What differs at the largest label counts a hundred times what differs at the next.
const BASE_SCORE: f64 = 100.0;

/// The best way to give a region's replicas to its rules.
pub(crate) struct PlacementFit<'a> {
    rules: Vec<RuleFit<'a>>,
    orphans: Vec<&'a Peer>,
}

/// The replicas that one rule takes.
pub(crate) struct RuleFit<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) peers: Vec<&'a Peer>,
    /// Those that are not what the rule wants.
    pub(crate) with_other_role: Vec<&'a Peer>,
    isolation: f64,
}

impl RuleFit<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        let less_wrong = other.with_other_role.len().cmp(&self.with_other_role.len());
        let apart = self.isolation.total_cmp(&other.isolation);
        let more = self.peers.len().cmp(&other.peers.len());
        more.then(less_wrong).then(apart)
    }
}

impl<'a> PlacementFit<'a> {
    /// The fit if the replica on a store led. `None` where rules are off, or where there are more
    /// than can be searched or witnesses among them.
    pub(crate) fn of(at: &'a RegionSnapshot, leader: StoreId) -> Option<Self> {
        let rules = at.rules.as_deref()?;
        Self::of_region(&at.region, rules.iter().collect(), &at.stores, leader)
    }

    /// The same of a region with the rules that hold for it and the stores that are not tombstones.
    pub(crate) fn of_region(
        region: &'a Region,
        rules: Vec<&'a Rule>,
        stores: &'a [Store],
        leader: StoreId,
    ) -> Option<Self> {
        let peers = &region.peers;
        let has_witness = peers.iter().any(|peer| peer.is_witness);
        if rules.len() > SEARCHED || peers.len() > SEARCHED || has_witness {
            return None;
        }
        let on_store = |peer: &'a Peer| {
            let store = stores.iter().find(|store| store.id == peer.store_id)?;
            Some((peer, store))
        };
        let mut places = peers.iter().map(on_store).collect::<Option<Vec<_>>>()?;
        let state = |peer: &Peer| {
            let down = region.down_peers.iter();
            let mut pending = region.pending_peers.iter();
            match () {
                () if down.map(|down| down.peer.id).any(|id| id == peer.id) => 2,
                () if pending.any(|pending| pending.id == peer.id) => 1,
                () => 0,
            }
        };
        places.sort_by_key(|(peer, _)| (state(peer), peer.id));
        let search = Search {
            rules,
            places,
            leader,
        };
        let rules = search.best(0, 0);
        let is_taken = |peer: &Peer| {
            let mut taken = rules.iter().flat_map(|fit| &fit.peers);
            taken.any(|one| one.id == peer.id)
        };
        let peers = search.places.iter().map(|(peer, _)| *peer);
        let orphans = peers.filter(|peer| !is_taken(peer)).collect();
        Some(Self { rules, orphans })
    }

    /// Replicas that no rule takes, in PD's order.
    pub(crate) fn orphans(&self) -> &[&'a Peer] {
        &self.orphans
    }

    pub(crate) fn rules(&self) -> &[RuleFit<'a>] {
        &self.rules
    }

    /// Whether PD finds it no better than another.
    pub(crate) fn is_no_better_than(&self, other: &Self) -> bool {
        compare(&self.rules, &other.rules) != Ordering::Greater
    }
}

fn compare(these: &[RuleFit<'_>], others: &[RuleFit<'_>]) -> Ordering {
    let mut each = these.iter().zip(others).map(|(a, b)| a.compare(b));
    each.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

struct Search<'a> {
    rules: Vec<&'a Rule>,
    places: Vec<(&'a Peer, &'a Store)>,
    leader: StoreId,
}

impl<'a> Search<'a> {
    /// The best way for the rules from this one on, with the places that are left. Places are
    /// bits of a number, as PD has them, so that of equal ways the same is the first.
    fn best(&self, from: usize, taken: u32) -> Vec<RuleFit<'a>> {
        let Some(rule) = self.rules.get(from) else {
            return Vec::new();
        };
        let fits = |place: &usize| {
            let (_, store) = self.places[*place];
            taken & (1 << place) == 0 && takes(&rule.label_constraints, store)
        };
        let candidates: Vec<usize> = (0..self.places.len()).filter(fits).collect();
        let wanted = usize::try_from(rule.count).unwrap_or(usize::MAX);
        let count = wanted.min(candidates.len());
        let mut best: Option<Vec<RuleFit<'a>>> = None;
        for picked in 0_u32..1 << candidates.len() {
            if usize::try_from(picked.count_ones()) != Ok(count) {
                continue;
            }
            let is_picked = |(bit, _): &(usize, &usize)| picked & (1 << bit) != 0;
            let chosen: Vec<usize> = candidates
                .iter()
                .enumerate()
                .filter(is_picked)
                .map(|(_, place)| *place)
                .collect();
            let now_taken = chosen.iter().fold(taken, |taken, place| taken | 1 << place);
            let mut way = vec![self.rule_fit(rule, &chosen)];
            way.extend(self.best(from + 1, now_taken));
            let is_better = |best: &Vec<_>| compare(&way, best) == Ordering::Greater;
            if best.as_ref().is_none_or(is_better) {
                best = Some(way);
            }
        }
        best.unwrap_or_default()
    }

    fn rule_fit(&self, rule: &'a Rule, chosen: &[usize]) -> RuleFit<'a> {
        let places: Vec<_> = chosen.iter().map(|place| self.places[*place]).collect();
        let peers: Vec<&Peer> = places.iter().map(|(peer, _)| *peer).collect();
        let is_other = |peer: &&&Peer| !self.has_role(peer, &rule.role);
        let stores: Vec<&Store> = places.iter().map(|(_, store)| *store).collect();
        RuleFit {
            rule,
            with_other_role: peers.iter().filter(is_other).copied().collect(),
            isolation: isolation(&stores, &rule.location_labels),
            peers,
        }
    }

    fn has_role(&self, peer: &Peer, role: &RuleRole) -> bool {
        let votes = peer.role != PeerRole::Learner;
        let leads = self.leader == peer.store_id.into();
        match role {
            RuleRole::Voter => votes,
            RuleRole::Leader => leads,
            RuleRole::Follower => votes && !leads,
            RuleRole::Learner => !votes,
            _ => false,
        }
    }
}

/// How far apart stores are: the sum over each two, by the first label in which they differ.
fn isolation(stores: &[&Store], labels: &[String]) -> f64 {
    let mut score = 0.0;
    for (place, one) in stores.iter().enumerate() {
        for other in stores.iter().skip(place + 1) {
            score += distance(one, other, labels);
        }
    }
    score
}

/// How far apart two stores are, by the first label in which they differ.
pub(crate) fn distance(one: &Store, other: &Store, labels: &[String]) -> f64 {
    let differs = |label: &&String| {
        let (one, other) = (one.label(label), other.label(label));
        let set = |value: Option<&str>| value.is_some_and(|value| !value.is_empty());
        let same = one
            .zip(other)
            .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
        set(one) && set(other) && !same
    };
    score(labels.iter().skip_while(|label| !differs(label)).count())
}

/// How far apart two stores are at most.
pub(crate) fn farthest(labels: &[String]) -> f64 {
    score(labels.len())
}

/// The distance of stores that differ in the first of so many labels.
fn score(labels: usize) -> f64 {
    match labels {
        0 => 0.0,
        left => BASE_SCORE.powi(i32::try_from(left - 1).unwrap_or(i32::MAX)),
    }
}
