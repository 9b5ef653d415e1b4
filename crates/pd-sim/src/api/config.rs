//! `/config`: reading and changing the configuration.

use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json};

use crate::api::answer::{Answer, Nothing};
use crate::api::request::{Request, wrong_type};
use crate::api::store_limits::{LimitBody, limit_map};
use crate::cluster::Cluster;
use crate::cluster::config::{
    HALT_SCHEDULING, Item, Items, Mismatch, SCHEDULERS_COME_BEFORE, STORE_LIMIT_COMES_BEFORE,
    TTL_NAMES, find, validate_schedule,
};
use crate::errors;
use crate::gotext::GoFloat;

struct ScheduleBody<'a>(&'a Cluster);
struct ReplicationBody<'a>(&'a Items);

#[derive(serde::Serialize)]
#[serde(rename_all = "kebab-case")]
struct SchedulerEntry {
    r#type: String,
    args: Option<()>,
    disable: bool,
    args_payload: &'static str,
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Uint(value) => serializer.serialize_u64(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => GoFloat(*value).serialize(serializer),
            Self::Bool(value) => serializer.serialize_str(if *value { "true" } else { "false" }),
            Self::Duration(text) | Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Ids(ids) => ids.serialize(serializer),
        }
    }
}

impl Serialize for ScheduleBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, item) in &self.0.config.schedule {
            if *name == STORE_LIMIT_COMES_BEFORE {
                if self.0.rows().default_store_limit {
                    map.serialize_entry(
                        "default-store-limit",
                        &LimitBody::from(self.0.default_limits),
                    )?;
                }
                map.serialize_entry("store-limit", &limit_map(self.0, true))?;
            }
            if *name == SCHEDULERS_COME_BEFORE {
                map.serialize_entry("schedulers-v2", &scheduler_entries(self.0))?;
                for (name, value) in self.0.rows().after_schedulers {
                    map.serialize_entry(name, value)?;
                }
            }
            if *name != HALT_SCHEDULING || *item == Item::Bool(true) {
                map.serialize_entry(name, item)?;
            }
        }
        map.end()
    }
}

impl Serialize for ReplicationBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, item)| (name, item)))
    }
}

/// The persisted schedulers, under the short names PD stores.
fn scheduler_entries(cluster: &Cluster) -> Vec<SchedulerEntry> {
    let schedulers = &cluster.schedulers;
    let entry = |name: &String, disable| SchedulerEntry {
        r#type: match name.trim_end_matches("-scheduler") {
            "balance-hot-region" => "hot-region".to_owned(),
            name if name.starts_with("scatter-range-") => "scatter-range".to_owned(),
            other => other.to_owned(),
        },
        args: None,
        disable,
        args_payload: "",
    };
    let running = schedulers.names.iter().map(|name| entry(name, false));
    running
        .chain(schedulers.disabled.iter().map(|name| entry(name, true)))
        .collect()
}

pub(super) fn all(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Body<'a> {
        cluster_version: &'static str,
        schedule: ScheduleBody<'a>,
        replication: ReplicationBody<'a>,
    }
    Answer::ok(&Body {
        cluster_version: number(cluster),
        schedule: ScheduleBody(cluster),
        replication: ReplicationBody(&cluster.config.replication),
    })
}

fn number(cluster: &Cluster) -> &'static str {
    cluster.rows().number.trim_start_matches('v')
}

pub(super) fn cluster_version(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    Answer::message(200, number(cluster))
}

pub(super) fn schedule(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    Answer::ok(&ScheduleBody(cluster))
}

pub(super) fn replication(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    Answer::ok(&ReplicationBody(&cluster.config.replication))
}

pub(super) fn set_schedule(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object_or_message() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    for name in input.keys() {
        let full_name = format!("schedule.{name}");
        if cluster.config.is_overridden(&full_name, cluster.now) {
            return Answer::message(400, &overridden(&full_name));
        }
    }
    let items = cluster.config.schedule.clone();
    match merged(items, &input, request, "ScheduleConfig") {
        Ok(items) => {
            store_schedule(cluster, items).unwrap_or_else(|text| Answer::message(500, text))
        }
        Err(answer) => answer,
    }
}

pub(super) fn set_replication(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let items = cluster.config.replication.clone();
    match merged(items, &input, request, "ReplicationConfig") {
        Ok(items) => {
            cluster.config.replication = items;
            cluster.check_everything();
            updated()
        }
        Err(answer) => answer,
    }
}

