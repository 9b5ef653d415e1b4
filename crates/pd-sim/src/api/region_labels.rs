//! `/config/region-label` and the labels of one region.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::api::answer::{Answer, GoList};
use crate::api::request::{Request, go_kind, percent_decode, wrong_type};
use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::labels::{LabelRule, RegionLabel};
use crate::cluster::region::Key;
use crate::errors;
use crate::gotext::{parse_go_duration, parse_rfc3339, rfc3339};

#[derive(Serialize)]
struct LabelBody<'a> {
    key: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    ttl: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    start_at: &'a str,
}

#[derive(Serialize)]
struct RuleBody<'a> {
    id: &'a str,
    index: i64,
    labels: Vec<LabelBody<'a>>,
    rule_type: &'static str,
    data: Vec<Range<'a>>,
}

#[derive(Serialize)]
struct Range<'a> {
    start_key: &'a str,
    end_key: &'a str,
}

impl<'a> From<&'a RegionLabel> for LabelBody<'a> {
    fn from(label: &'a RegionLabel) -> Self {
        Self {
            key: &label.key,
            value: &label.value,
            ttl: &label.ttl,
            start_at: &label.start_at,
        }
    }
}

impl<'a> From<&'a LabelRule> for RuleBody<'a> {
    fn from(rule: &'a LabelRule) -> Self {
        Self {
            id: &rule.id,
            index: rule.index,
            labels: rule.labels.iter().map(LabelBody::from).collect(),
            rule_type: "key-range",
            data: rule
                .as_given
                .iter()
                .map(|(start_key, end_key)| Range { start_key, end_key })
                .collect(),
        }
    }
}

pub(super) fn all(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    cluster.labels.expire(cluster.now);
    let rules: Vec<RuleBody<'_>> = cluster.labels.rules.values().map(RuleBody::from).collect();
    Answer::ok(&rules)
}

/// Those whose ids the body lists: a `GET` with a body.
pub(super) fn some(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let ids: Vec<String> = match request.json() {
        Ok(Json::Array(ids)) => ids
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect(),
        Ok(Json::Null) => Vec::new(),
        Ok(other) => return wrong_type(go_kind(&other), "Go value of type []string", 1, "", ""),
        Err(answer) => return answer,
    };
    cluster.labels.expire(cluster.now);
    let rules: Vec<RuleBody<'_>> = ids
        .iter()
        .filter_map(|id| cluster.labels.rules.get(id))
        .map(RuleBody::from)
        .collect();
    Answer::ok(&rules)
}

/// PD decodes the id once more than the path.
fn id_of(request: &Request<'_>) -> String {
    percent_decode(request.segment(3), false)
}

pub(super) fn one(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    cluster.labels.expire(cluster.now);
    match cluster.labels.rules.get(&id_of(request)) {
        Some(rule) => Answer::ok(&RuleBody::from(rule)),
        None => Answer::json(404, &()),
    }
}

pub(super) fn set(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let rule = request
        .object()
        .and_then(|input| checked(&input, cluster.now));
    match rule {
        Ok(rule) => {
            cluster.labels.rules.insert(rule.id.clone(), rule);
            cluster.check_everything();
            Answer::message(200, "Update region label rule successfully.")
        }
        Err(answer) => answer,
    }
}

pub(super) fn patch(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let list = |field: &str| -> Vec<Json> {
        let list = input.get(field).and_then(Json::as_array);
        list.cloned().unwrap_or_default()
    };
    let mut rules = Vec::new();
    for set in list("sets") {
        let empty = Map::new();
        match checked(set.as_object().unwrap_or(&empty), cluster.now) {
            Ok(rule) => rules.push(rule),
            Err(answer) => return answer,
        }
    }
    for id in list("deletes") {
        cluster.labels.rules.remove(id.as_str().unwrap_or_default());
    }
    for rule in rules {
        cluster.labels.rules.insert(rule.id.clone(), rule);
    }
    cluster.check_everything();
    Answer::message(200, "Update region label rules successfully.")
}

pub(super) fn delete(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let id = id_of(request);
    if cluster.labels.rules.remove(&id).is_some() {
        return Answer::plain(200, "Delete rule successfully.");
    }
    let text = format!("[PD:region:ErrRegionRuleNotFound]region label rule not found for id {id}");
    Answer::message(404, &text)
}

