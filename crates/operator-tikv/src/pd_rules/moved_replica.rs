//! What PD's rule checker does to a replica that was moved.
//!
//! PD moves one to any store that is there, and asks its rules only afterwards. What no rule takes it
//! removes once the rules have all they want (`fixOrphanPeers` and `addRulePeer` of
//! `pkg/schedule/checker/rule_checker.go`), what has another role than its rule wants it changes
//! (`fixLooseMatchPeer`), and what could be farther from the others it moves (`fixBetterLocation`, with
//! `getBetterLocation` of `replica_strategy.go`), the same from 6.5 on.

use action_core::Cause;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::rules::RuleRole;
use pd_client::stores::{Store, StoreState};
use pd_client::{MAX_ID, PeerId};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::region::can_lead;
use crate::parameters::ids::StoreId;
use crate::pd_rules::placement::takes;
use crate::pd_rules::placement_fit::{PlacementFit, RuleFit, distance};
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::room::Wanted;
use crate::pd_rules::rule_checker::RuleChecker;

/// What the rule checker does when a replica went from one store to another: three reads where it
/// would do something.
pub(crate) async fn undone_by_rules(
    tikv: &Tikv,
    at: &RegionSnapshot,
    from: StoreId,
    to: StoreId,
) -> Result<Option<Cause>, Error> {
    let Some(text) = undone(at, from, to) else {
        return Ok(None);
    };
    let Some(when) = RuleChecker::read(tikv, &at.config, &at.stores)
        .await?
        .when()
    else {
        return Ok(None);
    };
    let text = format!("PD's rule checker {}{when}: {}", text.does, text.why);
    Ok(Some(Cause::new("rule_checker", text)))
}

/// What is done to the replica, and why.
struct Undone {
    does: String,
    why: String,
}

/// What is done whoever leads then.
fn undone(at: &RegionSnapshot, from: StoreId, to: StoreId) -> Option<Undone> {
    let region = moved(&at.region, from, to)?;
    let leader = at.leader().filter(|leader| *leader != from);
    let heirs = region.peers.iter().filter(|peer| can_lead(peer));
    let heirs = heirs.map(|peer| peer.store_id.into());
    let leaders: Vec<StoreId> = leader.map_or_else(|| heirs.collect(), |leader| vec![leader]);
    let each: Option<Vec<_>> = leaders
        .iter()
        .map(|leader| undone_under(at, &region, *leader, to))
        .collect();
    each?.into_iter().next()
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
    at: &RegionSnapshot,
    region: &Region,
    leader: StoreId,
    to: StoreId,
) -> Option<Undone> {
    let rules = at.rules.as_deref()?.iter().collect();
    let fit = PlacementFit::of_region(region, rules, &at.stores, leader)?;
    let is_new = |peer: &&Peer| peer.store_id == to.pd();
    if fit.orphans().iter().any(is_new) {
        return orphaned(at, region, &fit, to);
    }
    let of_other_role = |fit: &&RuleFit<'_>| fit.with_other_role.iter().any(is_new);
    let Some(RuleFit { rule, .. }) = fit.rules().iter().find(of_other_role) else {
        return could_be_farther(at, region, &fit, to);
    };
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
        why: format!("rule `{id}` of group `{group}` takes no other there"),
    })
}

/// PD moves the replica of a rule that is nearest to the others, where a store is farther from them.
fn could_be_farther(
    at: &RegionSnapshot,
    region: &Region,
    fit: &PlacementFit<'_>,
    to: StoreId,
) -> Option<Undone> {
    let store = |id| at.stores.iter().find(|store| store.id == id);
    let is_new = |peer: &&Peer| peer.store_id == to.pd();
    let own = fit
        .rules()
        .iter()
        .find(|fit| fit.peers.iter().any(is_new))?;
    let labels = &own.rule.location_labels;
    let apart = |one: &Store, from: &[&Store]| -> f64 {
        let others = from.iter().filter(|other| other.id != one.id);
        others.map(|other| distance(one, other, labels)).sum()
    };
    let of_rule = own.peers.iter().map(|peer| store(peer.store_id));
    let of_rule = of_rule.collect::<Option<Vec<_>>>()?;
    let new = store(to.pd())?;
    let nearest = apart(new, &of_rule);
    if of_rule.iter().any(|one| apart(one, &of_rule) < nearest) {
        return None;
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
    let wanted = Wanted::by_rule(own.rule);
    let is_better = |one: &&Store| {
        let place = wanted.place(one);
        let is_kept_apart = place.is_none() || beside.iter().all(|at| wanted.place(at) != place);
        one.state_name == StoreState::Up
            && region.peer_on(one.id).is_none()
            && wanted.takes(one)
            && is_kept_apart
            && apart(one, &beside) > apart(new, &beside)
    };
    let better = at.stores.iter().find(is_better)?;
    let or_other = other.map_or_else(String::new, |one| format!(" or that on store {}", one.id));
    Some(Undone {
        does: format!(
            "moves the replica on store {to}{or_other} to a store farther from the others \
             (`move-to-better-location`)"
        ),
        why: format!("store {} is one, by {}", better.id, named(labels)),
    })
}

/// Labels as text, such as `` `zone`, `host` ``.
fn named(labels: &[String]) -> String {
    let labels = labels.iter().map(|label| format!("`{}`", bounded(label)));
    labels.collect::<Vec<_>>().join(", ")
}

/// An orphan goes once no rule lacks a replica: none goes where one cannot be had.
fn orphaned(
    at: &RegionSnapshot,
    region: &Region,
    fit: &PlacementFit<'_>,
    to: StoreId,
) -> Option<Undone> {
    let lacking = |fit: &RuleFit<'_>| {
        let wanted = usize::try_from(fit.rule.count).unwrap_or(usize::MAX);
        wanted.saturating_sub(fit.peers.len())
    };
    let is_free =
        |store: &&Store| store.state_name == StoreState::Up && region.peer_on(store.id).is_none();
    let mut lack = false;
    for fit in fit.rules().iter().filter(|fit| lacking(fit) > 0) {
        let free = at.stores.iter().filter(is_free);
        let free = free.filter(|store| takes(&fit.rule.label_constraints, store));
        if free.count() < lacking(fit) {
            return None;
        }
        lack = true;
    }
    let first = if lack {
        "adds one elsewhere (`add-rule-peer`) and then "
    } else {
        ""
    };
    Some(Undone {
        does: format!("{first}takes the replica on store {to} away again (`remove-orphan-peer`)"),
        why: "its rules want none there".to_owned(),
    })
}
