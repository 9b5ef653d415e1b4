//! Stores that are down, do not get empty, or keep a limit of when they were being emptied.

use action_core::Finding;
use pd_client::config::Config;
use pd_client::rules::Rule;
use pd_client::stores::{Store, StoreState};
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::pd_clock::{PdTime, unix_ms};
use crate::facts::settings_in_force::Overrides;
use crate::facts::store::limit_of;
use crate::mutations::store::offline::LIFTED;
use crate::observations::doctor::leftovers::Leftovers;
use crate::observations::findings::{store_limit_low, too_few_stores, weight_zero};
use crate::observations::left_on_store::{being_replaced, held_on, no_room, with_way_back};
use crate::observations::reasons;
use crate::pd_rules::leader_silent::is_silent;
use crate::pd_rules::leadership::{EVICTING, may_run};
use crate::pd_rules::offline_blockers::{Hold, LeftOnStore};
use crate::pd_rules::replica_takers::ReplicaTakers;
use crate::pd_rules::room::Room;

/// How many stores that are being emptied are asked for their progress.
const MOST_ASKED: usize = 8;

pub(super) async fn find(
    tikv: &Tikv,
    stores: &[Store],
    (config, overrides): (&Config, Option<&Overrides>),
    rules: Option<&[Rule]>,
    found: &mut Leftovers,
) -> Result<(), Error> {
    let now = PdTime::now(tikv);
    let down = stores
        .iter()
        .filter(|one| one.state_name == StoreState::Down);
    for store in down {
        found.findings.push(silent(store, now));
        found.findings.extend(being_replaced(store, config));
    }
    found.findings.extend(too_few_stores(config, stores));
    let silent_for_now = |one: &&Store| one.state_name == StoreState::Disconnected;
    let disconnected = stores.iter().filter(silent_for_now);
    found
        .findings
        .extend(disconnected.map(|store| silent(store, now)));
    found
        .findings
        .extend(stores.iter().filter_map(leads_in_silence));
    found
        .findings
        .extend(stores.iter().flat_map(|store| held_back(store, config)));
    found.findings.extend(evicted(tikv, config).await?);
    emptied(tikv, stores, (config, overrides), rules, found).await?;
    let limited = stores.iter().filter(|store| {
        let limit = limit_of(&config.schedule, store);
        store.state_name != StoreState::Offline
            && limit.is_some_and(|limit| limit.remove_peer >= LIFTED)
    });
    found.findings.extend(limited.map(limit_left));
    Ok(())
}

/// Stores that are being emptied and do not get empty, and what holds the regions on them.
async fn emptied(
    tikv: &Tikv,
    stores: &[Store],
    (config, overrides): (&Config, Option<&Overrides>),
    rules: Option<&[Rule]>,
    found: &mut Leftovers,
) -> Result<(), Error> {
    let is_offline = |store: &&Store| store.state_name == StoreState::Offline;
    let offline: Vec<&Store> = stores.iter().filter(is_offline).collect();
    found.cut |= offline.len() > MOST_ASKED;
    if offline.is_empty() {
        return Ok(());
    }
    let operators = tikv.pd.operators().await.map_err(Error::Read)?;
    for store in offline.into_iter().take(MOST_ASKED) {
        let cluster = (config, stores);
        let mut left = LeftOnStore::read(tikv, store, cluster, rules, &operators).await?;
        if store.status.region_count > 0 {
            let progress = tikv.pd.store_progress(store.id).await;
            let progress = progress.map_err(Error::Read)?;
            // An average over ten minutes at least (`minSpeedCalculationWindow` of
            // `pkg/progress/progress.go`): one above 0 does not say that anything moves now, and
            // one of 0 not that nothing does.
            let speed = progress.as_ref().map(|one| one.current_speed);
            let is_leaving = left.held.iter().any(|held| held.hold == Hold::Leaving);
            if is_leaving || speed.is_some_and(|speed| speed > 0.0) {
                found
                    .findings
                    .push(with_way_back(being_emptied(store), store));
                left.held.retain(|held| held.hold != Hold::Leaving);
            } else {
                let share = progress.map(|one| one.progress);
                found
                    .findings
                    .push(with_way_back(stuck(store, share), store));
            }
            let room = Room::of(store, rules, config, stores);
            let takers = ReplicaTakers::under(&config.schedule, overrides);
            found.findings.extend(no_room(store, &room, takers));
        }
        found.findings.extend(held_on(store, &left));
        found.unknown.extend(left.not_read);
    }
    Ok(())
}

