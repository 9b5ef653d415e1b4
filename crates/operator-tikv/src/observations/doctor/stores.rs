//! Stores that are down, do not get empty, or keep a limit of when they were being emptied.

use action_core::Finding;
use pd_client::config::Config;
use pd_client::operators::Operator;
use pd_client::stores::{Store, StoreState};
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::pd_clock::{PdTime, unix_ms};
use crate::facts::store::limit_of;
use crate::mutations::setting::set_store_limit::{LimitedWork, ReplicaRate, SetStoreLimit};
use crate::mutations::store::offline::{CancelOffline, LIFTED};
use crate::observations::doctor::leftovers::Leftovers;
use crate::observations::left_on_store::held_on;
use crate::observations::reasons;
use crate::pd_rules::offline_blockers::LeftOnStore;

/// How many stores that are being emptied are asked for their progress.
const MOST_ASKED: usize = 8;

pub(super) async fn find(
    tikv: &Tikv,
    stores: &[Store],
    config: &Config,
    found: &mut Leftovers,
) -> Result<(), Error> {
    let now = PdTime::now(tikv);
    let down = stores
        .iter()
        .filter(|one| one.state_name == StoreState::Down);
    found.findings.extend(down.map(|store| silent(store, now)));
    emptied(tikv, stores, found).await?;
    let limited = stores.iter().filter(|store| {
        let limit = limit_of(&config.schedule, store);
        store.state_name != StoreState::Offline
            && limit.is_some_and(|limit| limit.remove_peer >= LIFTED)
    });
    found.findings.extend(limited.map(limit_left));
    Ok(())
}

/// Stores that are being emptied and do not get empty, and what holds the regions on them.
async fn emptied(tikv: &Tikv, stores: &[Store], found: &mut Leftovers) -> Result<(), Error> {
    let is_offline = |store: &&Store| store.state_name == StoreState::Offline;
    let offline: Vec<&Store> = stores.iter().filter(is_offline).collect();
    found.cut |= offline.len() > MOST_ASKED;
    let mut operators: Option<Vec<Operator>> = None;
    for store in offline.into_iter().take(MOST_ASKED) {
        if store.status.region_count > 0 {
            let progress = tikv.pd.store_progress(store.id).await;
            let progress = progress.map_err(Error::Read)?;
            let speed = progress.as_ref().map(|one| one.current_speed);
            if speed.is_some_and(|speed| speed > 0.0) {
                continue;
            }
            let share = progress.map(|one| one.progress);
            found.findings.push(stuck(store, share));
        }
        if operators.is_none() {
            operators = Some(tikv.pd.operators().await.map_err(Error::Read)?);
        }
        let operators = operators.as_deref().unwrap_or_default();
        let left = LeftOnStore::read(tikv, store, stores, operators).await?;
        found.findings.extend(held_on(store, &left));
        found.unknown.extend(left.not_read);
    }
    Ok(())
}

fn silent(store: &Store, now: Option<PdTime>) -> Finding {
    let id = store.id;
    let heard = store.last_heartbeat.or(store.status.last_heartbeat_ts);
    let silent_s = heard.and_then(|at| Some(now?.seconds_since(at)));
    let text = match silent_s {
        Some(silent_s) => format!("store {id} is down, not heard of for {silent_s} s"),
        None => format!("store {id} is down"),
    };
    let source = format!("GET /pd/api/v1/store/{id}");
    reasons::STORE_DOWN_LONG
        .found(format!("store/{id}"), text)
        .seen(source, "last_heartbeat_unix_ms", heard.and_then(unix_ms))
}

fn stuck(store: &Store, progress: Option<f64>) -> Finding {
    let (id, left) = (store.id, store.status.region_count);
    let text =
        format!("store {id} is offline, {left} replicas are still on it, and none is moving");
    reasons::STORE_OFFLINE_LONG
        .found(format!("store/{id}"), text)
        .seen(format!("GET /pd/api/v1/store/{id}"), "region_count", left)
        .seen(
            "GET /pd/api/v1/stores/progress",
            "progress",
            progress.map_or(Value::Null, Value::from),
        )
        .effect(format!("offline/{id}"))
        .fixed_by::<Tikv, _>(&CancelOffline {
            store_id: id.into(),
        })
}

fn limit_left(store: &Store) -> Finding {
    let id = store.id;
    let text = format!("store {id} serves, with the limit `remove-peer` of a store being emptied");
    let left = reasons::REMOVE_LIMIT_LEFT
        .found(format!("store/{id}"), text)
        .seen("GET /pd/api/v1/config", "remove-peer", LIFTED)
        .effect(format!("config/store-limit.{id}.remove-peer"));
    // PD's defaults.
    let default = if store.is_tiflash() { 30.0 } else { 15.0 };
    match ReplicaRate::new(default) {
        Some(per_minute) => left.fixed_by::<Tikv, _>(&SetStoreLimit {
            store_id: id.into(),
            what: LimitedWork::RemovePeer,
            per_minute,
        }),
        None => left,
    }
}
