//! Changing stores: taking them away and back, and their weights.

use serde_json::Value as Json;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::store::{Store, StoreState};
use crate::errors;

pub(super) fn take_offline(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let store_id = match request.store_id(1) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    let force = request.query("force").is_some();
    offline(cluster, store_id, force)
        .unwrap_or_else(|| Answer::message(200, "The store is set as Offline."))
}

/// Begins emptying a store; the answer if that is refused.
fn offline(cluster: &mut Cluster, store_id: u64, force: bool) -> Option<Answer> {
    let refuse = |status, text: String| Some(Answer::message(status, &text));
    let rows = cluster.rows();
    let replicas = cluster.config.max_replicas();
    let Some(store) = cluster.stores.get(&store_id) else {
        return refuse(404, errors::store_not_found(store_id));
    };
    match store.state {
        StoreState::Offline if store.physically_destroyed == force => return None,
        StoreState::Tombstone => return refuse(410, errors::store_removed(store_id)),
        StoreState::Offline if store.physically_destroyed => {
            return refuse(400, errors::store_destroyed(store_id));
        }
        _ => {}
    }
    let spared = rows.engine_label_is_reserved && store.is_tiflash();
    if store.state == StoreState::Up && !force && !spared {
        let others: Vec<&Store> = cluster
            .stores
            .values()
            .filter(|other| other.state == StoreState::Up && other.id != store_id)
            // PD 9.0 counts TiKV stores only, and lets every TiFlash store go.
            .filter(|other| !rows.engine_label_is_reserved || !other.is_tiflash())
            .collect();
        if (others.len() as u64) < replicas {
            let text = format!(
                "[PD:core:ErrStoresNotEnough]can not remove store {store_id} since the number of up stores would be {} while need {replicas}",
                others.len()
            );
            return refuse(400, text);
        }
        if others
            .iter()
            .all(|other| cluster.schedulers.pauses_leader_transfer_to(other.id))
        {
            let text = format!(
                "[PD:core:ErrNoStoreForRegionLeader]can not remove store {store_id} since there are no extra up store to store the leader"
            );
            return refuse(400, text);
        }
    }
    cluster.begin_emptying(store_id, force);
    None
}

pub(super) fn set_state(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let store_id = match request.store_id(1) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    let state = request.query("state").unwrap_or_default();
    let done = || Answer::message(200, "The store's state is updated.");
    if state.eq_ignore_ascii_case("offline") {
        return offline(cluster, store_id, false).unwrap_or_else(done);
    }
    if !state.eq_ignore_ascii_case("up") {
        return Answer::message(400, &format!("invalid state {state}"));
    }
    let Some(store) = cluster.stores.get(&store_id) else {
        return Answer::message(404, &errors::store_not_found(store_id));
    };
    if store.state == StoreState::Tombstone {
        return Answer::message(410, &errors::store_removed(store_id));
    }
    if store.physically_destroyed {
        return Answer::message(400, &errors::store_destroyed(store_id));
    }
    if store.state == StoreState::Offline {
        cluster.stop_emptying(store_id);
    }
    done()
}

pub(super) fn set_weight(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = request
        .store_id(1)
        .and_then(|id| Ok((id, request.object()?)));
    let (store_id, input) = match input {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let mut weights = [0.0; 2];
    for (weight, name) in weights.iter_mut().zip(["leader", "region"]) {
        match input.get(name).map(Json::as_f64) {
            None => return Answer::message(400, &format!("{name} weight unset")),
            Some(Some(value)) if value >= 0.0 => *weight = value,
            Some(_) => return Answer::message(400, &format!("bad format {name} weight")),
        }
    }
    let rows = cluster.rows();
    let Some(store) = cluster.stores.get_mut(&store_id) else {
        return Answer::message(500, &errors::store_not_found(store_id));
    };
    [store.leader_weight, store.region_weight] = weights;
    let what = if rows.names_what_changed {
        "weight"
    } else {
        "label"
    };
    Answer::message(200, &format!("The store's {what} is updated."))
}

pub(super) fn remove_tombstones(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    let is_gone = |store: &Store| store.state == StoreState::Tombstone;
    let held: Vec<String> = cluster
        .stores
        .values()
        .filter(|store| is_gone(store) && cluster.regions.held_by(store.id).regions > 0)
        .map(|store| store.id.to_string())
        .collect();
    cluster
        .stores
        .retain(|id, store| !is_gone(store) || held.contains(&id.to_string()));
    if held.is_empty() {
        Answer::message(200, "Remove tombstone successfully.")
    } else {
        Answer::message(500, &format!("failed stores: {}", held.join(", ")))
    }
}
