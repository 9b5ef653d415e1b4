//! Changing stores: labels, weights, limits, taking them away and back.

use serde_json::Value as Json;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::store::{Store, StoreState};
use crate::errors;

/// The remove-peer limit a store that is being emptied gets.
const UNLIMITED: f64 = 100_000_000.0;

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
        return refuse(404, errors::no_such_store(rows, store_id));
    };
    match store.state {
        StoreState::Offline if store.physically_destroyed == force => return None,
        StoreState::Tombstone => return refuse(410, errors::store_removed(store_id)),
        StoreState::Offline if store.physically_destroyed => {
            return refuse(400, errors::store_destroyed(store_id));
        }
        _ => {}
    }
    if store.state == StoreState::Up && !force {
        let others: Vec<&Store> = cluster
            .stores
            .values()
            .filter(|other| other.state == StoreState::Up && other.id != store_id)
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
    if let Some(store) = cluster.stores.get_mut(&store_id) {
        store.state = StoreState::Offline;
        store.physically_destroyed = force;
        store.remove_limit = UNLIMITED;
    }
    cluster.check_everything();
    None
}

pub(super) fn set_state(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let store_id = match request.store_id(1) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    let rows = cluster.rows();
    let state = request.query("state").unwrap_or_default();
    let done = || Answer::message(200, "The store's state is updated.");
    if state.eq_ignore_ascii_case("offline") {
        return offline(cluster, store_id, false).unwrap_or_else(done);
    }
    if !state.eq_ignore_ascii_case("up") {
        return Answer::message(400, &format!("invalid state {state}"));
    }
    let Some(store) = cluster.stores.get_mut(&store_id) else {
        return Answer::message(404, &errors::no_such_store(rows, store_id));
    };
    if store.state == StoreState::Tombstone {
        return Answer::message(410, &errors::store_removed(store_id));
    }
    if store.physically_destroyed {
        return Answer::message(400, &errors::store_destroyed(store_id));
    }
    if store.state == StoreState::Offline {
        store.state = StoreState::Up;
        store.remove_limit = store.add_limit;
    }
    cluster.check_everything();
    done()
}

pub(super) fn set_labels(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = request
        .store_id(1)
        .and_then(|id| Ok((id, request.object()?)));
    let (store_id, input) = match input {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let Some(store) = cluster.stores.get_mut(&store_id) else {
        let text = format!("[PD:cluster:ErrInvalidStoreID]invalid store id {store_id}, not found");
        return Answer::message(500, &text);
    };
    if request.query("force").is_some() {
        store.labels.clear();
    }
    for (key, value) in input {
        let value = value.as_str().unwrap_or_default().to_owned();
        store
            .labels
            .retain(|(known, _)| !known.eq_ignore_ascii_case(&key));
        if !value.is_empty() {
            store.labels.push((key, value));
        }
    }
    Answer::message(200, "The store's label is updated.")
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

pub(super) fn set_limit(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let store_id = match request.store_id(1) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    let rate = match LimitInput::of(request) {
        Ok(rate) => rate,
        Err(answer) => return answer,
    };
    let rows = cluster.rows();
    let Some(store) = cluster.stores.get_mut(&store_id) else {
        return Answer::message(500, &errors::store_not_found(store_id));
    };
    rate.apply(store);
    let what = if rows.names_what_changed {
        "limit"
    } else {
        "label"
    };
    Answer::message(200, &format!("The store's {what} is updated."))
}

pub(super) fn set_all_limits(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let rate = match LimitInput::of(request) {
        Ok(rate) => rate,
        Err(answer) => return answer,
    };
    for store in cluster.stores.values_mut() {
        rate.apply(store);
    }
    Answer::message(200, "Set store limit successfully.")
}

struct LimitInput {
    rate: f64,
    add: bool,
    remove: bool,
}

impl LimitInput {
    fn of(request: &Request<'_>) -> Result<Self, Answer> {
        let input = request.object()?;
        let refuse = |text| Err(Answer::message(400, text));
        let rate = match input.get("rate").map(Json::as_f64) {
            None => return refuse("rate unset"),
            Some(Some(rate)) if rate > 0.0 => rate,
            Some(_) => return refuse("invalid rate which should be larger than 0"),
        };
        let (add, remove) = match input.get("type").map(Json::as_str) {
            None => (true, true),
            Some(Some("" | "add-peer")) => (true, false),
            Some(Some("remove-peer")) => (false, true),
            Some(Some("send-snapshot")) => (false, false),
            Some(Some(_)) => return refuse("unknown type"),
            Some(None) => return refuse("bad format type"),
        };
        Ok(Self { rate, add, remove })
    }

    fn apply(&self, store: &mut Store) {
        if self.add {
            store.add_limit = self.rate;
        }
        if self.remove {
            store.remove_limit = self.rate;
        }
    }
}

pub(super) fn remove_tombstones(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    cluster
        .stores
        .retain(|_, store| store.state != StoreState::Tombstone);
    Answer::message(200, "Remove tombstone successfully.")
}
