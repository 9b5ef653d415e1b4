//! Findings about what is left on a store that is being emptied.

// length: findings that more than one observation gives, a function each.

use action_core::Finding;
use pd_client::config::Config;
use pd_client::stores::{Store, StoreState};
use serde_json::Value;

use crate::observations::reasons::{self, Reason};
use crate::pd_rules::offline::check_cancel_offline;
use crate::pd_rules::offline_blockers::{Held, Hold, LeftOnStore, named};
use crate::pd_rules::replica_takers::ReplicaTakers;
use crate::pd_rules::room::Room;

/// So many regions are listed as evidence.
const MOST_IDS: usize = 32;

/// Where the rules are read.
const RULES: &str = "GET /pd/api/v1/config/placement-rule";

/// Where it is read what stores are at.
const STORES: &str = "GET /pd/api/v1/stores";

/// Where it is read how replicas fit the rules.
const FITS: &str = "GET /pd/api/v1/config/rules/region/{id}/detail";

/// What holds the replicas that are left.
pub(crate) fn held_on(store: &Store, left: &LeftOnStore) -> Vec<Finding> {
    let held = left.held.iter().map(|held| held_there(store, held));
    let mut findings: Vec<Finding> = held.collect();
    let is_empty = store.status.region_count == 0 && left.held.is_empty() && left.free.is_empty();
    if is_empty && store.state_name == StoreState::Offline {
        findings.push(empty(store));
    }
    findings
}

/// What PD does with the replicas of a store that is down; nothing where it holds none, or where
/// PD leaves them there.
pub(crate) fn being_replaced(store: &Store, config: &Config) -> Option<Finding> {
    let (id, left) = (store.id, store.status.region_count);
    if store.state_name != StoreState::Down || left == 0 || !replaces_down(config) {
        return None;
    }
    let left_text = match left {
        1 => "1 replica is".to_owned(),
        left => format!("{left} replicas are"),
    };
    let text = format!("store {id} is down; {left_text} still to be replaced by PD");
    let found = reasons::STORE_BEING_REPLACED.found(format!("store/{id}"), text);
    let source = format!("GET /pd/api/v1/store/{id}");
    Some(found.seen(source, "region_count", left))
}

/// Whether PD replaces replicas on stores that are down. The rule checker does whatever the switch
/// is (`fixRulePeer` of `rule_checker.go`), the replica checker asks it (`checkDownPeer` of
/// `replica_checker.go`).
pub(crate) fn replaces_down(config: &Config) -> bool {
    let switch = config.schedule.rest.get("enable-remove-down-replica");
    config.replication.enable_placement_rules || switch != Some(&Value::Bool(false))
}

/// What is left without a cause.
pub(crate) fn unexplained(store: &Store, left: &LeftOnStore) -> Option<String> {
    let (id, named) = (store.id, named(&left.free));
    (!left.free.is_empty()).then(|| format!("what keeps {named} on store {id}: no obstacle found"))
}

/// Why what a store holds has no place on the others, by their labels and states, or by what they
/// are at. Of limits it is told elsewhere.
pub(crate) fn no_room(store: &Store, room: &Room<'_>, takers: ReplicaTakers<'_>) -> Vec<Finding> {
    let lacking = room.lacking().into_iter();
    let mut findings: Vec<Finding> = lacking
        .map(|cause| no_free_store(store, cause.text).seen(RULES, "cause", cause.code))
        .collect();
    if findings.is_empty() && room.limited_takers().is_empty() {
        let texts = room.taken_by_too_few(takers).into_iter();
        let found = texts.map(|text| no_free_store(store, text));
        findings.extend(found.map(|found| found.seen(STORES, "store", store.id.get())));
    }
    findings
}

/// What a store holds has no place elsewhere.
fn no_free_store(store: &Store, text: String) -> Finding {
    let found = reasons::NO_FREE_STORE.found(format!("store/{}", store.id), text);
    with_way_back(found, store)
}

/// The finding about a store, with what takes its offline back where that would go ahead.
pub(crate) fn with_way_back(found: Finding, store: &Store) -> Finding {
    if check_cancel_offline(store).is_err() {
        return found;
    }
    let next = format!(
        "{} If the store should stay, take it back with `cancel_offline`.",
        found.next
    );
    found.next(next)
}

fn held_there(store: &Store, held: &Held) -> Finding {
    let about = match held.regions.as_slice() {
        [region] => format!("region/{region}"),
        _ => format!("store/{}", store.id),
    };
    let ids = held.regions.iter().take(MOST_IDS).map(ToString::to_string);
    let ids: Vec<String> = ids.collect();
    let found = reason(held.hold).found(about, held.text.clone());
    if matches!(held.hold, Hold::Rule(_)) {
        return with_way_back(found, store).seen(FITS, "regions", ids);
    }
    found.seen(source(store), "regions", ids)
}

fn reason(hold: Hold) -> Reason {
    match hold {
        Hold::NoLeader => reasons::REGION_WITHOUT_LEADER,
        Hold::LeaderSilent => reasons::LEADER_SILENT,
        Hold::MajorityLost => reasons::MAJORITY_LOST,
        Hold::JointState => reasons::JOINT_STATE,
        Hold::PeerDown => reasons::PEER_DOWN,
        Hold::PeerPending => reasons::PEER_PENDING,
        Hold::Rule(_) => reasons::NO_FREE_STORE,
        Hold::Leaving | Hold::Operator => reasons::OPERATOR_IN_THE_WAY,
    }
}

fn empty(store: &Store) -> Finding {
    let heard = store.last_heartbeat.or(store.status.last_heartbeat_ts);
    let never = heard.map_or(", never sent a heartbeat", |_| "");
    let about = format!("store/{}", store.id);
    let text = format!(
        "store {} is offline, holds nothing{never}, and is not yet a tombstone",
        store.id
    );
    let found = reasons::STORE_OFFLINE_EMPTY.found(about, text);
    found.seen(source(store), "regions", 0)
}

fn source(store: &Store) -> String {
    format!("GET /pd/api/v1/regions/store/{}", store.id)
}
