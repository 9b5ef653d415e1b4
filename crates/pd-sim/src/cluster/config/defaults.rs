//! What the configuration is until somebody sets it.

use crate::cluster::config::{HALT_SCHEDULING, Item, Items};
use crate::version::Rows;

pub(super) fn default_schedule() -> Items {
    let duration = |text: &str| Item::Duration(text.to_owned());
    let text = |text: &str| Item::Text(text.to_owned());
    vec![
        ("max-snapshot-count", Item::Uint(64)),
        ("max-pending-peer-count", Item::Uint(64)),
        ("max-merge-region-size", Item::Uint(54)),
        ("max-merge-region-keys", Item::Uint(540_000)),
        ("split-merge-interval", duration("1h0m0s")),
        ("switch-witness-interval", duration("1h0m0s")),
        ("enable-one-way-merge", Item::Bool(false)),
        ("enable-cross-table-merge", Item::Bool(true)),
        ("patrol-region-interval", duration("10ms")),
        ("max-store-down-time", duration("30m0s")),
        ("max-store-preparing-time", duration("48h0m0s")),
        ("leader-schedule-limit", Item::Uint(4)),
        ("leader-schedule-policy", text("count")),
        ("region-schedule-limit", Item::Uint(2048)),
        ("witness-schedule-limit", Item::Uint(4)),
        ("replica-schedule-limit", Item::Uint(64)),
        ("merge-schedule-limit", Item::Uint(8)),
        ("hot-region-schedule-limit", Item::Uint(4)),
        ("affinity-schedule-limit", Item::Uint(0)),
        ("split-scatter-schedule-limit", Item::Uint(0)),
        ("hot-region-cache-hits-threshold", Item::Uint(3)),
        ("tolerant-size-ratio", Item::Float(0.0)),
        ("low-space-ratio", Item::Float(0.8)),
        ("high-space-ratio", Item::Float(0.7)),
        ("region-score-formula-version", text("v2")),
        ("scheduler-max-waiting-operator", Item::Uint(5)),
        ("enable-remove-down-replica", Item::Bool(true)),
        ("enable-replace-offline-replica", Item::Bool(true)),
        ("enable-make-up-replica", Item::Bool(true)),
        ("enable-remove-extra-replica", Item::Bool(true)),
        ("enable-location-replacement", Item::Bool(true)),
        ("enable-debug-metrics", Item::Bool(false)),
        ("enable-joint-consensus", Item::Bool(true)),
        ("enable-tikv-split-region", Item::Bool(true)),
        ("enable-heartbeat-breakdown-metrics", Item::Bool(true)),
        ("enable-heartbeat-concurrent-runner", Item::Bool(true)),
        ("hot-regions-write-interval", duration("10m0s")),
        ("hot-regions-reserved-days", Item::Uint(7)),
        ("max-movable-hot-peer-size", Item::Int(512)),
        ("enable-diagnostic", Item::Bool(true)),
        ("enable-witness", Item::Bool(false)),
        (
            "slow-store-evicting-affected-store-ratio-threshold",
            Item::Float(0.3),
        ),
        ("store-limit-version", text("v1")),
        (HALT_SCHEDULING, Item::Bool(false)),
        ("patrol-region-worker-count", Item::Int(1)),
        ("max-affinity-merge-region-size", Item::Uint(256)),
    ]
}

pub(super) fn default_replication() -> Items {
    vec![
        ("max-replicas", Item::Uint(3)),
        ("location-labels", Item::Words(String::new())),
        ("strictly-match-label", Item::Bool(false)),
        ("enable-placement-rules", Item::Bool(true)),
        ("enable-placement-rules-cache", Item::Bool(false)),
        ("isolation-level", Item::Text(String::new())),
    ]
}

pub(super) fn default_pd_server(rows: &Rows) -> Items {
    let mut items = vec![
        ("use-region-storage", Item::Bool(true)),
        ("max-gap-reset-ts", Item::Duration("24h0m0s".to_owned())),
        ("key-type", Item::Text("table".to_owned())),
        ("runtime-services", Item::Words(String::new())),
        ("metric-storage", Item::Text(String::new())),
        ("dashboard-address", Item::Text("auto".to_owned())),
        ("flow-round-by-digit", Item::Int(3)),
        (
            "min-resolved-ts-persistence-interval",
            Item::Duration("1s".to_owned()),
        ),
    ];
    if rows.witness_schedulers {
        items.extend([
            ("server-memory-limit", Item::Float(0.0)),
            ("server-memory-limit-gc-trigger", Item::Float(0.7)),
            ("enable-gogc-tuner", Item::Bool(false)),
            ("gc-tuner-threshold", Item::Float(0.6)),
            ("block-safe-point-v1", Item::Bool(false)),
        ]);
    }
    items
}
