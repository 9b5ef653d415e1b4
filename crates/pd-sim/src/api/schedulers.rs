//! `/schedulers`.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::api::answer::{Answer, GoList};
use crate::api::request::{Request, go_kind, wrong_type};
use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::admission::go_uint;
use crate::cluster::schedulers::{EVICT_LEADER, PLAIN, Pause};
use crate::errors;
use crate::gotext::rfc3339;

pub(super) fn list(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let schedulers = &cluster.schedulers;
    let empty_is_null = cluster.rows().empty_list_is_null;
    match request.query("status") {
        Some("paused") => {
            let paused: Vec<(&String, Pause)> = schedulers
                .names
                .iter()
                .filter_map(|name| Some((name, schedulers.pause_of(name, cluster.now)?)))
                .collect();
            if request.query("timestamp").is_some() {
                let paused = paused
                    .into_iter()
                    .map(|(name, pause)| Paused::new(name, pause))
                    .collect();
                Answer::ok(&GoList::new(paused, empty_is_null))
            } else {
                let names = paused.into_iter().map(|(name, _)| name).collect();
                Answer::ok(&GoList::new(names, empty_is_null))
            }
        }
        Some("disabled") => Answer::ok(&GoList::new(schedulers.disabled.clone(), empty_is_null)),
        _ => Answer::ok(&schedulers.names),
    }
}

#[derive(Serialize)]
struct Paused<'a> {
    name: &'a str,
    paused_at: String,
    resume_at: String,
}

impl<'a> Paused<'a> {
    fn new(name: &'a str, pause: Pause) -> Self {
        let seconds = |time: Time| rfc3339(Time::from_unix_seconds(time.unix_seconds()));
        Self {
            name,
            paused_at: seconds(pause.from),
            resume_at: seconds(pause.until),
        }
    }
}

pub(super) fn add(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    let Some(name) = input.get("name").and_then(Json::as_str) else {
        return Answer::message(400, "missing scheduler name");
    };
    if name == EVICT_LEADER {
        return evict(cluster, &input);
    }
    if !PLAIN.contains(&name) {
        return Answer::message(400, "unknown scheduler");
    }
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    if cluster.schedulers.runs(name) {
        let status = cluster.rows().add_scheduler_refused;
        return Answer::message(status, errors::SCHEDULER_EXISTED);
    }
    cluster.schedulers.add(name);
    Answer::message(200, "The scheduler is created.")
}

fn evict(cluster: &mut Cluster, input: &Map<String, Json>) -> Answer {
    let rows = cluster.rows();
    let Some(store_id) = input.get("store_id") else {
        return Answer::message(400, "missing store id");
    };
    let Some(store_id) = store_id.as_f64().map(go_uint) else {
        return Answer::message(400, rows.evict_store_not_a_number);
    };
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let exists = cluster.schedulers.runs(EVICT_LEADER);
    if !cluster.stores.contains_key(&store_id) {
        let mut text = errors::store_not_found(store_id);
        if exists {
            // The inner call's JSON body is passed on as a text.
            text = format!("\"{text}\"\n");
        }
        return Answer::message(rows.add_scheduler_refused, &text);
    }
    if cluster.start_evicting(store_id) {
        Answer::message(200, "The scheduler is created.")
    } else {
        Answer::message(200, "The scheduler has been applied to the store.")
    }
}

pub(super) fn remove(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let name = request.segment(1);
    if let Some(suffix) = name.strip_prefix(EVICT_LEADER)
        && !suffix.is_empty()
    {
        let last = name.rsplit('-').next().unwrap_or_default();
        let status = match last.parse() {
            _ if !cluster.schedulers.runs(EVICT_LEADER) => 404,
            Err(_) => 400,
            Ok(store_id) => cluster.stop_evicting(store_id).map_or(404, |_| 200),
        };
        return Answer::json(status, &());
    }
    let rows = cluster.rows();
    if cluster.schedulers.remove(name, rows) {
        Answer::message(200, "The scheduler is removed.")
    } else {
        Answer::message(404, errors::SCHEDULER_NOT_FOUND)
    }
}

pub(super) fn pause(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let input = match request.object() {
        Ok(input) => input,
        Err(answer) => return answer,
    };
    if let Some(other) = input
        .values()
        .find(|value| !value.is_i64() && !value.is_null())
    {
        let kind = go_kind(other);
        return wrong_type(kind, "Go value of type int64", request.body.len(), "", "");
    }
    let Some(delay) = input.get("delay").map(|delay| delay.as_i64().unwrap_or(0)) else {
        return Answer::message(400, "missing pause time");
    };
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let name = request.segment(1);
    let names: Vec<String> = cluster
        .schedulers
        .names
        .iter()
        .filter(|running| name == "all" || *running == name)
        .cloned()
        .collect();
    if names.is_empty() {
        return Answer::message(500, errors::SCHEDULER_NOT_FOUND);
    }
    let pause = u64::try_from(delay).ok().filter(|delay| *delay > 0);
    let pause = pause.map(|delay| Pause {
        from: cluster.now,
        until: cluster.now + Duration::from_secs(delay),
    });
    for name in names {
        cluster.schedulers.set_pause(&name, pause);
    }
    Answer::message(200, "Pause or resume the scheduler successfully.")
}

pub(super) fn diagnose(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    #[derive(Serialize)]
    struct Body<'a> {
        name: &'a str,
        status: &'a str,
        summary: String,
        timestamp: i64,
    }
    let name = request.segment(2);
    let rows = cluster.rows();
    if !matches!(
        name,
        "balance-leader-scheduler" | "balance-region-scheduler"
    ) {
        let text =
            format!("[PD:diagnostic:ErrSchedulerUndiagnosable]{name} hasn't supported diagnostic");
        return Answer::message(rows.undiagnosable_status, &text);
    }
    if !cluster.config.is_on("enable-diagnostic") {
        let text = "[PD:diagnostic:ErrDiagnosticDisabled]diagnostic is disabled";
        return Answer::message(500, text);
    }
    let (status, summary) = if !cluster.schedulers.runs(name) {
        ("disabled", String::new())
    } else if cluster.schedulers.pause_of(name, cluster.now).is_some() {
        ("paused", String::new())
    } else if cluster.is_halted() {
        ("halted", String::new())
    } else {
        let stores = cluster.stores.len();
        (
            "normal",
            format!("{stores} store(s) StoreScoreDisallowed; "),
        )
    };
    Answer::ok(&Body {
        name,
        status,
        summary,
        timestamp: cluster.now.unix_seconds(),
    })
}
