//! `/v3/kv/range` of the etcd in each member, for what PD keeps there and shows nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::api::answer::Answer;
use crate::cluster::Cluster;

#[derive(Deserialize)]
struct Range {
    key: String,
    #[serde(default)]
    range_end: String,
}

#[derive(Serialize)]
struct Found {
    header: Header,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kvs: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<String>,
}

#[derive(Serialize)]
struct Header {
    cluster_id: String,
}

#[derive(Serialize)]
struct KeyValue {
    key: String,
    value: String,
}

/// The overrides in a range of keys: all that is kept.
pub(super) fn range(cluster: &Cluster, body: &[u8]) -> Answer {
    let asked = serde_json::from_slice(body).ok().and_then(|range: Range| {
        let key = STANDARD.decode(&range.key).ok()?;
        let end = STANDARD.decode(&range.range_end).ok()?;
        Some((key, end))
    });
    let Some((from, until)) = asked else {
        return Answer::compact(400, &serde_json::json!({"error": "bad request", "code": 3}));
    };
    let in_force = cluster.config.ttl.iter();
    let in_force = in_force.filter(|(_, (_, end))| *end > cluster.now);
    let kvs: Vec<KeyValue> = in_force
        .map(|(name, (value, _))| (format!("/config/ttl/{name}"), value))
        .filter(|(key, _)| {
            let key = key.as_bytes();
            key >= from.as_slice() && key < until.as_slice()
        })
        .map(|(key, value)| KeyValue {
            key: STANDARD.encode(key),
            value: STANDARD.encode(text(value)),
        })
        .collect();
    let count = (!kvs.is_empty()).then(|| kvs.len().to_string());
    let header = Header {
        // That of etcd, which is another than PD's.
        cluster_id: "12642527943353393942".to_owned(),
    };
    Answer::compact(200, &Found { header, kvs, count })
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        value => value.to_string(),
    }
}
