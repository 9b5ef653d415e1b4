//! `/checker/{name}`: pausing what PD does by itself.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value as Json;

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::cluster::schedulers::Pause;
use crate::errors;

const NAMES: [&str; 7] = [
    "learner",
    "replica",
    "rule",
    "split",
    "merge",
    "joint-state",
    "affinity",
];
const NOT_FOUND: &str = "[PD:checker:ErrCheckerNotFound]checker not found";

pub(super) fn status(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        paused: bool,
    }
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let name = request.segment(1);
    if !NAMES.contains(&name) {
        return Answer::message(500, NOT_FOUND);
    }
    Answer::ok(&Body {
        paused: cluster.is_checker_paused(name),
    })
}

pub(super) fn pause(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let Some(delay) = input.get("delay").and_then(Json::as_i64) else {
        return Answer::message(400, "missing pause time");
    };
    let Ok(delay) = u64::try_from(delay) else {
        return Answer::message(400, "delay cannot be negative");
    };
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let name = request.segment(1);
    if !NAMES.contains(&name) {
        return Answer::message(500, NOT_FOUND);
    }
    let pause = (delay > 0).then(|| Pause {
        from: cluster.now,
        until: cluster.now + Duration::from_secs(delay),
    });
    cluster.schedulers.set_checker_pause(name, pause);
    Answer::message(
        200,
        if delay > 0 {
            "Pause the checker successfully."
        } else {
            "Resume the checker successfully."
        },
    )
}
