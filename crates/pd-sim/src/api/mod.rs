//! PD's HTTP API: which handler answers what, and what comes before the handlers.

pub(crate) mod answer;
mod checkers;
mod config;
mod go_json;
mod hotspot;
mod key_range;
mod members;
mod operators;
mod pd_metrics;
mod progress;
mod range_schedulers;
mod regions;
mod request;
mod rules;
mod scheduler_config;
mod scheduler_settings;
mod schedulers;
mod store_changes;
mod store_labels;
mod store_limits;
mod stores;

use crate::api::answer::Answer;
use crate::api::request::{Request, parse_query, percent_decode};
use crate::cluster::Cluster;
use crate::cluster::members::Outage;
use crate::errors;

const PREFIX: &str = "/pd/api/v1";

type Handler = fn(&mut Cluster, &Request<'_>) -> Answer;

/// What a handler needs before it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Nothing: it decides itself.
    Nothing,
    /// A bootstrapped cluster.
    Cluster,
    /// Nothing, and it is never forwarded to the leader.
    Local,
}

struct Route {
    method: &'static str,
    path: &'static str,
    needs: Needs,
    handler: Handler,
}

const fn route(method: &'static str, path: &'static str, needs: Needs, handler: Handler) -> Route {
    Route {
        method,
        path,
        needs,
        handler,
    }
}

/// Every endpoint, the more special before the more general.
const ROUTES: &[Route] = {
    use Needs::{Cluster, Local, Nothing};
    &[
        route("GET", "/version", Local, members::version),
        route("GET", "/status", Local, members::status),
        route("GET", "/health", Local, members::health),
        route("GET", "/ping", Local, members::ping),
        route("GET", "/members", Nothing, members::members),
        route(
            "POST",
            "/members/name/{name}",
            Nothing,
            members::set_property,
        ),
        route(
            "DELETE",
            "/members/name/{name}",
            Nothing,
            members::remove_named,
        ),
        route(
            "DELETE",
            "/members/id/{id}",
            Nothing,
            members::remove_numbered,
        ),
        route("GET", "/leader", Nothing, members::leader),
        route("POST", "/leader/resign", Nothing, members::resign),
        route(
            "POST",
            "/leader/transfer/{name}",
            Nothing,
            members::transfer,
        ),
        route("GET", "/cluster", Nothing, members::cluster),
        route("*", "/cluster/status", Nothing, members::cluster_status),
        route("GET", "/min-resolved-ts", Cluster, members::min_resolved_ts),
        route("GET", "/operators", Nothing, operators::list),
        route("POST", "/operators", Nothing, operators::create),
        route("DELETE", "/operators", Nothing, operators::cancel_all),
        route("GET", "/operators/records", Nothing, operators::records),
        route("GET", "/operators/{id}", Nothing, operators::of_region),
        route("DELETE", "/operators/{id}", Nothing, operators::cancel),
        route("GET", "/schedulers", Nothing, schedulers::list),
        route("POST", "/schedulers", Nothing, schedulers::add),
        route(
            "GET",
            "/schedulers/diagnostic/{name}",
            Cluster,
            schedulers::diagnose,
        ),
        route("POST", "/schedulers/{name}", Nothing, schedulers::pause),
        route("DELETE", "/schedulers/{name}", Nothing, schedulers::remove),
        route("GET", "/checker/{name}", Nothing, checkers::status),
        route("POST", "/checker/{name}", Nothing, checkers::pause),
        route(
            "*",
            "/scheduler-config/{name}",
            Nothing,
            scheduler_config::root,
        ),
        route(
            "*",
            "/scheduler-config/{name}/{call}",
            Nothing,
            scheduler_config::call,
        ),
        route(
            "*",
            "/scheduler-config/{name}/delete/{id}",
            Nothing,
            scheduler_config::call,
        ),
        route("GET", "/stores", Cluster, stores::list),
        route("GET", "/stores/check", Cluster, stores::check),
        route("GET", "/stores/limit", Cluster, store_limits::list),
        route("POST", "/stores/limit", Cluster, store_limits::set_all),
        route("GET", "/stores/progress", Cluster, progress::show),
        route(
            "DELETE",
            "/stores/remove-tombstone",
            Cluster,
            store_changes::remove_tombstones,
        ),
        route("GET", "/store/{id}", Cluster, stores::one),
        route(
            "DELETE",
            "/store/{id}",
            Cluster,
            store_changes::take_offline,
        ),
        route(
            "POST",
            "/store/{id}/state",
            Cluster,
            store_changes::set_state,
        ),
        route("POST", "/store/{id}/label", Cluster, store_labels::set),
        route(
            "POST",
            "/store/{id}/weight",
            Cluster,
            store_changes::set_weight,
        ),
        route("POST", "/store/{id}/limit", Cluster, store_limits::set),
        route("DELETE", "/store/{id}/label", Cluster, store_labels::delete),
        route("GET", "/labels", Cluster, store_labels::all),
        route("GET", "/labels/stores", Cluster, store_labels::stores),
        route("GET", "/region/id/{id}", Cluster, regions::by_id),
        route("GET", "/region/key/{key}", Cluster, regions::by_key),
        route("GET", "/regions", Cluster, regions::all),
        route("GET", "/regions/key", Cluster, regions::scan),
        route("GET", "/regions/count", Cluster, regions::count),
        route("GET", "/regions/store/{id}", Cluster, regions::of_store),
        route("GET", "/regions/check/{type}", Cluster, regions::check),
        route("GET", "/regions/sibling/{id}", Cluster, regions::siblings),
        route("GET", "/regions/{order}", Cluster, regions::top),
        route("GET", "/hotspot/regions/write", Nothing, hotspot::regions),
        route("GET", "/hotspot/regions/read", Nothing, hotspot::regions),
        route("GET", "/hotspot/stores", Nothing, hotspot::stores),
        route("GET", "/config", Nothing, config::all),
        route("POST", "/config", Nothing, config::set_items),
        route("GET", "/config/schedule", Nothing, config::schedule),
        route("POST", "/config/schedule", Nothing, config::set_schedule),
        route("GET", "/config/replicate", Nothing, config::replication),
        route(
            "POST",
            "/config/replicate",
            Nothing,
            config::set_replication,
        ),
        route(
            "GET",
            "/config/cluster-version",
            Nothing,
            config::cluster_version,
        ),
        route("GET", "/config/rules", Cluster, rules::all),
        route(
            "GET",
            "/config/rules/region/{id}",
            Cluster,
            rules::of_region,
        ),
        route("GET", "/config/rule/{group}/{id}", Cluster, rules::one),
    ]
};

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
    if path == "/metrics" && incoming.method == "GET" {
        return pd_metrics::text(cluster, incoming.member);
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
            return leaderless(cluster, outage);
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

fn leaderless(cluster: &Cluster, outage: Outage) -> Answer {
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
