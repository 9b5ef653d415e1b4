//! `GET /stores/progress`: how far stores are on their way out.

use serde::Serialize;

use crate::api::answer::{Answer, Nothing};
use crate::api::request::Request;
use crate::cluster::Cluster;
use crate::errors;
use crate::gotext::GoFloat;

#[derive(Serialize)]
struct Body<'a> {
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<u64>,
    progress: GoFloat,
    current_speed: GoFloat,
    left_seconds: GoFloat,
}

/// Go's error for a number that is none.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NumberError<'a> {
    func: &'static str,
    num: &'a str,
    err: Nothing,
}

pub(super) fn show(cluster: &mut Cluster, request: &Request<'_>) -> Answer {
    let id = request.query("id").unwrap_or_default();
    if !id.is_empty() {
        return of_store(cluster, id);
    }
    match request.query("action").unwrap_or_default() {
        "" => Answer::message(400, "need query parameters"),
        action => of_action(cluster, action),
    }
}

fn of_store(cluster: &Cluster, text: &str) -> Answer {
    let Ok(store_id) = text.parse::<u64>() else {
        let data = NumberError {
            func: "ParseUint",
            num: text,
            err: Nothing {},
        };
        let text = errors::not_a_number("ParseUint", text);
        return Answer::error_object("input", &text, data);
    };
    match cluster.emptying_progress(store_id) {
        None => none(&format!("the given store ID: {store_id}")),
        Some(progress) => Answer::ok(&Body {
            action: "removing",
            store_id: Some(store_id),
            progress: GoFloat(progress.share()),
            current_speed: GoFloat(progress.speed),
            left_seconds: GoFloat(progress.left_seconds()),
        }),
    }
}

/// The mean over all stores.
fn of_action(cluster: &Cluster, action: &str) -> Answer {
    let all: Vec<_> = cluster
        .all_progress()
        .filter(|_| action == "removing")
        .collect();
    if all.is_empty() {
        return none(&format!("the action: {action}"));
    }
    let stores = all.len() as f64;
    let mean = |sum: f64| GoFloat(sum / stores);
    // One store that does not move is enough for the mean to be without bound.
    let left: f64 = all
        .iter()
        .map(|progress| progress.left_seconds() / stores)
        .sum();
    Answer::ok(&Body {
        action,
        store_id: None,
        progress: mean(all.iter().map(|progress| progress.share()).sum()),
        current_speed: mean(all.iter().map(|progress| progress.speed).sum()),
        left_seconds: GoFloat(left.min(f64::MAX)),
    })
}

fn none(what: &str) -> Answer {
    let text = format!("[PD:progress:ErrProgressNotFound]no progress found for {what}");
    Answer::message(404, &text)
}
