//! `/scheduler-config/{name}/…`: evict-leader's and balance-leader's own settings.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::admission::go_uint;
use crate::cluster::schedulers::{BALANCE_LEADER, EVICT_LEADER};
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
        (EVICT_LEADER, "list", "GET") => list_evicted(cluster),
        (EVICT_LEADER, "config", "POST") => evict(cluster, request),
        (EVICT_LEADER, "delete", "DELETE") => stop(cluster, request),
        (BALANCE_LEADER, "list", "GET") => balance_leader(cluster),
        (EVICT_LEADER, "list" | "config" | "delete", _) | (BALANCE_LEADER, "list", _) => {
            Answer::method_not_allowed()
        }
        (EVICT_LEADER | BALANCE_LEADER, _, _) => Answer::not_found(),
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

/// The one range there is; whose key comes first depends on the version.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum KeyRange {
    #[serde(rename_all = "kebab-case")]
    EndFirst {
        end_key: &'static str,
        start_key: &'static str,
    },
    #[serde(rename_all = "kebab-case")]
    StartFirst {
        start_key: &'static str,
        end_key: &'static str,
    },
}

fn whole_range(cluster: &Cluster) -> [KeyRange; 1] {
    let (start_key, end_key) = ("", "");
    [if cluster.rows().start_key_first {
        KeyRange::StartFirst { start_key, end_key }
    } else {
        KeyRange::EndFirst { end_key, start_key }
    }]
}

fn list_evicted(cluster: &Cluster) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Body {
        /// Sorted as Go sorts map keys: as texts.
        store_id_ranges: BTreeMap<String, [KeyRange; 1]>,
        #[serde(skip_serializing_if = "Option::is_none")]
        batch: Option<u64>,
    }
    Answer::ok(&Body {
        store_id_ranges: cluster
            .schedulers
            .evicting
            .iter()
            .map(|store_id| (store_id.to_string(), whole_range(cluster)))
            .collect(),
        batch: cluster
            .rows()
            .evict_batch_max
            .map(|_| cluster.schedulers.evict_batch),
    })
}

fn evict(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let store_id = input.get("store_id").and_then(Json::as_f64).map(go_uint);
    if let Some(store_id) = store_id
        && !cluster.stores.contains_key(&store_id)
    {
        return Answer::message(500, &errors::store_not_found(store_id));
    }
    match (cluster.rows().evict_batch_max, store_id) {
        (None, None) => {
            let text = "[PD:scheduler:ErrSchedulerConfig]wrong scheduler config id";
            return Answer::message(400, text);
        }
        (None, Some(_)) => {}
        (Some(max), _) => {
            if let Some(batch) = input.get("batch").and_then(Json::as_f64) {
                if !(1.0..=max as f64).contains(&batch) {
                    let text = if max > 10 {
                        format!("batch must be an integer in [1, {max}]")
                    } else {
                        format!("batch is invalid, it should be in [1, {max}]")
                    };
                    return Answer::message(400, &text);
                }
                cluster.schedulers.evict_batch = go_uint(batch);
            }
        }
    }
    cluster.schedulers.evicting.extend(store_id);
    Answer::message(200, "The scheduler has been applied to the store.")
}

fn stop(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let store_id = match request.id(3) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    match cluster.stop_evicting(store_id) {
        None => Answer::message(404, errors::SCHEDULE_CONFIG_NOT_EXIST),
        Some(false) => Answer::json(200, &()),
        Some(true) => Answer::message(200, "The last store has been deleted"),
    }
}

fn balance_leader(cluster: &Cluster) -> Answer {
    #[derive(Serialize)]
    struct Body {
        ranges: [KeyRange; 1],
        batch: u64,
    }
    Answer::ok(&Body {
        ranges: whole_range(cluster),
        batch: 4,
    })
}
