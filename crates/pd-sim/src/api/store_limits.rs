//! How fast stores may be given and relieved of peers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value as Json;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::config::Item;
use crate::cluster::store::{Limits, Store, StoreState};
use crate::errors;
use crate::gotext::GoFloat;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LimitBody {
    add_peer: GoFloat,
    remove_peer: GoFloat,
}

impl From<Limits> for LimitBody {
    fn from(limits: Limits) -> Self {
        Self {
            add_peer: GoFloat(limits.add),
            remove_peer: GoFloat(limits.remove),
        }
    }
}

/// Stores' limits, keyed and sorted as Go does it.
pub(super) fn limit_map(cluster: &Cluster, with_tombstones: bool) -> BTreeMap<String, LimitBody> {
    cluster
        .stores
        .values()
        .filter(|store| with_tombstones || store.state != StoreState::Tombstone)
        .map(|store| (store.id.to_string(), store.limits.into()))
        .collect()
}

pub(super) fn list(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = not_supported(cluster, "get") {
        return answer;
    }
    let with_tombstones = match request.query("include_tombstone").unwrap_or_default() {
        "" => false,
        "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
        "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
        other => return Answer::message(400, &errors::not_a_number("ParseBool", other)),
    };
    Answer::ok(&limit_map(cluster, with_tombstones))
}

/// Limits of the second version are not rates: PD ≥ 8.3 neither shows nor takes them.
fn not_supported(cluster: &Cluster, verb: &str) -> Option<Answer> {
    let version = match cluster.config.schedule_item("store-limit-version") {
        Some(Item::Text(version)) if cluster.rows().limit_versions => version,
        _ => return None,
    };
    (version != "v1").then(|| {
        let text = format!("current store limit version:{version} not support {verb} limit");
        Answer::message(400, &text)
    })
}

pub(super) fn set(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if let Some(answer) = not_supported(cluster, "set") {
        return answer;
    }
    let store_id = match request.store_id(1) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    if !cluster.stores.contains_key(&store_id) {
        return Answer::message(500, &errors::no_such_store(cluster.rows(), store_id));
    }
    let input = match LimitInput::of(cluster, request) {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    match input.seconds {
        Some(seconds) => input.set_for_a_time(cluster, &store_id.to_string(), seconds),
        None => {
            if let Some(store) = cluster.stores.get_mut(&store_id) {
                input.apply(&mut store.limits);
            }
        }
    }
    let what = if cluster.rows().names_what_changed {
        "limit"
    } else {
        "label"
    };
    Answer::message(200, &format!("The store's {what} is updated."))
}

pub(super) fn set_all(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    // PD says `get` here too.
    if let Some(answer) = not_supported(cluster, "get") {
        return answer;
    }
    let input = match LimitInput::of(cluster, request) {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    match (&input.labels, input.seconds) {
        (Some(labels), _) => {
            let engine_is_named = cluster.rows().names_what_changed;
            let wanted: Vec<u64> = cluster
                .stores
                .values()
                .filter(|store| has_any_label(store, labels, engine_is_named))
                .map(|store| store.id)
                .collect();
            for store_id in wanted {
                if let Some(store) = cluster.stores.get_mut(&store_id) {
                    input.apply(&mut store.limits);
                }
            }
        }
        (None, Some(seconds)) => input.set_for_a_time(cluster, "", seconds),
        (None, None) => {
            input.apply(&mut cluster.default_limits);
            for store in cluster.stores.values_mut() {
                input.apply(&mut store.limits);
            }
        }
    }
    Answer::message(200, "Set store limit successfully.")
}

/// Whether a store has one of the labels. From 8.5 on every TiKV counts as labelled `engine=tikv`.
fn has_any_label(store: &Store, labels: &[(String, String)], engine_is_named: bool) -> bool {
    labels.iter().any(|(key, value)| {
        let is_plain_tikv = engine_is_named && key == "engine" && value == "tikv";
        (is_plain_tikv && store.label("engine").is_none())
            || store
                .labels
                .iter()
                .any(|(known, held)| known == key && held == value)
    })
}

#[derive(Debug)]
struct LimitInput {
    rate: f64,
    add: bool,
    remove: bool,
    clears: bool,
    labels: Option<Vec<(String, String)>>,
    /// For how long; `None` for good.
    seconds: Option<u64>,
}

impl LimitInput {
    fn of(cluster: &Cluster, request: &Request<'_>) -> Result<Self, Answer> {
        let input = request.object()?;
        let refuse = |text: &str| Err(Answer::message(400, text));
        let rate = match input.get("rate").map(Json::as_f64) {
            None => return refuse("rate unset"),
            Some(Some(rate)) if rate > 0.0 => rate,
            Some(_) => return refuse("invalid rate which should be larger than 0"),
        };
        let (add, remove) = match input.get("type").map(Json::as_str) {
            None => (true, true),
            Some(Some("" | "add-peer")) => (true, false),
            Some(Some("remove-peer")) => (false, true),
            Some(Some("send-snapshot")) if cluster.rows().witness_schedulers => (false, false),
            Some(Some(_)) => return refuse("unknown type"),
            Some(None) => return refuse("bad format type"),
        };
        let seconds = match request.query("ttlSecond").unwrap_or_default() {
            "" => None,
            // PD 9.0 has no temporary limits any more.
            _ if cluster.rows().default_store_limit => return refuse("ttlSecond is deprecated"),
            text => match text.parse::<i64>() {
                Ok(seconds) => u64::try_from(seconds).ok().filter(|seconds| *seconds > 0),
                Err(_) => return refuse(&errors::not_a_number("Atoi", text)),
            },
        };
        let labels = match input.get("labels") {
            None => None,
            Some(labels) => Some(labels_of(labels)?),
        };
        Ok(Self {
            rate,
            add,
            remove,
            clears: !add && !remove && !cluster.rows().default_store_limit,
            labels,
            seconds,
        })
    }

    fn apply(&self, limits: &mut Limits) {
        if self.add {
            limits.add = self.rate;
        }
        if self.remove {
            limits.remove = self.rate;
        }
        // A limit of snapshots is stored with nothing in it, until 9.0 over what was there.
        if self.clears {
            *limits = Limits {
                add: 0.0,
                remove: 0.0,
            };
        }
    }

    /// Under the names temporary limits have: of one store, or of all when `store` is empty.
    fn set_for_a_time(&self, cluster: &mut Cluster, store: &str, seconds: u64) {
        let end = cluster.now + Duration::from_secs(seconds);
        for kind in [
            self.add.then_some("add-peer"),
            self.remove.then_some("remove-peer"),
        ]
        .into_iter()
        .flatten()
        {
            let name = if store.is_empty() {
                format!("default-{kind}")
            } else {
                format!("{kind}-{store}")
            };
            cluster.config.ttl.insert(name, (self.rate.into(), end));
        }
    }
}

/// Go converts without asking: anything else than an object of texts panics.
fn labels_of(labels: &Json) -> Result<Vec<(String, String)>, Answer> {
    let Some(labels) = labels.as_object() else {
        let found = errors::go_dynamic_type(labels);
        return Err(Answer::panicked(&format!(
            "PANIC: interface conversion: interface {{}} is {found}, not map[string]interface {{}}\n"
        )));
    };
    labels
        .iter()
        .map(|(key, value)| match value.as_str() {
            Some(text) => Ok((key.clone(), text.to_owned())),
            None => {
                let found = errors::go_dynamic_type(value);
                Err(Answer::panicked(&format!(
                    "PANIC: interface conversion: interface {{}} is {found}, not string\n"
                )))
            }
        })
        .collect()
}
