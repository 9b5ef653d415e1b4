//! Why a store is not given leaders or replicas.

use action_core::Finding;
use pd_client::regions::{PeerRole, Region};
use pd_client::rules::Rule;
use pd_client::stores::{Store, StoreState};
use serde_json::Value;

use crate::facts::bounded_text::bounded;
use crate::facts::drains;
use crate::facts::region::role_name;
use crate::facts::store::state_text;
use crate::observations::findings::{store_limit_low, weight_zero};
use crate::observations::left_on_store::with_way_back;
use crate::observations::reasons::{self, Reason};
use crate::observations::why::barred::{barred, forbidden};
use crate::observations::why::snapshot::{AskedRegion, WhySnapshot};
use crate::pd_rules::leadership::GRANT_LEADER;
use crate::pd_rules::placement::{leads, rules_let_hold, rules_let_lead};
use crate::pd_rules::replica_takers::Refusal;

/// From this score on PD takes a store for slow; 1 is best, 100 worst.
pub(super) const SLOW: u64 = 80;

/// Why the store that was named is not given anything.
pub(super) fn findings(snapshot: &WhySnapshot) -> Vec<Finding> {
    let Some((id, store)) = &snapshot.to else {
        return Vec::new();
    };
    let Some(store) = store else {
        let text = format!("there is no store {id}");
        let source = format!("GET /pd/api/v1/store/{id}");
        let found = reasons::STORE_NOT_FOUND.found(format!("store/{id}"), text);
        return vec![found.seen(source, "store", Value::Null)];
    };
    let mut findings: Vec<Finding> = silence(store).into_iter().collect();
    if store.state_name != StoreState::Up {
        findings.extend(gone(store));
        return findings;
    }
    let region = snapshot
        .region
        .as_ref()
        .and_then(|(_, region)| region.as_ref());
    if store.status.is_busy {
        let text = format!("store {id} reports that it is busy");
        findings.push(about(reasons::STORE_BUSY, store, text, "is_busy", true));
    }
    if snapshot.what.leaders() {
        findings.extend(refuses_leaders(snapshot, store, region));
    }
    if snapshot.what.replicas() {
        findings.extend(refuses_replicas(snapshot, store, region));
    }
    if region.is_none() {
        findings.extend(barred(snapshot, store));
    }
    findings
}

/// What a store is when PD does not hear of it.
pub(super) fn silence(store: &Store) -> Option<Finding> {
    let reason = match store.state_name {
        StoreState::Disconnected => reasons::STORE_DISCONNECTED,
        StoreState::Down => reasons::STORE_DOWN,
        _ => return None,
    };
    let state = state_text(&store.state_name);
    let text = format!("store {} is {state}", store.id);
    Some(about(reason, store, text, "state_name", state))
}

/// What a store is when it is on its way out.
pub(super) fn gone(store: &Store) -> Option<Finding> {
    let reason = match store.state_name {
        StoreState::Offline => reasons::STORE_OFFLINE,
        StoreState::Tombstone => reasons::STORE_REMOVED,
        _ => return None,
    };
    let state = state_text(&store.state_name);
    let text = format!("store {} is {state}", store.id);
    let found = about(reason, store, text, "state_name", state);
    Some(with_way_back(found, store))
}

fn refuses_leaders(
    snapshot: &WhySnapshot,
    store: &Store,
    region: Option<&AskedRegion>,
) -> Vec<Finding> {
    let id = store.id;
    let mut findings = Vec::new();
    if store.is_tiflash() {
        let text = format!("store {id} is a TiFlash store");
        // It is expected of TiFlash stores to hold replicas and lead nothing.
        if !snapshot.what.replicas() {
            findings.push(about(
                reasons::STORE_TIFLASH,
                store,
                text,
                "engine",
                "tiflash",
            ));
        }
        return findings;
    }
    findings.extend(keeps_leaders_away(snapshot, store));
    if region.is_none() {
        findings.extend(weight_zero(
            store,
            "leader_weight",
            store.status.leader_weight,
        ));
    }
    if store.status.slow_score >= SLOW {
        let score = store.status.slow_score;
        let text = format!("store {id} has a slow score of {score}");
        findings.push(about(reasons::STORE_SLOW, store, text, "slow_score", score));
    }
    if let Some(label) = refused_label(snapshot, store) {
        let text = format!("PD gives no leaders to stores labelled `{label}`");
        let reason = reasons::STORE_REFUSES_LEADERS;
        findings.push(about(reason, store, text, "reject-leader", label));
    }
    if let Some(AskedRegion { region, rules, .. }) = region {
        if !rules_let_lead(rules.as_deref(), store) {
            findings.push(forbidden(
                store,
                region,
                "lead",
                rules.iter().flatten().filter(|rule| leads(rule)),
            ));
        }
        // A replica that is to move brings its leadership along.
        if !snapshot.what.replicas() {
            findings.extend(no_voter(store, region));
        }
    }
    findings
}

/// The drain or the scheduler that keeps leaders from a store.
fn keeps_leaders_away(snapshot: &WhySnapshot, store: &Store) -> Option<Finding> {
    let (id, refuses) = (store.id, reasons::STORE_REFUSES_LEADERS);
    if snapshot.is_draining(id) {
        let text = format!("leaders are being drained from store {id}");
        let found = about(reasons::STORE_DRAINED, store, text, "draining", true);
        return Some(found.effect(drains::effect(id)));
    }
    if is_granted(snapshot, store) {
        let shows_out = store.status.pause_leader_transfer_out == Some(true);
        return (!shows_out).then(|| granted(store));
    }
    if let Some(by) = kept_by(snapshot, store) {
        let text = format!("`{by}` keeps leaders away from store {id}");
        return Some(about(refuses, store, text, "kept_by", by));
    }
    let paused = store.status.pause_leader_transfer_in == Some(true);
    paused.then(|| {
        let text = format!("a scheduler keeps leaders away from store {id}");
        about(refuses, store, text, "pause_leader_transfer_in", true)
    })
}

