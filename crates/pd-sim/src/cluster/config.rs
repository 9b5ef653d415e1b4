//! PD's scheduling and replication configuration, with temporary overrides.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use crate::clock::Time;
use crate::cluster::config::defaults::{default_pd_server, default_replication, default_schedule};
use crate::gotext::parse_go_duration;
use crate::version::{ItemChange, Rows};

mod defaults;

/// The Go type of an item, which decides what JSON it takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Uint(u64),
    Int(i64),
    Float(f64),
    /// In JSON a string, `"true"` or `"false"`.
    Bool(bool),
    /// Go's duration text.
    Duration(String),
    Text(String),
    /// A list of words in one text, with commas.
    Words(String),
    /// A boolean that is one in JSON too.
    Flag(bool),
    /// A list of texts.
    Texts(Vec<String>),
    /// Ids of stores; only PD writes them.
    Ids(Vec<u64>),
}

/// Why a value was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// JSON of another type; what it is and what is wanted, in Go's words.
    Type { got: String, want: &'static str },
    /// A text that is no duration, or a boolean that is no string.
    Text(String),
}

impl Item {
    fn go_type(&self) -> &'static str {
        match self {
            Self::Uint(_) => "uint64",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Bool(_) => "bool",
            Self::Duration(_) | Self::Text(_) | Self::Words(_) => "string",
            Self::Flag(_) => "bool",
            Self::Texts(_) => "[]string",
            Self::Ids(_) => "[]uint64",
        }
    }

    /// Takes `json` as a new value of the same type.
    pub(crate) fn parse(&self, json: &Json) -> Result<Self, Mismatch> {
        let mismatch = |got: String| Mismatch::Type {
            got,
            want: self.go_type(),
        };
        let number = |number: &serde_json::Number| mismatch(format!("number {number}"));
        match (self, json) {
            (_, Json::Null) => Ok(self.clone()),
            (Self::Uint(_), Json::Number(n)) => n.as_u64().map(Self::Uint).ok_or_else(|| number(n)),
            (Self::Int(_), Json::Number(n)) => n.as_i64().map(Self::Int).ok_or_else(|| number(n)),
            (Self::Float(_), Json::Number(n)) => {
                n.as_f64().map(Self::Float).ok_or_else(|| number(n))
            }
            (Self::Bool(_), Json::String(text)) => match text.as_str() {
                "true" => Ok(Self::Bool(true)),
                "false" => Ok(Self::Bool(false)),
                _ => Err(Mismatch::Text(format!(
                    "json: invalid use of ,string struct tag, trying to unmarshal {text:?} into bool"
                ))),
            },
            (Self::Bool(_), _) => Err(Mismatch::Text(
                "json: invalid use of ,string struct tag, trying to unmarshal unquoted value into bool"
                    .to_owned(),
            )),
            (Self::Duration(_), Json::String(text)) => match parse_go_duration(text) {
                Some(duration) => Ok(Self::Duration(crate::gotext::go_duration(duration))),
                None => Err(Mismatch::Text(format!("time: invalid duration {text:?}"))),
            },
            (Self::Words(_), Json::String(text)) => Ok(Self::Words(text.clone())),
            (Self::Words(_), _) => Err(Mismatch::Text("invalid syntax".to_owned())),
            (Self::Text(_), Json::String(text)) => Ok(Self::Text(text.clone())),
            (Self::Flag(_), Json::Bool(flag)) => Ok(Self::Flag(*flag)),
            (Self::Texts(_), Json::Array(texts)) => texts
                .iter()
                .map(|text| text.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .map(Self::Texts)
                .ok_or_else(|| mismatch("number".to_owned())),
            (_, Json::Bool(_)) => Err(mismatch("bool".to_owned())),
            (_, Json::Number(n)) => Err(number(n)),
            (_, Json::String(_)) => Err(mismatch("string".to_owned())),
            (_, Json::Array(_)) => Err(mismatch("array".to_owned())),
            (_, Json::Object(_)) => Err(mismatch("object".to_owned())),
        }
    }
}

/// Named items in PD's order.
pub(crate) type Items = Vec<(&'static str, Item)>;

#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) schedule: Items,
    pub(crate) replication: Items,
    pub(crate) pd_server: Items,
    pub(crate) log_level: String,
    pub(crate) cluster_version: String,
    /// Overrides by full name: the value and when it ends.
    pub(crate) ttl: BTreeMap<String, (Json, Time)>,
}

impl Config {
    pub(crate) fn new(rows: &Rows) -> Self {
        let mut schedule = default_schedule();
        for (name, change) in rows.schedule {
            let Some(index) = schedule.iter().position(|(known, _)| known == name) else {
                continue;
            };
            match change {
                ItemChange::Absent => drop(schedule.remove(index)),
                ItemChange::Is(value) => schedule[index].1 = Item::Uint(*value),
                ItemChange::Off => schedule[index].1 = Item::Bool(false),
                ItemChange::Named(other) => schedule[index].0 = other,
            }
        }
        Self {
            schedule,
            replication: default_replication(),
            pd_server: default_pd_server(rows),
            log_level: "info".to_owned(),
            cluster_version: rows.number.trim_start_matches('v').to_owned(),
            ttl: BTreeMap::new(),
        }
    }

    /// Whether an override of the item, named `schedule.…`, is in force.
    pub(crate) fn is_overridden(&self, full_name: &str, now: Time) -> bool {
        self.ttl.get(full_name).is_some_and(|(_, end)| *end > now)
    }

