//! `/scheduler-config/{name}/…`: schedulers' own settings; here those of evict- and grant-leader.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::api::answer::Answer;
use crate::api::key_range::{KeyRange, whole_range};
use crate::api::request::Request;
use crate::api::{range_schedulers, scheduler_settings};
use crate::cluster::Cluster;
use crate::cluster::new_operator::go_uint;
use crate::cluster::schedulers::{EVICT_LEADER, GRANT_LEADER};
use crate::errors;

/// Without a call: sent on to the same path with a slash.
pub(super) fn root(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let name = request.segment(1);
    if let Some(answer) = missing(cluster, name) {
        return answer;
    }
    let status = cluster.rows().redirect_status;
    let location = format!("/pd/api/v1/scheduler-config/{name}/");
    Answer::redirect(status, &location, request.method == "GET")
}

pub(super) fn call(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let (name, call) = (request.segment(1), request.segment(2));
    if let Some(answer) = missing(cluster, name) {
        return answer;
    }
    match (name, call, request.method) {
        (EVICT_LEADER | GRANT_LEADER, "list", "GET") => list(cluster, name),
        (EVICT_LEADER, "config", "POST") => evict(cluster, request),
        (GRANT_LEADER, "config", "POST") => grant(cluster, request),
        (EVICT_LEADER | GRANT_LEADER, "delete", "DELETE") => stop(cluster, name, request),
        (EVICT_LEADER | GRANT_LEADER, "list" | "config" | "delete", _) => {
            Answer::method_not_allowed()
        }
        (EVICT_LEADER | GRANT_LEADER, ..) => Answer::not_found(),
        _ if range_schedulers::is_one(name) => range_schedulers::call(cluster, name, call, request),
        _ if cluster.schedulers.has_settings(name) => {
            scheduler_settings::call(cluster, name, call, request).unwrap_or_else(Answer::not_found)
        }
        _ => Answer::of(
            200,
            Some("text/plain; charset=utf-8"),
            b"not implements".to_vec(),
        ),
    }
}

fn missing(cluster: &Cluster, name: &str) -> Option<Answer> {
    if !cluster.is_bootstrapped() {
        Some(Answer::message(406, errors::NOT_BOOTSTRAPPED))
    } else if cluster.schedulers.runs(name) {
        None
    } else {
        Some(Answer::not_found())
    }
}

fn list(cluster: &Cluster, name: &str) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Body {
        /// Sorted as Go sorts map keys: as texts.
        store_id_ranges: BTreeMap<String, [KeyRange; 1]>,
        #[serde(skip_serializing_if = "Option::is_none")]
        batch: Option<u64>,
    }
    let has_batch = name == EVICT_LEADER && cluster.rows().evict_batch_max.is_some();
    Answer::ok(&Body {
        store_id_ranges: cluster
            .schedulers
            .stores_of(name)
            .map(|store_id| (store_id.to_string(), whole_range(cluster)))
            .collect(),
        batch: has_batch.then_some(cluster.schedulers.evict_batch),
    })
}

fn evict(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let store_id = input.get("store_id").and_then(Json::as_f64).map(go_uint);
    if let Some(store_id) = store_id
        && let Err(text) = cluster.may_pause_leader_transfer(EVICT_LEADER, store_id)
    {
        return Answer::message(500, &text);
    }
    let Some(max) = cluster.rows().evict_batch_max else {
        if store_id.is_none() {
            return Answer::message(400, errors::WRONG_SCHEDULER_ID);
        }
        cluster.schedulers.evicting.extend(store_id);
        return Answer::message(200, "The scheduler has been applied to the store.");
    };
    let is_strict = max > 10;
    match input.get("batch").filter(|batch| !batch.is_null()) {
        None => {}
        Some(batch) => match batch.as_f64() {
            Some(batch)
                if (1.0..=max as f64).contains(&batch) && (!is_strict || batch.fract() == 0.0) =>
            {
                cluster.schedulers.evict_batch = go_uint(batch);
            }
            Some(_) => {
                // PD 8.5 also lets leaders come again, to a store that was being drained.
                let text = if is_strict {
                    format!("batch must be an integer in [1, {max}]")
                } else {
                    format!("batch is invalid, it should be in [1, {max}]")
                };
                if let Some(store_id) = store_id.filter(|_| !is_strict) {
                    cluster.schedulers.leaders_come_to.insert(store_id);
                }
                return Answer::message(400, &text);
            }
            None if is_strict => {
                let found = errors::go_dynamic_type(batch);
                let text = format!("invalid argument for 'batch': expected a number, got {found}");
                return Answer::message(400, &text);
            }
            None => {}
        },
    }
    if let Some(store_id) = store_id
        && cluster.schedulers.evicting.insert(store_id)
    {
        cluster.schedulers.leaders_come_to.remove(&store_id);
    }
    Answer::message(200, "The scheduler has been applied to the store.")
}

fn grant(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let Some(store_id) = input.get("store_id").and_then(Json::as_f64).map(go_uint) else {
        return Answer::message(400, errors::WRONG_SCHEDULER_ID);
    };
    if let Err(text) = cluster.may_pause_leader_transfer(GRANT_LEADER, store_id) {
        return Answer::message(500, &text);
    }
    cluster.schedulers.granting.insert(store_id);
    Answer::message(200, "The scheduler has been applied to the store.")
}

fn stop(cluster: &mut Cluster, name: &str, request: &Request<'_>) -> Answer {
    let store_id = match request.id(3) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    match cluster.take_store_out(name, store_id) {
        None => Answer::message(404, errors::SCHEDULE_CONFIG_NOT_EXIST),
        Some(false) => Answer::json(200, &()),
        Some(true) => Answer::message(200, "The last store has been deleted"),
    }
}
