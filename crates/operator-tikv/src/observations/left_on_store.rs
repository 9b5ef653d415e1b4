//! Findings about what is left on a store that is being emptied.

// length: findings that more than one observation gives, a function each.

use action_core::Finding;
use pd_client::stores::Store;

use crate::observations::reasons::{self, Reason};
use crate::pd_rules::offline_blockers::{Held, Hold, LeftOnStore, named};
use crate::pd_rules::room::Room;

/// So many regions are listed as evidence.
const MOST_IDS: usize = 32;

/// Where the rules are read.
const RULES: &str = "GET /pd/api/v1/config/rules";

/// What holds the replicas that are left.
pub(crate) fn held_on(store: &Store, left: &LeftOnStore) -> Vec<Finding> {
    let held = left.held.iter().map(|held| held_there(store, held));
    let mut findings: Vec<Finding> = held.collect();
    if store.status.region_count == 0 && left.held.is_empty() && left.free.is_empty() {
        findings.push(empty(store));
    }
    findings
}

/// What is left without a cause.
pub(crate) fn unexplained(store: &Store, left: &LeftOnStore) -> Option<String> {
    let (id, named) = (store.id, named(&left.free));
    (!left.free.is_empty())
        .then(|| format!("what keeps {named} on store {id}: nothing was seen in the way"))
}

/// Why what a store holds has no place on the others, by their labels and states.
pub(crate) fn no_room(store: &Store, room: &Room<'_>) -> Vec<Finding> {
    let lacking = room.lacking().into_iter();
    lacking
        .map(|cause| no_free_store(store, cause.text).seen(RULES, "cause", cause.code))
        .collect()
}

/// What a store holds has no place elsewhere.
pub(crate) fn no_free_store(store: &Store, text: String) -> Finding {
    reasons::NO_FREE_STORE.found(format!("store/{}", store.id), text)
}

fn held_there(store: &Store, held: &Held) -> Finding {
    let about = match held.regions.as_slice() {
        [region] => format!("region/{region}"),
        _ => format!("store/{}", store.id),
    };
    let ids = held.regions.iter().take(MOST_IDS).map(ToString::to_string);
    let ids: Vec<String> = ids.collect();
    let found = reason(held.hold).found(about, held.text.clone());
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
        Hold::Leaving | Hold::Operator => reasons::OPERATOR_IN_THE_WAY,
    }
}

fn empty(store: &Store) -> Finding {
    let heard = store.last_heartbeat.or(store.status.last_heartbeat_ts);
    let never = heard.map_or(", was never heard of", |_| "");
    let about = format!("store/{}", store.id);
    let text = format!(
        "store {} is offline, holds nothing{never}, and is not a tombstone yet",
        store.id
    );
    let found = reasons::STORE_OFFLINE_EMPTY.found(about, text);
    found.seen(source(store), "regions", 0)
}

fn source(store: &Store) -> String {
    format!("GET /pd/api/v1/regions/store/{}", store.id)
}
