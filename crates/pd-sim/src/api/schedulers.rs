//! `/schedulers`.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::api::answer::{Answer, GoList};
use crate::api::config_changes::end_of_value;
use crate::api::range_schedulers::described;
use crate::api::request::{Request, go_kind, wrong_type};
use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::config::Item;
use crate::cluster::new_operator::go_uint;
use crate::cluster::schedulers::{EVICT_LEADER, GRANT_LEADER, Pause, is_plain};
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
        // A default scheduler that was removed does not run, and only running ones are looked at.
        Some("disabled") => Answer::ok(&GoList::<&str>::new(Vec::new(), empty_is_null)),
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
    match name {
        EVICT_LEADER | GRANT_LEADER => hold_leaders(cluster, name, &input),
        "scatter-range" => special(cluster, "scatter-range", &input),
        "scatter-range-scheduler" if cluster.rows().range_scheduler => {
            special(cluster, "scatter-range", &input)
        }
        "grant-hot-region-scheduler" => excluded_by(cluster, "balance-hot-region-scheduler")
            .unwrap_or_else(|| special(cluster, "grant-hot-region", &input)),
        "balance-range" | "balance-range-scheduler" if cluster.rows().range_scheduler => {
            special(cluster, "balance-range", &input)
        }
        _ if !is_plain(name, cluster.rows()) => Answer::message(400, "unknown scheduler"),
        _ => {
            let excluded = (name == "balance-hot-region-scheduler")
                .then(|| excluded_by(cluster, "grant-hot-region-scheduler"))
                .flatten();
            excluded.unwrap_or_else(|| create(cluster, name, &input))
        }
    }
}

/// Two schedulers for hot regions would undo each other's work.
fn excluded_by(cluster: &Cluster, other: &str) -> Option<Answer> {
    let excludes = cluster.rows().range_scheduler && cluster.schedulers.runs(other);
    excludes.then(|| {
        let text = format!("{other} is running, please remove it first");
        Answer::message(400, &text)
    })
}

fn create(cluster: &mut Cluster, name: &str, input: &Map<String, Json>) -> Answer {
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let rows = cluster.rows();
    if cluster.schedulers.runs(name) {
        return Answer::message(rows.add_scheduler_refused, errors::SCHEDULER_EXISTED);
    }
    cluster.schedulers.add(name, rows);
    if name == "shuffle-hot-region-scheduler"
        && let Some(limit) = input.get("limit").and_then(Json::as_f64)
        && let Some(items) = cluster.schedulers.settings.get_mut(name)
    {
        *items = vec![("limit", Item::Uint(go_uint(limit)))];
    }
    Answer::message(200, "The scheduler is created.")
}

/// A scheduler that works on a range or on chosen stores.
fn special(cluster: &mut Cluster, kind: &str, input: &Map<String, Json>) -> Answer {
    let (name, told) = match described(cluster, kind, input) {
        Ok(described) => described,
        Err(answer) => return answer,
    };
    let answer = create(cluster, &name, input);
    if let (200, Some(told)) = (answer.status, told) {
        cluster.schedulers.special.insert(name, told);
    }
    answer
}

/// evict-leader and grant-leader: to add it where it runs is to add a store to it.
fn hold_leaders(cluster: &mut Cluster, name: &str, input: &Map<String, Json>) -> Answer {
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
    let exists = cluster.schedulers.runs(name);
    if let Err(mut text) = cluster.may_pause_leader_transfer(name, store_id) {
        if exists {
            // The inner call's JSON body is passed on as a text.
            text = format!("\"{text}\"\n");
        }
        return Answer::message(rows.add_scheduler_refused, &text);
    }
    if name == EVICT_LEADER {
        cluster.start_evicting(store_id);
    } else {
        if !exists {
            cluster.schedulers.add(name, rows);
        }
        cluster.schedulers.granting.insert(store_id);
    }
    Answer::message(
        200,
        if exists {
            "The scheduler has been applied to the store."
        } else {
            "The scheduler is created."
        },
    )
}

pub(super) fn remove(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    if !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    let name = request.segment(1);
    let holder = [EVICT_LEADER, GRANT_LEADER]
        .into_iter()
        .find(|holder| name.starts_with(holder) && name != *holder);
    if let Some(holder) = holder {
        let last = name.rsplit('-').next().unwrap_or_default();
        let status = match last.parse() {
            _ if !cluster.schedulers.runs(holder) => 404,
            Err(_) => 400,
            Ok(store_id) => cluster
                .take_store_out(holder, store_id)
                .map_or(404, |_| 200),
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
    if let Some((name, other)) = input
        .iter()
        .find(|(_, value)| !value.is_i64() && !value.is_null())
    {
        let found = match other {
            Json::Number(number) => format!("number {number}"),
            other => go_kind(other).to_owned(),
        };
        let offset = end_of_value(request.body, name);
        return wrong_type(&found, "Go value of type int64", offset, "", "");
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
    if names.is_empty() && name != "all" {
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
    } else if cluster.schedulers.was_paused.contains(name) {
        // What is shown is how the last round ended.
        ("paused", String::new())
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
