//! `/config`: changing the configuration, for good or for a time.

use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::api::answer::Answer;
use crate::api::request::{Request, wrong_type};
use crate::cluster::Cluster;
use crate::cluster::config::{Item, Items, Mismatch, TTL_NAMES, find, validate_schedule};
use crate::errors;

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
    let is_plain = cluster.rows().default_store_limit;
    match merged(items, &input, request, "ScheduleConfig", is_plain) {
        Ok(items) => {
            let stored = deprecated(&input).and_then(|()| store_schedule(cluster, items));
            stored.map_or_else(|text| Answer::message(500, &text), |()| updated())
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
    match merged(items, &input, request, "ReplicationConfig", false) {
        Ok(items) => store_replication(cluster, items)
            .map_or_else(|text| Answer::message(500, &text), |()| updated()),
        Err(answer) => answer,
    }
}

/// One item at a time, in an order left to chance; those before a bad one stay set.
pub(super) fn set_items(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object_or_message() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let seconds = request.query("ttlSecond").unwrap_or_default();
    if !seconds.is_empty() {
        return match seconds.parse() {
            Ok(seconds) => set_for_a_time(cluster, &input, seconds),
            Err(_) => Answer::message(400, &errors::not_a_number("Atoi", seconds)),
        };
    }
    let mut items: Vec<(&String, &Json)> = input.iter().collect();
    while !items.is_empty() {
        let (key, value) = items.swap_remove(cluster.seeded.below(items.len()));
        if let Err(text) = set_item(cluster, key, value) {
            return Answer::message(400, &text);
        }
    }
    updated()
}

fn set_item(cluster: &mut Cluster, key: &str, value: &Json) -> Result<(), String> {
    let config = &cluster.config;
    let sections = [
        ("schedule", "ScheduleConfig", &config.schedule),
        ("replication", "ReplicationConfig", &config.replication),
        ("pd-server", "PDServerConfig", &config.pd_server),
    ];
    let is_deprecated = DEPRECATED.contains(&key);
    let (prefix, rest) = match key.split_once('.') {
        Some(parts) => parts,
        None if is_deprecated => ("schedule", key),
        None if key == "cluster-version" => (key, ""),
        None => {
            let section = sections
                .iter()
                .find(|(_, _, items)| items.iter().any(|(known, _)| *known == key));
            let Some((prefix, ..)) = section else {
                return Err(format!("config item {key} not found"));
            };
            (*prefix, key)
        }
    };
    if matches!(prefix, "log" | "cluster-version") {
        return set_text(cluster, prefix, rest, value);
    }
    let full_name = format!("{prefix}.{rest}");
    if prefix == "schedule" && cluster.config.is_overridden(&full_name, cluster.now) {
        return Err(overridden(&full_name));
    }
    let Some((_, go_struct, items)) = sections.iter().find(|(known, ..)| *known == prefix) else {
        return Err(format!("config prefix {prefix} not found"));
    };
    let name = rest.rsplit('.').next().unwrap_or(rest);
    if prefix == "schedule" && DEPRECATED.contains(&name) {
        return Err(format!("{name} has already been deprecated"));
    }
    let mut items = Items::clone(items);
    let Some((_, item)) = items.iter_mut().find(|(known, _)| *known == name) else {
        return Err(format!("config item {name} not found"));
    };
    *item = item.parse(value).map_err(|mismatch| match mismatch {
        Mismatch::Type { got, want } => {
            format!("json: cannot unmarshal {got} into Go struct field {go_struct}.{name} of type {want}")
        }
        Mismatch::Text(text) => text,
    })?;
    match prefix {
        "schedule" => store_schedule(cluster, items),
        "replication" => store_replication(cluster, items),
        _ => {
            cluster.config.pd_server = items;
            Ok(())
        }
    }
}

/// The items that are a text of their own.
fn set_text(cluster: &mut Cluster, prefix: &str, rest: &str, value: &Json) -> Result<(), String> {
    let text = match prefix {
        "log" if rest == "level" => &mut cluster.config.log_level,
        "log" => return Err("only support changing log level".to_owned()),
        _ => &mut cluster.config.cluster_version,
    };
    let value = value.as_str().ok_or_else(|| illegal(value))?;
    value.clone_into(text);
    Ok(())
}

fn illegal(value: &Json) -> String {
    format!("input value {value} is illegal")
}

fn set_for_a_time(cluster: &mut Cluster, input: &Map<String, Json>, seconds: i64) -> Answer {
    let rows = cluster.rows();
    for key in input.keys() {
        let is_peer_rate = !rows.default_store_limit
            && (matches!(key.as_str(), "default-add-peer" | "default-remove-peer")
                || key.starts_with("add-peer-")
                || key.starts_with("remove-peer-"));
        let is_item = TTL_NAMES.contains(&key.as_str())
            && key
                .strip_prefix("schedule.")
                .is_some_and(|name| cluster.config.schedule_item(name).is_some());
        if !is_item && !is_peer_rate {
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
        match (rows.ttl_messages, seconds) {
            (false, _) => "The config is updated.",
            (true, 0) => "The ttl config is deleted.",
            (true, _) => "The ttl config is updated.",
        },
    )
}

/// Items that mean nothing any more; to set one is refused.
const DEPRECATED: [&str; 7] = [
    "disable-raft-learner",
    "disable-remove-down-replica",
    "disable-replace-offline-replica",
    "disable-make-up-replica",
    "disable-remove-extra-replica",
    "disable-location-replacement",
    "store-balance-rate",
];

fn deprecated(input: &Map<String, Json>) -> Result<(), String> {
    let is_set = |name: &&&str| match input.get(**name) {
        Some(Json::String(text)) => text == "true",
        Some(Json::Number(number)) => number.as_f64() != Some(0.0),
        _ => false,
    };
    DEPRECATED.iter().find(is_set).map_or(Ok(()), |name| {
        Err(format!("{name} has already been deprecated"))
    })
}

fn store_schedule(cluster: &mut Cluster, items: Items) -> Result<(), String> {
    validate_schedule(&items)?;
    cluster.config.schedule = items;
    Ok(())
}

/// The default rule follows what is set here, while it is the one that says so.
fn store_replication(cluster: &mut Cluster, items: Items) -> Result<(), String> {
    let old = std::mem::replace(&mut cluster.config.replication, items);
    let checked = follow(cluster, &old);
    match checked {
        Ok(()) => cluster.check_everything(),
        Err(_) => cluster.config.replication = old,
    }
    checked
}

fn follow(cluster: &mut Cluster, old: &Items) -> Result<(), String> {
    let config = &cluster.config;
    let labels: Vec<String> = config
        .location_labels()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let isolation = config.isolation_level().to_owned();
    if !isolation.is_empty() && !labels.contains(&isolation) {
        return Err("isolation-level must be one of location-labels or empty".to_owned());
    }
    if !config.placement_rules_are_on() {
        let has_tiflash = cluster.stores.values().any(|store| store.is_tiflash());
        return if has_tiflash {
            Err("cannot disable placement rules with TiFlash nodes".to_owned())
        } else {
            Ok(())
        };
    }
    let names = ["max-replicas", "location-labels", "isolation-level"];
    if names
        .iter()
        .all(|name| find(&config.replication, name) == find(old, name))
    {
        return Ok(());
    }
    let replicas = usize::try_from(config.max_replicas()).unwrap_or(0);
    let default = cluster
        .rules
        .get("pd", "default")
        .filter(|rule| rule.start_key.is_empty() && rule.end_key.is_empty());
    let Some(default) = default else {
        return Err("cannot update MaxReplicas, LocationLabels or IsolationLevel when placement rules feature is enabled and not only default rule exists, please update rule instead".to_owned());
    };
    let was = match find(old, "max-replicas") {
        Some(Item::Uint(replicas)) => usize::try_from(*replicas).unwrap_or(0),
        _ => 0,
    };
    let old_labels = match find(old, "location-labels") {
        Some(Item::Words(text)) => text.as_str(),
        _ => "",
    };
    if default.count != was || default.location_labels.join(",") != old_labels {
        return Err("cannot to update replication config, the default rules do not consistent with replication config, please update rule instead".to_owned());
    }
    cluster
        .rules
        .change(|draft| draft.set_default(replicas, labels, isolation))
}

/// The items with the input's values; unknown names are ignored. A text that does not convert is
/// an internal error: an object, or from PD 9.0 on for the schedule a plain message.
fn merged(
    mut items: Items,
    input: &Map<String, Json>,
    request: &Request<'_>,
    go_struct: &str,
    is_plain: bool,
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
            Mismatch::Text(text) if is_plain => Answer::message(500, &text),
            Mismatch::Text(text) => Answer::internal_error(&text),
        })?;
    }
    Ok(items)
}

/// Where in the body the value of `name` ends: Go's error says so.
pub(super) fn end_of_value(body: &[u8], name: &str) -> usize {
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
