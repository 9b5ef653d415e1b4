//! What PD's rule checker does to a replica that was moved.
//!
//! PD moves one to any store that is there, and asks its rules only afterwards. What no rule takes it
//! removes once the rules have all they want (`fixOrphanPeers` and `addRulePeer` of
//! `pkg/schedule/checker/rule_checker.go`), what has another role than its rule wants it changes
//! (`fixLooseMatchPeer`), and what could be farther from the others it moves (`fixBetterLocation`, with
//! `getBetterLocation` of `replica_strategy.go`), the same from 6.5 on.

use action_core::Cause;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::rules::{Rule, RuleRole};
use pd_client::stores::{Store, StoreState};
use pd_client::{MAX_ID, PeerId};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::region::can_lead;
use crate::parameters::ids::StoreId;
use crate::pd_rules::placement::takes;
use crate::pd_rules::placement_fit::{PlacementFit, RuleFit, distance, farthest};
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::room::Wanted;
use crate::pd_rules::rule_checker::RuleChecker;

/// What the rule checker does when a replica went from one store to another: four reads where it
/// would do something, and all stores where that hangs on which others there are.
pub(crate) async fn undone_by_rules(
    tikv: &Tikv,
    at: &RegionSnapshot,
    from: StoreId,
    to: StoreId,
) -> Result<Option<Cause>, Error> {
    let undone = match undone(at, None, from, to) {
        Err(OtherStores) => {
            let all = tikv.pd.stores().await.map_err(Error::Read)?;
            undone(at, Some(&all), from, to)
        }
        known => known,
    };
    let Some(text) = undone.ok().flatten() else {
        return Ok(None);
    };
    let checker = RuleChecker::read(tikv, &at.config).await?;
    let Some(when) = checker.when() else {
        return Ok(None);
    };
    let text = format!("PD's rule checker {}{when}: {}", text.does, text.why);
    Ok(Some(Cause::new("rule_checker", text)))
}

/// That what is done hangs on the stores that hold no replica of the region.
struct OtherStores;

/// What is done to the replica, and why.
struct Undone {
    does: String,
    why: String,
}

/// What is done whoever leads then.
fn undone(
    at: &RegionSnapshot,
    all: Option<&[Store]>,
    from: StoreId,
    to: StoreId,
) -> Result<Option<Undone>, OtherStores> {
    let Some(region) = moved(&at.region, from, to) else {
        return Ok(None);
    };
    let leader = at.leader().filter(|leader| *leader != from);
    let heirs = region.peers.iter().filter(|peer| can_lead(peer));
    let heirs = heirs.map(|peer| peer.store_id.into());
    let leaders: Vec<StoreId> = leader.map_or_else(|| heirs.collect(), |leader| vec![leader]);
    let mut first = None;
    for leader in leaders {
        let Some(undone) = undone_under((at, all), &region, leader, to)? else {
            return Ok(None);
        };
        first = first.or(Some(undone));
    }
    Ok(first)
}

/// The region after the move. The new replica's id is larger than all others, as PD counts up.
fn moved(region: &Region, from: StoreId, to: StoreId) -> Option<Region> {
    let mut region = region.clone();
    let at = |peer: &Peer| peer.store_id == from.pd();
    let place = region.peers.iter().position(at)?;
    let mut new = region.peers.remove(place);
    new.id = PeerId::new(MAX_ID).ok()?;
    new.store_id = to.pd();
    region.peers.push(new);
    Some(region)
}

fn undone_under(
    (at, all): (&RegionSnapshot, Option<&[Store]>),
    region: &Region,
    leader: StoreId,
    to: StoreId,
) -> Result<Option<Undone>, OtherStores> {
    let Some(rules) = at.rules.as_deref() else {
        return Ok(None);
    };
    let rules = rules.iter().collect();
    let Some(fit) = PlacementFit::of_region(region, rules, &at.stores, leader) else {
        return Ok(None);
    };
    let is_new = |peer: &&Peer| peer.store_id == to.pd();
    if fit.orphans().iter().any(is_new) {
        return orphaned(all, region, &fit, to);
    }
    let of_other_role = |fit: &&RuleFit<'_>| fit.with_other_role.iter().any(is_new);
    match fit.rules().iter().find(of_other_role) {
        Some(fit) => Ok(of_another_role(region, fit.rule, to)),
        None => could_be_farther((at, all), region, &fit, to),
    }
}

/// A rule that takes the replica wants it to have another role.
fn of_another_role(region: &Region, rule: &Rule, to: StoreId) -> Option<Undone> {
    let learns = region.peer_on(to.pd())?.role == PeerRole::Learner;
    let (role, desc) = match (&rule.role, learns) {
        (RuleRole::Learner, false) => ("Learner", "fix-demote-voter"),
        (RuleRole::Voter | RuleRole::Leader | RuleRole::Follower, true) => {
            ("Voter", "fix-peer-role")
        }
        _ => return None,
    };
    let (id, group) = (bounded(&rule.id), bounded(&rule.group_id));
    Some(Undone {
        does: format!("makes the replica on store {to} a {role} (`{desc}`)"),
        why: format!("rule `{id}` of group `{group}` allows no other there"),
    })
}

