//! What can be asked of many regions at once: scatter, split, check soon.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::api::answer::{Answer, GoList};
use crate::api::request::{Request, go_kind, wrong_type};
use crate::cluster::Cluster;
use crate::cluster::admission::go_uints;
use crate::errors;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Processed {
    processed_percentage: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    regions_id: Option<GoList<u64>>,
}

pub(super) fn scatter(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let text = |field: &str| input.get(field).and_then(Json::as_str);
    let group = text("group").unwrap_or_default();
    let regions = match (text("start_key"), text("end_key")) {
        (Some(start), Some(end)) => cluster.regions_between(start, end),
        _ => match go_uints(input.get("regions_id")) {
            Some(ids) => cluster.regions_to_scatter(&ids),
            // Up to 7.5 this is the caller's mistake, later it is PD's.
            None if !cluster.rows().names_what_changed => {
                return Answer::message(400, "regions_id is invalid");
            }
            None => Err("regions_id is invalid".to_owned()),
        },
    };
    match regions.map(|(regions, missing)| cluster.scatter_all(&regions, missing, group)) {
        Ok(processed_percentage) => Answer::ok(&Processed {
            processed_percentage,
            regions_id: None,
        }),
        Err(text) => Answer::message(500, &text),
    }
}

pub(super) fn split(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let is_checked = cluster.rows().default_store_limit;
    let Some(given) = input.get("split_keys") else {
        return Answer::message(400, "split_keys should be provided.");
    };
    let Some(given) = given.as_array() else {
        if is_checked {
            return Answer::message(400, "split_keys should be an array.");
        }
        let found = errors::go_dynamic_type(given);
        return Answer::panicked(&format!(
            "PANIC: interface conversion: interface {{}} is {found}, not []interface {{}}\n"
        ));
    };
    if given.is_empty() {
        return Answer::message(400, "empty split keys.");
    }
    let mut keys = Vec::new();
    for key in given {
        let Some(text) = key.as_str() else {
            if is_checked {
                return Answer::message(400, "split_keys should contain only strings.");
            }
            let found = errors::go_dynamic_type(key);
            return Answer::panicked(&format!(
                "PANIC: interface conversion: interface {{}} is {found}, not string\n"
            ));
        };
        match errors::go_hex(text) {
            Ok(key) => keys.push(key),
            Err(text) => return Answer::message(500, &text),
        }
    }
    let (percentage, new) = cluster.split_at(&keys);
    Answer::ok(&Processed {
        processed_percentage: percentage,
        regions_id: Some(GoList::new(new, true)),
    })
}

pub(super) fn accelerate(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    if !cluster.rows().names_what_changed {
        return accelerate_as_before(cluster, request, &input);
    }
    let text = |field: &str| input.get(field).and_then(Json::as_str);
    let (Some(start), Some(end)) = (text("start_key"), text("end_key")) else {
        return Answer::message(400, "start_key or end_key is not string");
    };
    let limit = match limit(request) {
        Ok(limit) => limit,
        Err(answer) => return answer,
    };
    let keys = errors::go_hex(start).and_then(|start| Ok((start, errors::go_hex(end)?)));
    match keys {
        Ok((start_key, end_key)) => {
            check_soon(cluster, &start_key, &end_key, limit);
            let text = format!("Accelerate regions scheduling in a given range [{start},{end})");
            Answer::plain(200, &text)
        }
        Err(text) => Answer::message(500, &text),
    }
}

/// Up to 7.5 the keys are checked one by one, in other words.
fn accelerate_as_before(
    cluster: &mut Cluster,
    request: &Request<'_>,
    input: &Map<String, Json>,
) -> Answer {
    let key = |field| parsed_key(input.get(field), field);
    let keys = key("start_key").and_then(|start| Ok((start, key("end_key")?)));
    let ((start, raw_start), (end, raw_end)) = match keys {
        Ok(keys) => keys,
        Err(text) => return Answer::message(400, &text),
    };
    match limit(request) {
        Ok(limit) => {
            check_soon(cluster, &start, &end, limit);
            let text =
                format!("Accelerate regions scheduling in a given range [{raw_start},{raw_end})");
            Answer::plain(200, &text)
        }
        Err(answer) => answer,
    }
}

/// A key in hex, and as it was given.
fn parsed_key(json: Option<&Json>, field: &str) -> Result<(String, String), String> {
    match json {
        None => Err(format!("missing {field}")),
        Some(Json::String(text)) => errors::go_hex(text)
            .map(|key| (key, text.clone()))
            // PD names the field, not the key.
            .map_err(|_| format!("split key {field} is not in hex format")),
        Some(_) => Err(format!("bad format {field}")),
    }
}

pub(super) fn accelerate_several(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.json() {
        Ok(Json::Array(input)) => input,
        Ok(Json::Null) => Vec::new(),
        Ok(other) => {
            let target = "Go value of type []map[string]interface {}";
            return wrong_type(go_kind(&other), target, 1, "", "");
        }
        Err(answer) => return answer,
    };
    let limit = match limit(request) {
        Ok(limit) => limit,
        Err(answer) => return answer,
    };
    let mut said = String::from("Accelerate regions scheduling in given ranges: ");
    let mut ranges = Vec::new();
    for range in &input {
        let key = |field| parsed_key(range.get(field), field);
        match key("start_key").and_then(|start| Ok((start, key("end_key")?))) {
            Ok(((start, raw_start), (end, raw_end))) => {
                said.push_str(&format!("[{raw_start},{raw_end}), "));
                ranges.push((start, end));
            }
            Err(text) => return Answer::message(400, &text),
        }
    }
    for (start, end) in ranges {
        check_soon(cluster, &start, &end, limit);
    }
    Answer::plain(200, &said)
}

fn limit(request: &Request<'_>) -> Result<usize, Answer> {
    match request.query("limit").unwrap_or_default() {
        "" => Ok(256),
        text => match text.parse::<i64>() {
            Ok(limit) => Ok(usize::try_from(limit).unwrap_or(0).min(10_240)),
            Err(_) => Err(Answer::message(400, &errors::not_a_number("Atoi", text))),
        },
    }
}

fn check_soon(cluster: &mut Cluster, start: &str, end: &str, limit: usize) {
    let ids: Vec<u64> = cluster
        .regions
        .scan_from(start)
        .take_while(|region| end.is_empty() || *region.start_key < *end)
        .take(limit)
        .map(|region| region.id)
        .collect();
    cluster.check_regions(ids);
}