    /// The limit in force: the override, else the stored value.
    pub(crate) fn limit(&self, name: &str, now: Time) -> u64 {
        let full_name = format!("schedule.{name}");
        if self.is_overridden(&full_name, now)
            && let Some(number) = self.ttl.get(&full_name).and_then(|(v, _)| v.as_f64())
        {
            return number as u64;
        }
        match self.schedule_item(name) {
            Some(Item::Uint(value)) => *value,
            _ => 0,
        }
    }

    /// A temporary rate in force.
    pub(crate) fn overridden_rate(&self, name: &str, now: Time) -> Option<f64> {
        self.ttl
            .get(name)
            .filter(|(_, end)| *end > now)
            .and_then(|(rate, _)| rate.as_f64())
    }

    pub(crate) fn float(&self, name: &str) -> f64 {
        match self.schedule_item(name) {
            Some(Item::Float(value)) => *value,
            _ => 0.0,
        }
    }

    pub(crate) fn is_on(&self, name: &str) -> bool {
        matches!(self.schedule_item(name), Some(Item::Bool(true)))
    }

    pub(crate) fn duration(&self, name: &str) -> Duration {
        match self.schedule_item(name) {
            Some(Item::Duration(text)) => parse_go_duration(text).unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }

    pub(crate) fn max_replicas(&self) -> u64 {
        match find(&self.replication, "max-replicas") {
            Some(Item::Uint(value)) => *value,
            _ => 3,
        }
    }

    pub(crate) fn set_max_replicas(&mut self, replicas: u64) {
        if let Some((_, item)) = self
            .replication
            .iter_mut()
            .find(|(name, _)| *name == "max-replicas")
        {
            *item = Item::Uint(replicas);
        }
    }

    pub(crate) fn placement_rules_are_on(&self) -> bool {
        find(&self.replication, "enable-placement-rules") != Some(&Item::Bool(false))
    }

    pub(crate) fn isolation_level(&self) -> &str {
        match find(&self.replication, "isolation-level") {
            Some(Item::Text(text)) => text,
            _ => "",
        }
    }

    pub(crate) fn location_labels(&self) -> Vec<&str> {
        match find(&self.replication, "location-labels") {
            Some(Item::Words(text)) => text.split(',').filter(|key| !key.is_empty()).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn schedule_item(&self, name: &str) -> Option<&Item> {
        find(&self.schedule, name)
    }
}

pub(crate) fn find<'a>(items: &'a Items, name: &str) -> Option<&'a Item> {
    items
        .iter()
        .find(|(item_name, _)| item_name.eq_ignore_ascii_case(name))
        .map(|(_, item)| item)
}

/// What is wrong with a schedule configuration, in PD's words.
pub(crate) fn validate_schedule(items: &Items) -> Result<(), String> {
    let float = |name| match find(items, name) {
        Some(Item::Float(value)) => *value,
        _ => 0.0,
    };
    let (low, high) = (float("low-space-ratio"), float("high-space-ratio"));
    let policy = match find(items, "leader-schedule-policy") {
        Some(Item::Text(policy)) => policy,
        _ => "count",
    };
    let slow_share = find(items, "slow-store-evicting-affected-store-ratio-threshold");
    let workers = match find(items, "patrol-region-worker-count") {
        Some(Item::Int(workers)) => *workers,
        _ => 1,
    };
    let wrong = if float("tolerant-size-ratio") < 0.0 {
        "tolerant-size-ratio should be non-negative".to_owned()
    } else if !(0.0..=1.0).contains(&low) {
        "low-space-ratio should between 0 and 1".to_owned()
    } else if !(0.0..=1.0).contains(&high) {
        "high-space-ratio should between 0 and 1".to_owned()
    } else if low <= high {
        "low-space-ratio should be larger than high-space-ratio".to_owned()
    } else if !["count", "size"].contains(&policy) {
        format!("leader-schedule-policy {policy} is invalid")
    } else if slow_share == Some(&Item::Float(0.0)) {
        "slow-store-evicting-affected-store-ratio-threshold is not set".to_owned()
    } else if !(1..=8).contains(&workers) {
        "patrol-region-worker-count should be between 1 and 8".to_owned()
    } else {
        return Ok(());
    };
    Err(wrong)
}

/// The names that may be overridden for a time.
pub(crate) const TTL_NAMES: [&str; 13] = [
    "schedule.max-snapshot-count",
    "schedule.max-merge-region-size",
    "schedule.max-pending-peer-count",
    "schedule.max-merge-region-keys",
    "schedule.leader-schedule-limit",
    "schedule.region-schedule-limit",
    "schedule.replica-schedule-limit",
    "schedule.merge-schedule-limit",
    "schedule.hot-region-schedule-limit",
    "schedule.split-scatter-schedule-limit",
    "schedule.scheduler-max-waiting-operator",
    "schedule.enable-location-replacement",
    "schedule.enable-tikv-split-region",
];

/// Where `store-limit` and `schedulers-v2` come in the list, they are written by the answer.
pub(crate) const STORE_LIMIT_COMES_BEFORE: &str = "tolerant-size-ratio";
pub(crate) const SCHEDULERS_COME_BEFORE: &str = "hot-regions-write-interval";
/// Printed only when true.
pub(crate) const HALT_SCHEDULING: &str = "halt-scheduling";
