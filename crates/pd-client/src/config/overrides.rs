//! Overrides of the configuration with a time to live, which PD's own calls do not show.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::transport::Call;

/// Where PD keeps them in etcd: `ttlConfigPrefix` of `server/config/persist_options.go`.
const PREFIX: &str = "/config/ttl/";

/// The first key after them.
const END: &str = "/config/ttl0";

impl Client {
    /// The overrides that are in force, by PD's full names, such as
    /// `schedule.leader-schedule-limit`. While one is there the item cannot be set.
    ///
    /// `POST /v3/kv/range` of the etcd that every member of PD embeds, all versions: a question,
    /// although it is a POST. PD shows overrides nowhere else, but for some values in
    /// [`gauges`](Self::gauges), up to ten seconds late.
    ///
    /// # Errors
    /// [`Error::Pd`] where etcd's gateway is switched off (`enable-grpc-gateway`), or something in
    /// front of PD lets only its own paths through.
    pub async fn config_overrides(&self) -> Result<BTreeMap<String, Value>, Error> {
        let range = Range {
            key: STANDARD.encode(PREFIX),
            range_end: STANDARD.encode(END),
        };
        let call = Call::point("/v3/kv/range").unversioned().asked_by_post();
        let found: Found = self.read(call.with_body(&range)?).await?.json()?;
        Ok(found.kvs.iter().filter_map(KeyValue::item).collect())
    }
}

#[derive(Serialize)]
struct Range {
    key: String,
    range_end: String,
}

/// Keys and values are base64.
#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    kvs: Vec<KeyValue>,
}

#[derive(Deserialize)]
struct KeyValue {
    key: String,
    #[serde(default)]
    value: String,
}

impl KeyValue {
    /// PD keeps numbers and flags as text.
    fn item(&self) -> Option<(String, Value)> {
        let text = |encoded: &str| String::from_utf8(STANDARD.decode(encoded).ok()?).ok();
        let name = text(&self.key)?.strip_prefix(PREFIX)?.to_owned();
        let value = text(&self.value)?;
        let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What 8.5.7 answered while one override was in force, without its header.
    const ANSWER: &str = r#"{"kvs":[{"key":"L2NvbmZpZy90dGwvc2NoZWR1bGUubGVhZGVyLXNjaGVkdWxlLWxpbWl0","create_revision":"44","mod_revision":"44","version":"1","value":"OA==","lease":"6452710638621603667"}],"count":"1"}"#;

    fn items(answer: &str) -> Vec<(String, Value)> {
        let found: Found = serde_json::from_str(answer).unwrap();
        found.kvs.iter().filter_map(KeyValue::item).collect()
    }

    #[test]
    fn what_etcd_keeps_is_read() {
        let limit = "schedule.leader-schedule-limit".to_owned();
        assert_eq!(items(ANSWER), [(limit, Value::from(8))]);
        // Where there is none, the list is left out.
        assert_eq!(items(r#"{"header":{"revision":"1"}}"#), []);
        // What is no base64, and what is elsewhere, is nobody's override.
        let other = STANDARD.encode("/pd/1/config");
        let odd = format!(r#"{{"kvs":[{{"key":"???"}},{{"key":"{other}","value":"OA=="}}]}}"#);
        assert_eq!(items(&odd), []);
    }
}