/// Checks a rule as PD does, in its order.
fn checked(input: &Map<String, Json>, now: Time) -> Result<LabelRule, Answer> {
    let id = text(input.get("id"));
    if id.is_empty() {
        return bad("empty rule id");
    }
    let given = input.get("labels").and_then(Json::as_array);
    let labels = given.into_iter().flatten();
    let mut labels: Vec<_> = labels
        .map(|label| checked_label(label, now))
        .collect::<Result<_, _>>()?;
    if labels.is_empty() {
        return bad("no region labels");
    }
    labels.retain(|label| label.until.is_none_or(|until| until > now));
    if labels.is_empty() {
        return bad("region label with expired ttl");
    }
    let rule_type = text(input.get("rule_type"));
    if rule_type != "key-range" {
        return bad(&format!("invalid rule type: {rule_type}"));
    }
    let data = input.get("data").unwrap_or(&Json::Null);
    let Some(data) = data.as_array() else {
        let found = match errors::go_dynamic_type(data) {
            "nil" => "<nil>",
            other => other,
        };
        return bad(&format!("invalid rule type: {found}"));
    };
    if data.is_empty() {
        return bad("no key ranges");
    }
    let as_given = |range: &Json| (text(range.get("start_key")), text(range.get("end_key")));
    Ok(LabelRule {
        id,
        index: input.get("index").and_then(Json::as_i64).unwrap_or(0),
        labels,
        ranges: data.iter().map(checked_range).collect::<Result<_, _>>()?,
        as_given: data.iter().map(as_given).collect(),
    })
}

fn checked_label(label: &Json, now: Time) -> Result<RegionLabel, Answer> {
    let (key, value) = (text(label.get("key")), text(label.get("value")));
    if key.is_empty() {
        return bad("empty region label key");
    }
    if value.is_empty() {
        return bad("empty region label value");
    }
    let (ttl, mut start_at) = (text(label.get("ttl")), text(label.get("start_at")));
    let until = match parse_go_duration(&ttl) {
        _ if ttl.is_empty() => None,
        None => {
            let what = format!("region label with invalid ttl info time: invalid duration {ttl:?}");
            return bad(&what);
        }
        Some(ttl) => {
            if start_at.is_empty() {
                start_at = rfc3339(now);
            }
            let from = parse_rfc3339(&start_at).unwrap_or(now);
            Some(from + ttl)
        }
    };
    Ok(RegionLabel {
        key,
        value,
        ttl,
        start_at,
        until,
    })
}

fn checked_range(range: &Json) -> Result<(Key, Key), Answer> {
    let key = |field: &str, name: &str| {
        let Some(text) = range.get(field).and_then(Json::as_str) else {
            return bad(&format!("invalid {name} type: *reflect.rtype"));
        };
        errors::go_hex(text).map_err(|_| {
            let text = format!("[PD:hex:ErrHexDecodingString]decode string {text} error");
            Answer::message(400, &text)
        })
    };
    let (start, end) = (key("start_key", "startKey")?, key("end_key", "endKey")?);
    if !end.is_empty() && end <= start {
        return bad("endKey should be greater than startKey");
    }
    Ok((Key::from(start), Key::from(end)))
}

fn text(json: Option<&Json>) -> String {
    json.and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn bad<T>(what: &str) -> Result<T, Answer> {
    let text = format!("[PD:region:ErrRegionRuleContent]invalid region rule content, {what}");
    Err(Answer::message(400, &text))
}

pub(super) fn of_region(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    match labels_of(cluster, request) {
        Ok(labels) => {
            let labels = labels.into_iter().map(LabelBody::from).collect();
            Answer::ok(&GoList::new(labels, false))
        }
        Err(answer) => answer,
    }
}

pub(super) fn value_of_region(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    match labels_of(cluster, request) {
        Ok(labels) => {
            let label = labels.iter().find(|label| label.key == request.segment(4));
            Answer::message(200, label.map_or("", |label| &label.value))
        }
        Err(answer) => answer,
    }
}

fn labels_of<'a>(
    cluster: &'a mut Cluster,
    request: &Request<'_>,
) -> Result<Vec<&'a RegionLabel>, Answer> {
    let region_id = request.id(2)?;
    cluster.labels.expire(cluster.now);
    let region = cluster.regions.get(region_id);
    let region = region.ok_or_else(|| Answer::json(404, &()))?;
    Ok(cluster.labels.of(region))
}
