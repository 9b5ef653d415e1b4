//! `/metrics` of a member: what PD counts, for Prometheus.
//!
//! Of the several hundred families of a real PD, the two that operating needs. A real PD sets them
//! every ten seconds; here they are always new.

use std::fmt::Write as _;

use crate::api::answer::Answer;
use crate::api::regions::{CHECKS, found_by};
use crate::cluster::Cluster;
use crate::cluster::config::Item;

/// Limits that a temporary value overrides, and what else is a number.
const CONFIG: [&str; 13] = [
    "leader-schedule-limit",
    "region-schedule-limit",
    "merge-schedule-limit",
    "replica-schedule-limit",
    "hot-region-schedule-limit",
    "hot-region-cache-hits-threshold",
    "max-pending-peer-count",
    "max-snapshot-count",
    "max-merge-region-size",
    "max-merge-region-keys",
    "high-space-ratio",
    "low-space-ratio",
    "tolerant-size-ratio",
];

/// Only the leader counts; the figures of other members have no samples.
pub(super) fn text(cluster: &Cluster, member: usize) -> Answer {
    let mut text = String::from(
        "# HELP pd_config_status Status of the scheduling configurations.\n\
         # TYPE pd_config_status gauge\n",
    );
    let leads = cluster.members.leader == member && cluster.members.outage.is_none();
    if leads && cluster.is_bootstrapped() {
        for name in CONFIG {
            let value = match cluster.config.schedule_item(name) {
                Some(Item::Uint(_)) => cluster.config.limit(name, cluster.now) as f64,
                Some(Item::Float(value)) => *value,
                _ => continue,
            };
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "pd_config_status{{type=\"{name}\"}} {value}");
        }
        text.push_str(
            "# HELP pd_regions_status Status of the regions.\n# TYPE pd_regions_status gauge\n",
        );
        for kind in CHECKS {
            let count = found_by(cluster, kind).count();
            let _ = writeln!(
                text,
                "pd_regions_status{{type=\"{kind}-region-count\"}} {count}"
            );
        }
    }
    let content_type = "text/plain; version=0.0.4; charset=utf-8; escaping=values";
    Answer::of(200, Some(content_type), text.into_bytes())
}