/// Replicas that are left, with the verb.
fn still_on(left: u64) -> String {
    match left {
        1 => "1 replica is".to_owned(),
        left => format!("{left} replicas are"),
    }
}

fn silent(store: &Store, now: Option<PdTime>) -> Finding {
    let id = store.id;
    let heard = store.last_heartbeat.or(store.status.last_heartbeat_ts);
    let silent_s = heard.and_then(|at| Some(now?.seconds_since(at)));
    let (reason, state) = match store.state_name {
        StoreState::Down => (reasons::STORE_DOWN_LONG, "down"),
        _ => (reasons::STORE_DISCONNECTED, "disconnected"),
    };
    let text = match silent_s {
        Some(silent_s) => format!("store {id} is {state}, last heartbeat {silent_s} s ago"),
        None => format!("store {id} is {state}"),
    };
    let source = format!("GET /pd/api/v1/store/{id}");
    let found = reason.found(format!("store/{id}"), text);
    found.seen(source, "last_heartbeat_unix_ms", heard.and_then(unix_ms))
}

/// Regions whose leader PD knows on a store that it does not hear of: no other voter has reported
/// to lead them.
fn leads_in_silence(store: &Store) -> Option<Finding> {
    let (id, leaders) = (store.id, store.status.leader_count);
    if !is_silent(store) || leaders == 0 {
        return None;
    }
    let regions = match leaders {
        1 => "1 region".to_owned(),
        leaders => format!("{leaders} regions"),
    };
    let text = format!(
        "store {id} sends no heartbeats but leads {regions} as far as PD knows: no other store has reported as leader"
    );
    let found = reasons::LEADER_SILENT.found(format!("store/{id}"), text);
    let source = format!("GET /pd/api/v1/store/{id}");
    Some(found.seen(source, "leader_count", leaders))
}

/// What keeps a store that serves from its share of the work.
fn held_back(store: &Store, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let status = &store.status;
    // Of a store that cannot be read nothing is known.
    if matches!(store.state_name, StoreState::Other(_)) {
        return findings;
    }
    findings.extend(weight_zero(store, "leader_weight", status.leader_weight));
    findings.extend(weight_zero(store, "region_weight", status.region_weight));
    if let Some(limit) = limit_of(&config.schedule, store) {
        findings.extend(store_limit_low(store, "add-peer", limit.add_peer));
        findings.extend(store_limit_low(store, "remove-peer", limit.remove_peer));
    }
    findings
}

/// Stores that PD keeps leaders from by itself. One read for each scheduler that may.
async fn evicted(tikv: &Tikv, config: &Config) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for kind in EVICTING {
        let name = kind.name();
        if !may_run(config, name) {
            continue;
        }
        let stores = tikv.pd.evicted_stores(kind).await.map_err(Error::Read)?;
        findings.extend(stores.into_iter().flatten().map(|id| {
            let text = format!("`{name}` keeps leaders away from store {id}");
            let found = reasons::STORE_EVICTED.found(format!("store/{id}"), text);
            found.seen(
                format!("GET /pd/api/v1/scheduler-config/{name}/list"),
                "store",
                id.get(),
            )
        }));
    }
    Ok(findings)
}

fn being_emptied(store: &Store) -> Finding {
    let (id, left) = (store.id, store.status.region_count);
    let text = format!("store {id} is offline and {} still on it", still_on(left));
    reasons::STORE_BEING_EMPTIED
        .found(format!("store/{id}"), text)
        .seen(format!("GET /pd/api/v1/store/{id}"), "region_count", left)
        .effect(format!("offline/{id}"))
}

fn stuck(store: &Store, progress: Option<f64>) -> Finding {
    let (id, left) = (store.id, store.status.region_count);
    let text = format!(
        "store {id} is offline, {} still on it, and none are moving",
        still_on(left)
    );
    reasons::STORE_OFFLINE_LONG
        .found(format!("store/{id}"), text)
        .seen(format!("GET /pd/api/v1/store/{id}"), "region_count", left)
        .seen(
            "GET /pd/api/v1/stores/progress",
            "progress",
            progress.map_or(Value::Null, Value::from),
        )
        .effect(format!("offline/{id}"))
}

/// What it was before nobody says: the next step names PD's default, and none is offered as a fix.
fn limit_left(store: &Store) -> Finding {
    let id = store.id;
    let text = format!(
        "store {id} serves, but still has the `remove-peer` limit of a store being emptied"
    );
    reasons::REMOVE_LIMIT_LEFT
        .found(format!("store/{id}"), text)
        .seen("GET /pd/api/v1/config", "remove-peer", LIFTED)
        .effect(format!("config/store-limit.{id}.remove-peer"))
}
