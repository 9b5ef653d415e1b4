//! `/pd/api/v2/maintenance`: one task at a time may take stores down. After 8.5 only.

use serde::Serialize;

use crate::api::answer::Answer;
use crate::cluster::Cluster;
use crate::cluster::maintenance::MaintenanceTask;

/// Answers below `/pd/api/v2`; `rest` is the path from there.
pub(super) fn handle(cluster: &mut Cluster, method: &str, rest: &str, body: &[u8]) -> Answer {
    if !cluster.rows().default_store_limit {
        return Answer::not_found();
    }
    let mut segments = rest.trim_start_matches('/').split('/');
    let path = (
        segments.next(),
        segments.next().filter(|kind| !kind.is_empty()),
        segments.next().filter(|id| !id.is_empty()),
        segments.next(),
    );
    match (method, path) {
        ("GET", (Some("maintenance"), None, None, None)) => all(cluster),
        ("GET", (Some("maintenance"), Some(kind), None, None)) => one(cluster, kind),
        ("PUT", (Some("maintenance"), Some(kind), Some(id), None)) => {
            begin(cluster, kind, id, body)
        }
        ("DELETE", (Some("maintenance"), Some(kind), Some(id), None)) => end(cluster, kind, id),
        _ => Answer::plain(404, "404 page not found"),
    }
}

fn all(cluster: &Cluster) -> Answer {
    match &cluster.maintenance {
        None => Answer::compact(404, &"No maintenance task is running"),
        Some(task) => Answer::compact(200, &[task]),
    }
}

fn one(cluster: &Cluster, kind: &str) -> Answer {
    match cluster.maintenance.as_ref().filter(|t| t.kind == kind) {
        None => Answer::compact(404, &"No maintenance task is running for this type"),
        Some(task) => Answer::compact(200, task),
    }
}

#[derive(Serialize)]
struct Conflict<'a> {
    error: &'static str,
    existing_task: &'a MaintenanceTask,
}

fn begin(cluster: &mut Cluster, kind: &str, id: &str, body: &[u8]) -> Answer {
    if let Some(existing_task) = &cluster.maintenance {
        let error = "Another maintenance task is already running";
        return Answer::compact(
            409,
            &Conflict {
                error,
                existing_task,
            },
        );
    }
    cluster.maintenance = Some(MaintenanceTask {
        kind: kind.to_owned(),
        id: id.to_owned(),
        start_timestamp: cluster.now.unix_seconds(),
        description: String::from_utf8_lossy(body).into_owned(),
    });
    Answer::compact(200, &"Maintenance task started successfully.")
}

fn end(cluster: &mut Cluster, kind: &str, id: &str) -> Answer {
    match cluster.maintenance.as_ref().filter(|t| t.kind == kind) {
        None => Answer::compact(404, &"No maintenance task is running for this type"),
        Some(existing_task) if existing_task.id != id => {
            let error = "Task ID does not match the current task";
            Answer::compact(
                409,
                &Conflict {
                    error,
                    existing_task,
                },
            )
        }
        Some(_) => {
            cluster.maintenance = None;
            Answer::compact(200, &"Maintenance task deleted successfully.")
        }
    }
}
