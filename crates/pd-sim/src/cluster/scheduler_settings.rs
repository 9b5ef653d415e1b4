//! What each scheduler can be set to, with the defaults it starts from.

use crate::cluster::config::{Item, Items};
use crate::version::Rows;

/// The settings a scheduler starts with; none if it has none.
pub(crate) fn defaults(name: &str, rows: &Rows) -> Items {
    match name {
        "balance-leader-scheduler" | "balance-witness-scheduler" => vec![("batch", Item::Int(4))],
        "balance-hot-region-scheduler" => hot_region(rows),
        "shuffle-region-scheduler" => {
            let roles = ["leader", "follower", "learner"];
            vec![("roles", texts(&roles))]
        }
        "shuffle-hot-region-scheduler" if rows.evict_batch_max.is_some() => {
            vec![("limit", Item::Uint(1))]
        }
        "shuffle-hot-region-scheduler" => Vec::new(),
        "split-bucket-scheduler" => {
            vec![("degree", Item::Int(3)), ("split-limit", Item::Uint(10))]
        }
        "evict-slow-store-scheduler" if rows.evict_batch_max.is_some() => vec![
            ("recovery-duration", Item::Uint(1800)),
            ("evict-stores", Item::Ids(Vec::new())),
            ("enable-network-slow-store", Item::Flag(false)),
            ("paused-network-slow-stores", Item::Ids(Vec::new())),
            ("evicted-network-slow-stores", Item::Ids(Vec::new())),
            ("batch", Item::Int(3)),
        ],
        "evict-slow-trend-scheduler" => {
            let recovery = if rows.evict_batch_max.is_some() {
                1800
            } else {
                600
            };
            vec![
                ("recovery-duration", Item::Uint(recovery)),
                ("evict-by-trend-stores", Item::Ids(Vec::new())),
            ]
        }
        "evict-stopping-store-scheduler" => vec![
            ("evicted-stores", Item::Ids(Vec::new())),
            ("batch", Item::Int(3)),
        ],
        _ => Vec::new(),
    }
}

fn hot_region(rows: &Rows) -> Items {
    let ratio = Item::Float(0.05);
    let first_read = if rows.hot_cpu { "cpu" } else { "query" };
    let all = vec![
        ("min-hot-byte-rate", Item::Float(100.0)),
        ("min-hot-key-rate", Item::Float(10.0)),
        ("min-hot-query-rate", Item::Float(10.0)),
        ("min-hot-cpu-rate", Item::Float(10.0)),
        ("max-zombie-rounds", Item::Int(3)),
        ("pending-weight", Item::Float(1.0)),
        ("max-peer-number", Item::Int(1000)),
        ("byte-rate-rank-step-ratio", ratio.clone()),
        ("key-rate-rank-step-ratio", ratio.clone()),
        ("query-rate-rank-step-ratio", ratio.clone()),
        ("cpu-rate-rank-step-ratio", ratio),
        ("count-rank-step-ratio", Item::Float(0.01)),
        ("great-dec-ratio", Item::Float(0.95)),
        ("minor-dec-ratio", Item::Float(0.99)),
        ("src-tolerance-ratio", Item::Float(1.05)),
        ("dst-tolerance-ratio", Item::Float(1.05)),
        ("write-leader-priorities", texts(&["query", "byte"])),
        ("write-peer-priorities", texts(&["byte", "key"])),
        ("read-priorities", texts(&[first_read, "byte"])),
        ("strict-picking-store", Item::Bool(true)),
        ("enable-for-tiflash", Item::Bool(true)),
        ("rank-formula-version", Item::Text("v2".to_owned())),
        ("forbid-rw-type", Item::Text("none".to_owned())),
        ("split-thresholds", Item::Float(0.2)),
        ("history-sample-duration", Item::Duration("5m0s".to_owned())),
        ("history-sample-interval", Item::Duration("30s".to_owned())),
    ];
    let is_there = |name: &str| match name {
        "min-hot-cpu-rate" | "cpu-rate-rank-step-ratio" | "pending-weight" => rows.hot_cpu,
        "split-thresholds" => rows.witness_schedulers,
        "history-sample-duration" | "history-sample-interval" => rows.evict_batch_max.is_some(),
        _ => true,
    };
    all.into_iter().filter(|(name, _)| is_there(name)).collect()
}

fn texts(texts: &[&str]) -> Item {
    Item::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// What is wrong with the hot-region scheduler's settings, in PD's words.
pub(crate) fn validate_hot_region(items: &Items) -> Result<(), String> {
    let wrong = |what: &str| {
        Err(format!(
            "[PD:scheduler:ErrSchedulerConfig]wrong scheduler config {what}"
        ))
    };
    for (name, item) in items {
        match (*name, item) {
            (_, Item::Texts(priorities)) => {
                if let Err(what) = validate_priorities(name, priorities) {
                    return wrong(&what);
                }
            }
            ("rank-formula-version", Item::Text(text))
                if !["", "v1", "v2"].contains(&text.as_str()) =>
            {
                return wrong("invalid rank-formula-version");
            }
            ("forbid-rw-type", Item::Text(text))
                if !["", "none", "read", "write"].contains(&text.as_str()) =>
            {
                return wrong("invalid forbid-rw-type");
            }
            ("pending-weight", Item::Float(weight)) if *weight < 1.0 => {
                return wrong("invalid pending-weight, should be at least 1");
            }
            ("split-thresholds", Item::Float(share)) if !(0.01..=1.0).contains(share) => {
                return wrong("invalid split-thresholds, should be in range [0.01, 1.0]");
            }
            _ => {}
        }
    }
    Ok(())
}

fn validate_priorities(name: &str, priorities: &[String]) -> Result<(), String> {
    let mut distinct: Vec<&str> = priorities.iter().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let has = |dimension: &str| distinct.contains(&dimension);
    if distinct
        .iter()
        .any(|dimension| !["byte", "key", "query", "cpu"].contains(dimension))
    {
        Err("invalid scheduling dimensions".to_owned())
    } else if distinct.len() != priorities.len() {
        Err("priorities shouldn't be repeated".to_owned())
    } else if distinct.len() == 1 {
        Err("priorities should have at least 2 dimensions".to_owned())
    } else if name != "read-priorities" && has("cpu") {
        Err(format!(
            "cpu is not allowed to be set in priorities for {name}"
        ))
    } else if name == "write-peer-priorities" && has("query") {
        Err(format!(
            "query is not allowed to be set in priorities for {name}"
        ))
    } else {
        Ok(())
    }
}
