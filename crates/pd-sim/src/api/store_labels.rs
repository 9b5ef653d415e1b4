//! Labels of stores: where they stand and what they are.

use regex::Regex;
use serde_json::Value as Json;

use crate::api::answer::{Answer, GoList, Nothing};
use crate::api::request::{Request, go_kind, wrong_type};
use crate::api::stores::{self, Label, labels_of};
use crate::cluster::Cluster;
use crate::cluster::config::{Item, find};
use crate::errors;

pub(super) fn all(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut distinct: Vec<Label<'_>> = Vec::new();
    for label in cluster.stores.values().flat_map(labels_of) {
        let folded = label.folded();
        if !seen.contains(&folded) {
            seen.push(folded);
            distinct.push(label);
        }
    }
    Answer::ok(&GoList::new(distinct, true))
}

/// Stores whose labels match two regular expressions.
pub(super) fn stores(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let pattern = |name: &str| {
        let text = request.query(name).unwrap_or_default();
        Regex::new(&format!("(?i){text}"))
            .map_err(|_| Answer::message(500, &errors::go_bad_regex(text)))
    };
    match pattern("name").and_then(|name| Ok((name, pattern("value")?))) {
        Ok((name, value)) => stores::answer(cluster, |store| {
            let mut labels = store.labels.iter();
            labels.any(|(key, held)| name.is_match(key) && value.is_match(held))
        }),
        Err(answer) => answer,
    }
}

pub(super) fn set(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = request
        .store_id(1)
        .and_then(|id| Ok((id, request.object()?)));
    let (store_id, input) = match input {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let mut labels = Vec::new();
    for (key, value) in input {
        let Json::String(value) = value else {
            let offset = request.body.len().saturating_sub(1);
            return wrong_type(go_kind(&value), "Go value of type string", offset, "", "");
        };
        labels.push((key, value));
    }
    for (key, value) in &labels {
        if let Some(answer) = bad_key(key).or_else(|| bad_value(value)) {
            return answer;
        }
        if key == "engine" && cluster.rows().engine_label_is_reserved {
            return Answer::error_object("input", "label key \"engine\" is reserved", Nothing {});
        }
    }
    let Some(store) = cluster.stores.get(&store_id) else {
        return unknown_store(store_id);
    };
    let labels = if request.query("force").is_some() {
        labels
    } else {
        merged(store.labels.clone(), labels)
    };
    if let Some(text) = mismatch(cluster, &labels) {
        return Answer::message(500, &text);
    }
    store_labels(cluster, store_id, labels);
    Answer::message(200, "The store's label is updated.")
}

pub(super) fn delete(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = request.store_id(1).and_then(|id| Ok((id, request.json()?)));
    let (store_id, input) = match input {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let key = match input {
        Json::String(key) => key,
        Json::Null => String::new(),
        other => {
            let offset = request.body.len();
            return wrong_type(go_kind(&other), "Go value of type string", offset, "", "");
        }
    };
    if let Some(answer) = bad_key(&key) {
        return answer;
    }
    let Some(store) = cluster.stores.get(&store_id) else {
        return unknown_store(store_id);
    };
    let mut labels = store.labels.clone();
    labels.retain(|(known, _)| *known != key);
    if labels.len() == store.labels.len() {
        return Answer::message(500, &format!("the label key {key} does not exist"));
    }
    if let Some(text) = mismatch(cluster, &labels) {
        return Answer::message(500, &text);
    }
    store_labels(cluster, store_id, labels);
    let text = format!("The label {key} is deleted for store {store_id}.");
    Answer::message(200, &text)
}

fn store_labels(cluster: &mut Cluster, store_id: u64, labels: Vec<(String, String)>) {
    if let Some(store) = cluster.stores.get_mut(&store_id) {
        store.labels = labels;
    }
    cluster.check_everything();
}

fn unknown_store(store_id: u64) -> Answer {
    let text = format!("[PD:cluster:ErrInvalidStoreID]invalid store id {store_id}, not found");
    Answer::message(500, &text)
}

/// New values for old keys, whatever their case; a key with an empty value goes.
fn merged(mut old: Vec<(String, String)>, new: Vec<(String, String)>) -> Vec<(String, String)> {
    for (key, value) in new {
        match old
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(&key))
        {
            Some((_, held)) => *held = value,
            None => old.push((key, value)),
        }
    }
    old.retain(|(_, value)| !value.is_empty());
    old
}

/// What `strictly-match-label` has against the labels. PD ends both texts with a space.
fn mismatch(cluster: &Cluster, labels: &[(String, String)]) -> Option<String> {
    let replication = &cluster.config.replication;
    if find(replication, "strictly-match-label") != Some(&Item::Bool(true)) {
        return None;
    }
    let wanted = cluster.config.location_labels();
    let has = |key: &str| labels.iter().any(|(k, v)| k == key && !v.is_empty());
    if let Some(missing) = wanted.iter().find(|key| !has(key)) {
        return Some(format!(
            "label configuration is incorrect, need to specify the key: {missing} "
        ));
    }
    let unknown = labels
        .iter()
        .find(|(key, _)| key != "engine" && !wanted.contains(&key.as_str()))?;
    Some(format!(
        "key matching the label was not found in the PD, store label key: {} ",
        unknown.0
    ))
}

const KEY_FORMAT: &str = "^[$]?[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$";
const VALUE_FORMAT: &str = "^[-A-Za-z0-9_./]*$";

fn bad_key(key: &str) -> Option<Answer> {
    let inner = key.strip_prefix('$').unwrap_or(key);
    let ends_well = |end: Option<char>| end.is_some_and(|c| c.is_ascii_alphanumeric());
    let is_good = ends_well(inner.chars().next())
        && ends_well(inner.chars().next_back())
        && inner.chars().all(is_inner);
    (!is_good).then(|| bad_format(key, KEY_FORMAT))
}

fn bad_value(value: &str) -> Option<Answer> {
    (!value.chars().all(is_inner)).then(|| bad_format(value, VALUE_FORMAT))
}

fn is_inner(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')
}

fn bad_format(text: &str, format: &str) -> Answer {
    let text = format!("{text} does not match format \"{format}\"");
    Answer::error_object("input", &text, Nothing {})
}