/// PD moves the replica of a rule that is nearest to the others, where a store is farther from them.
fn could_be_farther(
    (at, all): (&RegionSnapshot, Option<&[Store]>),
    region: &Region,
    fit: &PlacementFit<'_>,
    to: StoreId,
) -> Result<Option<Undone>, OtherStores> {
    let store = |id| at.stores.iter().find(|store| store.id == id);
    let is_new = |peer: &&Peer| peer.store_id == to.pd();
    let mut takers = fit.rules().iter();
    let own = takers.find(|fit| fit.peers.iter().any(is_new));
    let (Some(own), Some(new)) = (own, store(to.pd())) else {
        return Ok(None);
    };
    let labels = &own.rule.location_labels;
    let apart = |one: &Store, from: &[&Store]| -> f64 {
        let others = from.iter().filter(|other| other.id != one.id);
        others.map(|other| distance(one, other, labels)).sum()
    };
    let of_rule = own.peers.iter().map(|peer| store(peer.store_id));
    // A fit is found where all of them are known.
    let of_rule: Vec<&Store> = of_rule.flatten().collect();
    let nearest = apart(new, &of_rule);
    if of_rule.iter().any(|one| apart(one, &of_rule) < nearest) {
        return Ok(None);
    }
    let mut as_near = of_rule.iter().filter(|one| one.id != new.id);
    let other = as_near.find(|one| apart(one, &of_rule) <= nearest);
    // Replicas of other rules of its role count as well.
    let is_taken = |one: &&Store| {
        let mut rules = fit.rules().iter().map(|fit| fit.rule);
        rules.any(|rule| rule.role == own.rule.role && takes(&rule.label_constraints, one))
    };
    let beside = region.peers.iter().filter_map(|peer| store(peer.store_id));
    let beside: Vec<&Store> = beside
        .filter(is_taken)
        .filter(|one| one.id != new.id)
        .collect();
    let now = apart(new, &beside);
    if now >= farthest(labels) * beside.len() as f64 {
        return Ok(None);
    }
    let wanted = Wanted::by_rule(own.rule);
    let is_better = |one: &&Store| {
        let place = wanted.place(one);
        let is_kept_apart = place.is_none() || beside.iter().all(|at| wanted.place(at) != place);
        one.state_name == StoreState::Up
            && region.peer_on(one.id).is_none()
            && wanted.takes(one)
            && is_kept_apart
            && apart(one, &beside) > now
    };
    let Some(better) = all.ok_or(OtherStores)?.iter().find(is_better) else {
        return Ok(None);
    };
    Ok(Some(moved_farther(to, other.copied(), better, labels)))
}

fn moved_farther(to: StoreId, other: Option<&Store>, better: &Store, labels: &[String]) -> Undone {
    let or_other = other.map_or_else(String::new, |one| format!(" or that on store {}", one.id));
    Undone {
        does: format!(
            "moves the replica on store {to}{or_other} to a store farther from the others (`move-to-better-location`)"
        ),
        why: format!("store {} is one, by {}", better.id, named(labels)),
    }
}

/// Labels as text, such as `` `zone`, `host` ``.
fn named(labels: &[String]) -> String {
    let labels = labels.iter().map(|label| format!("`{}`", bounded(label)));
    labels.collect::<Vec<_>>().join(", ")
}

/// An orphan goes once no rule lacks a replica: none goes where one cannot be had.
fn orphaned(
    all: Option<&[Store]>,
    region: &Region,
    fit: &PlacementFit<'_>,
    to: StoreId,
) -> Result<Option<Undone>, OtherStores> {
    let lacking = |fit: &RuleFit<'_>| {
        let wanted = usize::try_from(fit.rule.count).unwrap_or(usize::MAX);
        wanted.saturating_sub(fit.peers.len())
    };
    let is_free =
        |store: &&Store| store.state_name == StoreState::Up && region.peer_on(store.id).is_none();
    let mut lack = false;
    for fit in fit.rules().iter().filter(|fit| lacking(fit) > 0) {
        let free = all.ok_or(OtherStores)?.iter().filter(is_free);
        let free = free.filter(|store| takes(&fit.rule.label_constraints, store));
        if free.count() < lacking(fit) {
            return Ok(None);
        }
        lack = true;
    }
    let first = if lack {
        "adds one elsewhere (`add-rule-peer`) and then "
    } else {
        ""
    };
    Ok(Some(Undone {
        does: format!("{first}removes the replica on store {to} again (`remove-orphan-peer`)"),
        why: "the placement rules require none there".to_owned(),
    }))
}
