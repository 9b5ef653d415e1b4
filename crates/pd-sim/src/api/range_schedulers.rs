//! Settings of the schedulers that work on a range or on chosen stores:
//! scatter-range and grant-hot-region. balance-range can be added; its jobs are not simulated.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::api::answer::{Answer, Nothing};
use crate::api::request::{Request, percent_decode};
use crate::cluster::Cluster;
use crate::cluster::schedulers::Special;
use crate::errors;

pub(super) fn is_one(name: &str) -> bool {
    name.starts_with("scatter-range-") || name == "grant-hot-region-scheduler"
}

/// The scheduler a creating request describes: its name and settings.
pub(super) fn described(
    cluster: &Cluster,
    kind: &str,
    input: &Map<String, Json>,
) -> Result<(String, Option<Special>), Answer> {
    let text = |field: &str| {
        let text = input.get(field).and_then(Json::as_str);
        text.map(str::to_owned).ok_or_else(|| {
            let text = format!("[PD:apiutil:ErrOptionNotExist]the option {field} does not exist");
            Answer::message(500, &text)
        })
    };
    match kind {
        "scatter-range" => {
            let key = |field| text(field).map(|key| percent_decode(&key, true));
            let (start_key, end_key) = (key("start_key")?, key("end_key")?);
            let range_name = text("range_name")?;
            let name = format!("scatter-range-{range_name}");
            Ok((
                name,
                Some(Special::Range {
                    range_name,
                    start_key,
                    end_key,
                }),
            ))
        }
        "grant-hot-region" => {
            let name = "grant-hot-region-scheduler".to_owned();
            Ok((name, Some(hot_stores(cluster, input)?)))
        }
        _ => {
            // A job's own fields are not simulated, only what PD asks for.
            for field in ["rule", "engine", "alias"] {
                text(field).map_err(|mut answer| {
                    answer.status = cluster.rows().add_scheduler_refused;
                    answer
                })?;
            }
            Ok(("balance-range-scheduler".to_owned(), None))
        }
    }
}

fn hot_stores(cluster: &Cluster, input: &Map<String, Json>) -> Result<Special, Answer> {
    let given = |field: &str, missing| {
        let text = input.get(field).and_then(Json::as_str);
        text.ok_or_else(|| Answer::message(400, missing))
    };
    let id = |text: &str| {
        text.parse::<u64>().map_err(|_| {
            let reason = errors::not_a_number("ParseUint", text);
            let text = format!("[PD:strconv:ErrStrconvParseUint]{reason}");
            Answer::message(cluster.rows().add_scheduler_refused, &text)
        })
    };
    let leader = given("store-leader-id", "missing leader id")?;
    let stores = given("store-id", "missing store id")?;
    let leader = id(leader)?;
    let stores = stores.split(',').map(id).collect::<Result<_, _>>()?;
    Ok(Special::HotStores { stores, leader })
}

pub(super) fn call(cluster: &mut Cluster, name: &str, call: &str, request: &Request<'_>) -> Answer {
    match (call, request.method) {
        ("list", "GET") => list(cluster, name),
        ("config", "POST") => set(cluster, name, request),
        ("list" | "config", _) => Answer::method_not_allowed(),
        _ => Answer::not_found(),
    }
}

fn list(cluster: &Cluster, name: &str) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct RangeBody<'a> {
        range_name: &'a str,
        start_key: &'a str,
        end_key: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct HotStoresBody<'a> {
        store_id: &'a [u64],
        store_leader_id: u64,
    }
    match cluster.schedulers.special.get(name) {
        None => Answer::not_found(),
        Some(Special::Range {
            range_name,
            start_key,
            end_key,
        }) => Answer::ok(&RangeBody {
            range_name,
            start_key,
            end_key,
        }),
        Some(Special::HotStores { stores, leader }) => Answer::ok(&HotStoresBody {
            store_id: stores,
            store_leader_id: *leader,
        }),
    }
}

fn set(cluster: &mut Cluster, name: &str, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let text = |field: &str| input.get(field).and_then(Json::as_str);
    match cluster.schedulers.special.get_mut(name) {
        Some(Special::Range {
            range_name,
            start_key,
            end_key,
        }) => {
            if text("range-name").is_some_and(|given| given != range_name) {
                let text = "Cannot change the range name, please delete this schedule";
                return Answer::message(500, text);
            }
            if let Some(key) = text("start-key") {
                key.clone_into(start_key);
            }
            if let Some(key) = text("end-key") {
                key.clone_into(end_key);
            }
            Answer::json(200, &())
        }
        Some(Special::HotStores { stores, leader }) => {
            let ids: Option<Vec<u64>> =
                text("store-id").and_then(|ids| ids.split(',').map(|id| id.parse().ok()).collect());
            let new_leader = text("store-leader-id").and_then(|id| id.parse().ok());
            let (Some(ids), Some(new_leader)) = (ids, new_leader) else {
                // PD renders its error value, of which nothing but an object is left.
                return Answer::json(400, &Nothing {});
            };
            *stores = ids;
            *leader = new_leader;
            Answer::json(200, &())
        }
        None => Answer::not_found(),
    }
}
