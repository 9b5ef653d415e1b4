//! `/admin/unsafe/remove-failed-stores`: what runs, as far as it is begun by [`Sim`](crate::Sim).

use serde::Serialize;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::gotext::rfc3339;

#[derive(Serialize)]
struct Stage {
    info: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
}

/// As `Show` of `unsafe_recovery_controller.go`, with reports that never come.
pub(super) fn show(cluster: &mut Cluster, _: &Request<'_>) -> Answer {
    let Some(begun) = cluster.unsafe_recovery else {
        return Answer::ok(&[Stage {
            info: "No on-going recovery.",
            time: None,
        }]);
    };
    let stages = [
        ("Unsafe recovery enters collect report stage", begun),
        ("Collecting reports from alive stores(0/4)", cluster.now),
    ];
    Answer::ok(&stages.map(|(info, at)| Stage {
        info,
        time: Some(rfc3339(at)),
    }))
}