fn refuses_replicas(
    snapshot: &WhySnapshot,
    store: &Store,
    region: Option<&AskedRegion>,
) -> Vec<Finding> {
    let id = store.id;
    let refusals = snapshot.takers().refusals(store).into_iter();
    let refusals = refusals.filter_map(|refusal| refused(store, &refusal));
    let mut findings: Vec<Finding> = refusals.collect();
    if region.is_none() {
        findings.extend(weight_zero(
            store,
            "region_weight",
            store.status.region_weight,
        ));
    }
    if let Some(AskedRegion { region, rules, .. }) = region {
        if let Some(there) = region.peer_on(id)
            && !snapshot.what.leaders()
        {
            let role = role_name(there.role);
            let text = format!("store {id} holds a {role} of region {}", region.id);
            let reason = reasons::REPLICA_ALREADY_THERE;
            findings.push(about(reason, store, text, "role", role));
        }
        if !rules_let_hold(rules.as_deref(), store) {
            let rules = rules.iter().flatten();
            findings.push(forbidden(store, region, "hold a replica of", rules));
        }
    }
    findings
}

/// Whether a store could take a replica of a region that has none there.
pub(super) fn could_take(snapshot: &WhySnapshot, store: &Store, rules: Option<&[Rule]>) -> bool {
    snapshot.takers().refusals(store).is_empty()
        && !store.is_tiflash()
        && rules_let_hold(rules, store)
}

/// Whether a store would take replicas if its limit let any in.
pub(super) fn has_room(snapshot: &WhySnapshot, store: &Store) -> bool {
    let refusals = snapshot.takers().refusals(store);
    let is_limit = |refusal: &Refusal| matches!(refusal, Refusal::Limited(_));
    refusals.iter().all(is_limit)
}

/// Why an Up store is given no replicas; that it is busy is said of leaders as well.
fn refused(store: &Store, refusal: &Refusal) -> Option<Finding> {
    let id = store.id;
    match refusal {
        Refusal::Silent | Refusal::Leaving | Refusal::Busy => None,
        Refusal::Crowded {
            what,
            count,
            allowed,
        } => {
            let text = format!("store {id} has {count} {what}, at most {allowed} allowed");
            Some(about(reasons::STORE_CROWDED, store, text, what, *count))
        }
        Refusal::LowSpace { used, allowed } => {
            let (used, allowed) = (used * 100.0, allowed * 100.0);
            let text = format!(
                "{used:.0} % of the disk of store {id} is in use, at most {allowed:.0} % allowed"
            );
            let available = bounded(store.status.available.as_str());
            let reason = reasons::STORE_LOW_SPACE;
            Some(about(reason, store, text, "available", available))
        }
        Refusal::Limited(limit) => store_limit_low(store, "add-peer", *limit),
    }
}

/// Leaders move to healthy voters.
fn no_voter(store: &Store, region: &Region) -> Option<Finding> {
    let there = region.peer_on(store.id);
    let role = there.map_or_else(|| "none".to_owned(), |peer| role_name(peer.role));
    let votes =
        there.is_some_and(|peer| matches!(peer.role, PeerRole::Voter | PeerRole::IncomingVoter));
    (!votes).then(|| {
        let text = format!("store {} holds no voter of region {}", store.id, region.id);
        about(reasons::NO_REPLICA_THERE, store, text, "role", role)
    })
}

/// The scheduler that keeps leaders from a store.
pub(super) fn kept_by(snapshot: &WhySnapshot, store: &Store) -> Option<&'static str> {
    let mut kept = snapshot.leader_blockers.kept.iter();
    kept.find(|(id, _)| *id == store.id).map(|(_, by)| *by)
}

/// Whether `grant-leader` gives the store leaders.
pub(super) fn is_granted(snapshot: &WhySnapshot, store: &Store) -> bool {
    let mut granted = snapshot.leader_blockers.granted();
    granted.any(|id| id == store.id)
}

/// What is given to the store, and kept there.
pub(super) fn granted(store: &Store) -> Finding {
    let id = store.id;
    let text = format!(
        "`{GRANT_LEADER}` moves the leaders of all regions with a voter on store {id} there and keeps them there: nothing else can move a leader there"
    );
    let reason = reasons::LEADERS_GRANTED;
    about(reason, store, text, "granted_by", GRANT_LEADER)
}

/// The store's label that refuses leaders, as `key=value`.
pub(super) fn refused_label(snapshot: &WhySnapshot, store: &Store) -> Option<String> {
    let refused = &snapshot.leader_blockers.refused_labels;
    let mut labels = store.labels.iter();
    let label = labels.find(|label| {
        let mut refused = refused.iter();
        refused.any(|(key, value)| label.key == *key && label.value == *value)
    })?;
    Some(bounded(&format!("{}={}", label.key, label.value)))
}

fn about(
    reason: Reason,
    store: &Store,
    text: String,
    fact: &str,
    value: impl Into<Value>,
) -> Finding {
    let source = format!("GET /pd/api/v1/store/{}", store.id);
    let found = reason.found(format!("store/{}", store.id), text);
    found.seen(source, fact, value)
}