/// One item at a time, those before a bad one stay set.
pub(super) fn set_items(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object_or_message() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    if let Some(seconds) = request.query("ttlSecond") {
        return match seconds.parse() {
            Ok(seconds) => set_for_a_time(cluster, &input, seconds),
            Err(_) => Answer::message(400, &errors::not_a_number("Atoi", seconds)),
        };
    }
    for (key, value) in &input {
        if let Err(text) = set_item(cluster, key, value) {
            return Answer::message(400, &text);
        }
    }
    updated()
}

fn set_item(cluster: &mut Cluster, key: &str, value: &Json) -> Result<(), String> {
    let (prefix, name) = match key.split_once('.') {
        Some(parts) => parts,
        None if find(&cluster.config.schedule, key).is_some() => ("schedule", key),
        None if find(&cluster.config.replication, key).is_some() => ("replication", key),
        None => return Err(format!("config item {key} not found")),
    };
    let full_name = format!("{prefix}.{name}");
    if prefix == "schedule" && cluster.config.is_overridden(&full_name, cluster.now) {
        return Err(overridden(&full_name));
    }
    let mut items = match prefix {
        "schedule" => cluster.config.schedule.clone(),
        "replication" => cluster.config.replication.clone(),
        _ => return Err(format!("config prefix {prefix} not found")),
    };
    let Some((_, item)) = items.iter_mut().find(|(known, _)| *known == name) else {
        return Err(format!("config item {name} not found"));
    };
    *item = item.parse(value).map_err(|mismatch| match mismatch {
        Mismatch::Type { got, want } => {
            format!("json: cannot unmarshal {got} into Go struct field .{name} of type {want}")
        }
        Mismatch::Text(text) => text,
    })?;
    if prefix == "schedule" {
        store_schedule(cluster, items)
            .map(drop)
            .map_err(str::to_owned)
    } else {
        cluster.config.replication = items;
        cluster.check_everything();
        Ok(())
    }
}

fn set_for_a_time(cluster: &mut Cluster, input: &Map<String, Json>, seconds: i64) -> Answer {
    for key in input.keys() {
        let is_peer_rate = [
            "default-add-peer",
            "default-remove-peer",
            "add-peer-",
            "remove-peer-",
        ]
        .iter()
        .any(|prefix| key.starts_with(prefix));
        if !TTL_NAMES.contains(&key.as_str()) && !is_peer_rate {
            return Answer::message(400, &format!("unsupported ttl config {key}"));
        }
    }
    for (key, value) in input {
        match u64::try_from(seconds) {
            Ok(seconds) if seconds > 0 => {
                let end = cluster.now + Duration::from_secs(seconds);
                cluster.config.ttl.insert(key.clone(), (value.clone(), end));
            }
            _ => {
                cluster.config.ttl.remove(key);
            }
        }
    }
    Answer::message(
        200,
        match (cluster.rows().ttl_messages, seconds) {
            (false, _) => "The config is updated.",
            (true, 0) => "The ttl config is deleted.",
            (true, _) => "The ttl config is updated.",
        },
    )
}

fn store_schedule(cluster: &mut Cluster, items: Items) -> Result<Answer, &'static str> {
    validate_schedule(&items)?;
    cluster.config.schedule = items;
    Ok(updated())
}

/// The items with the input's values; unknown names are ignored.
fn merged(
    mut items: Items,
    input: &Map<String, Json>,
    request: &Request<'_>,
    go_struct: &str,
) -> Result<Items, Answer> {
    for (name, value) in input {
        let Some((known, item)) = items
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        else {
            continue;
        };
        *item = item.parse(value).map_err(|mismatch| match mismatch {
            Mismatch::Type { got, want } => wrong_type(
                &got,
                &format!("Go struct field {go_struct}.{known} of type {want}"),
                end_of_value(request.body, name),
                go_struct,
                known,
            ),
            Mismatch::Text(text) => Answer::error_object("internal", &text, Nothing {}),
        })?;
    }
    Ok(items)
}

/// Where in the body the value of `name` ends: Go's error says so.
fn end_of_value(body: &[u8], name: &str) -> usize {
    let key = format!("\"{name}\"");
    let text = String::from_utf8_lossy(body);
    let Some(after_key) = text.find(&key).map(|at| at + key.len()) else {
        return body.len();
    };
    let Some(start) = text[after_key..].find(':').map(|at| after_key + at + 1) else {
        return body.len();
    };
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Json>();
    let _ = values.next();
    start + values.byte_offset()
}

fn overridden(full_name: &str) -> String {
    format!("need to clean up TTL first for {full_name}")
}

fn updated() -> Answer {
    Answer::message(200, "The config is updated.")
}
