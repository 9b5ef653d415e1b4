//! PD's HTTP API: which handler answers what, and what comes before the handlers.

pub(crate) mod answer;
mod checkers;
mod config;
mod config_changes;
mod etcd;
mod go_json;
mod hotspot;
mod key_range;
mod maintenance;
mod members;
mod operators;
mod pd_metrics;
mod progress;
mod range_schedulers;
mod region_labels;
mod regions;
mod request;
mod routes;
mod rule_changes;
mod rule_groups;
mod rules;
mod scheduler_config;
mod scheduler_settings;
mod schedulers;
mod store_changes;
mod store_labels;
mod store_limits;
mod stores;
mod unsafe_recovery;

use crate::api::answer::Answer;
use crate::api::request::{Request, parse_query, percent_decode};
use crate::api::routes::{Needs, ROUTES, Route};
use crate::cluster::Cluster;
use crate::cluster::members::Outage;
use crate::errors;
use crate::received::ETCD_RANGE;

const PREFIX: &str = "/pd/api/v1";

/// A request as it came off the wire.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) method: &'a str,
    /// As sent: still encoded, with the query.
    pub(crate) target: &'a str,
    pub(crate) body: &'a [u8],
    /// The member that was asked.
    pub(crate) member: usize,
    /// `PD-Allow-follower-handle` was sent.
    pub(crate) follower_may_answer: bool,
}

/// Answers one request.
pub(crate) fn handle(cluster: &mut Cluster, incoming: &Incoming<'_>) -> Answer {
    let (raw_path, raw_query) = incoming
        .target
        .split_once('?')
        .unwrap_or((incoming.target, ""));
    let is_read = matches!(incoming.method, "GET" | "HEAD");
    if let Some(clean) = cleaned(raw_path) {
        let status = cluster.rows().redirect_status;
        return Answer::redirect(status, &clean, is_read);
    }
    let path = percent_decode(raw_path, false);
    if let Some(clean) = cleaned(&path) {
        return Answer::redirect(301, &clean, is_read);
    }
    if path == ETCD_RANGE && incoming.method == "POST" {
        return etcd::range(cluster, incoming.body);
    }
    if path == "/metrics" && incoming.method == "GET" {
        return pd_metrics::text(cluster, incoming.member);
    }
    if let Some(rest) = path.strip_prefix("/pd/api/v2") {
        return match cluster.members.outage {
            Some(outage) => without_leader(cluster, outage),
            None => maintenance::handle(cluster, incoming.method, rest, incoming.body),
        };
    }
    let Some(path) = path.strip_prefix(PREFIX) else {
        return Answer::not_found();
    };
    let request = Request {
        method: incoming.method,
        path: path.to_owned(),
        query: parse_query(raw_query),
        body: incoming.body,
    };
    let mut path_is_known = false;
    for route in ROUTES.iter().filter(|route| matches(route.path, path)) {
        path_is_known = true;
        if route.method == incoming.method || route.method == "*" {
            return answer(cluster, route, &request, incoming);
        }
    }
    if path_is_known {
        Answer::method_not_allowed()
    } else {
        Answer::not_found()
    }
}

fn answer(
    cluster: &mut Cluster,
    route: &Route,
    request: &Request<'_>,
    incoming: &Incoming<'_>,
) -> Answer {
    if route.needs != Needs::Local {
        if let Some(outage) = cluster.members.outage {
            return without_leader(cluster, outage);
        }
        let is_follower = cluster.members.leader != incoming.member;
        if is_follower && incoming.follower_may_answer && route.needs == Needs::Cluster {
            return Answer::message(500, errors::NOT_BOOTSTRAPPED);
        }
    }
    if route.needs == Needs::Cluster && !cluster.is_bootstrapped() {
        return Answer::message(500, errors::NOT_BOOTSTRAPPED);
    }
    (route.handler)(cluster, request)
}

fn without_leader(cluster: &Cluster, outage: Outage) -> Answer {
    let prefixed = cluster.rows().prefixed_redirects;
    match outage {
        Outage::RedirectFailed if prefixed => {
            Answer::text(500, "[PD:apiutil:ErrRedirect]redirect failed")
        }
        Outage::RedirectFailed => Answer::text(500, "redirect failed"),
        Outage::NoLeader if prefixed => Answer::text(
            503,
            "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader",
        ),
        Outage::NoLeader => Answer::text(503, "no leader"),
    }
}

/// Whether `path` has the shape of `pattern`, where `{…}` stands for one segment.
fn matches(pattern: &str, path: &str) -> bool {
    let mut pattern = pattern.split('/');
    let mut path = path.split('/');
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given))
                if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

/// The path without empty, `.` and `..` segments; `None` if it has none.
fn cleaned(path: &str) -> Option<String> {
    let is_dirty = path.contains("//") || path.split('/').any(|s| matches!(s, "." | ".."));
    if !is_dirty {
        return None;
    }
    let mut clean: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    Some(format!("/{}", clean.join("/")))
}
