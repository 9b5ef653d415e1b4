//! What PD says of itself: replication mode, rate limits, safe points, hot buckets.

use serde::Serialize;

use crate::api::answer::{Answer, Nothing};
use crate::api::request::Request;
use crate::cluster::Cluster;

pub(super) fn replication_mode(_: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        mode: &'static str,
        #[serde(rename = "dr-auto-sync")]
        dr_auto_sync: State,
    }
    #[derive(Serialize)]
    struct State {
        label_key: &'static str,
        state: &'static str,
        acid_consistent: bool,
    }
    Answer::ok(&Body {
        mode: "majority",
        dr_auto_sync: State {
            label_key: "",
            state: "",
            acid_consistent: false,
        },
    })
}

/// Audit and rate limits. Limits are on from 8.0 on, and nothing is limited.
pub(super) fn middleware(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Body {
        audit: Audit,
        rate_limit: Limits,
        #[serde(skip_serializing_if = "Option::is_none")]
        grpc_rate_limit: Option<GrpcLimits>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Audit {
        enable_audit: &'static str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Limits {
        enable_rate_limit: &'static str,
        limiter_config: Nothing,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct GrpcLimits {
        enable_grpc_rate_limit: &'static str,
        grpc_limiter_config: Nothing,
    }
    let is_on = if cluster.rows().names_what_changed {
        "true"
    } else {
        "false"
    };
    Answer::ok(&Body {
        audit: Audit {
            enable_audit: "true",
        },
        rate_limit: Limits {
            enable_rate_limit: is_on,
            limiter_config: Nothing {},
        },
        grpc_rate_limit: cluster.rows().witness_schedulers.then_some(GrpcLimits {
            enable_grpc_rate_limit: is_on,
            grpc_limiter_config: Nothing {},
        }),
    })
}

/// No store reports buckets. 6.5 has no such path.
pub(super) fn hot_buckets(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    if cluster.rows().witness_schedulers {
        Answer::ok(&Nothing {})
    } else {
        Answer::not_found()
    }
}

/// No history is kept.
pub(super) fn hot_history(_: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        history_hot_region: Option<()>,
    }
    Answer::ok(&Body {
        history_hot_region: None,
    })
}

/// Nothing holds garbage collection back.
pub(super) fn safe_points(_: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        service_gc_safe_points: Option<()>,
        gc_safe_point: u64,
    }
    Answer::ok(&Body {
        service_gc_safe_points: None,
        gc_safe_point: 0,
    })
}

/// No recovery has been asked for.
pub(super) fn unsafe_recovery(_: &mut Cluster, _: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Step {
        info: &'static str,
    }
    Answer::ok(&[Step {
        info: "No on-going recovery.",
    }])
}
