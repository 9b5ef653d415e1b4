//! Every endpoint and what answers it.

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::api::{
    checkers, config, config_changes, hotspot, members, operators, progress, region_commands,
    region_labels, region_stats, regions, rule_changes, rule_groups, rules, scheduler_config,
    schedulers, service, store_changes, store_labels, store_limits, stores,
};
use crate::cluster::Cluster;

pub(super) type Handler = fn(&mut Cluster, &Request<'_>) -> Answer;

/// What a handler needs before it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: it decides itself.
    Nothing,
    /// A bootstrapped cluster.
    Cluster,
    /// Nothing, and it is never forwarded to the leader.
    Local,
}

#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    /// Below the prefix; `{…}` stands for one segment.
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) handler: Handler,
}

const fn any(path: &'static str, needs: Needs, handler: Handler) -> Route {
    Route {
        method: "*",
        path,
        needs,
        handler,
    }
}

const fn get(path: &'static str, needs: Needs, handler: Handler) -> Route {
    Route {
        method: "GET",
        ..any(path, needs, handler)
    }
}

const fn post(path: &'static str, needs: Needs, handler: Handler) -> Route {
    Route {
        method: "POST",
        ..any(path, needs, handler)
    }
}

const fn delete(path: &'static str, needs: Needs, handler: Handler) -> Route {
    Route {
        method: "DELETE",
        ..any(path, needs, handler)
    }
}

const fn patch(path: &'static str, needs: Needs, handler: Handler) -> Route {
    Route {
        method: "PATCH",
        ..any(path, needs, handler)
    }
}

/// The more special before the more general.
pub(super) const ROUTES: &[Route] = {
    use Needs::{Cluster, Local, Nothing};
    &[
        get("/version", Local, members::version),
        get("/status", Local, members::status),
        get("/health", Local, members::health),
        get("/ping", Local, members::ping),
        get("/members", Nothing, members::members),
        post("/members/name/{name}", Nothing, members::set_property),
        delete("/members/name/{name}", Nothing, members::remove_named),
        delete("/members/id/{id}", Nothing, members::remove_numbered),
        get("/leader", Nothing, members::leader),
        post("/leader/resign", Nothing, members::resign),
        post("/leader/transfer/{name}", Nothing, members::transfer),
        get("/cluster", Nothing, members::cluster),
        any("/cluster/status", Nothing, members::cluster_status),
        get("/min-resolved-ts", Cluster, members::min_resolved_ts),
        get("/operators", Nothing, operators::list),
        post("/operators", Nothing, operators::create),
        delete("/operators", Nothing, operators::cancel_all),
        get("/operators/records", Nothing, operators::records),
        get("/operators/{id}", Nothing, operators::of_region),
        delete("/operators/{id}", Nothing, operators::cancel),
        get("/schedulers", Nothing, schedulers::list),
        post("/schedulers", Nothing, schedulers::add),
        get(
            "/schedulers/diagnostic/{name}",
            Cluster,
            schedulers::diagnose,
        ),
        post("/schedulers/{name}", Nothing, schedulers::pause),
        delete("/schedulers/{name}", Nothing, schedulers::remove),
        get("/checker/{name}", Nothing, checkers::status),
        post("/checker/{name}", Nothing, checkers::pause),
        any("/scheduler-config/{name}", Nothing, scheduler_config::root),
        any(
            "/scheduler-config/{name}/{call}",
            Nothing,
            scheduler_config::call,
        ),
        any(
            "/scheduler-config/{name}/delete/{id}",
            Nothing,
            scheduler_config::call,
        ),
        get("/stores", Cluster, stores::list),
        get("/stores/check", Cluster, stores::check),
        get("/stores/limit", Cluster, store_limits::list),
        post("/stores/limit", Cluster, store_limits::set_all),
        get("/stores/progress", Cluster, progress::show),
        delete(
            "/stores/remove-tombstone",
            Cluster,
            store_changes::remove_tombstones,
        ),
        get("/store/{id}", Cluster, stores::one),
        delete("/store/{id}", Cluster, store_changes::take_offline),
        post("/store/{id}/state", Cluster, store_changes::set_state),
        post("/store/{id}/label", Cluster, store_labels::set),
        post("/store/{id}/weight", Cluster, store_changes::set_weight),
        post("/store/{id}/limit", Cluster, store_limits::set),
        delete("/store/{id}/label", Cluster, store_labels::delete),
        get("/labels", Cluster, store_labels::all),
        get("/labels/stores", Cluster, store_labels::stores),
        get("/region/id/{id}", Cluster, regions::by_id),
        get("/region/key/{key}", Cluster, regions::by_key),
        get("/regions", Cluster, regions::all),
        get("/regions/key", Cluster, regions::scan),
        get("/regions/count", Cluster, regions::count),
        get("/regions/store/{id}", Cluster, regions::of_store),
        post("/regions/scatter", Cluster, region_commands::scatter),
        post("/regions/split", Cluster, region_commands::split),
        post(
            "/regions/accelerate-schedule",
            Cluster,
            region_commands::accelerate,
        ),
        post(
            "/regions/accelerate-schedule/batch",
            Cluster,
            region_commands::accelerate_several,
        ),
        get("/regions/range-holes", Cluster, region_stats::range_holes),
        get("/regions/replicated", Cluster, region_stats::replicated),
        get("/stats/region", Cluster, region_stats::of_range),
        get(
            "/regions/check/hist-size",
            Cluster,
            region_stats::size_histogram,
        ),
        get(
            "/regions/check/hist-keys",
            Cluster,
            region_stats::keys_histogram,
        ),
        get("/region/id/{id}/labels", Cluster, region_labels::of_region),
        get(
            "/region/id/{id}/label/{key}",
            Cluster,
            region_labels::value_of_region,
        ),
        get("/config/region-label/rules", Cluster, region_labels::all),
        patch("/config/region-label/rules", Cluster, region_labels::patch),
        get(
            "/config/region-label/rules/ids",
            Cluster,
            region_labels::some,
        ),
        post("/config/region-label/rule", Cluster, region_labels::set),
        get(
            "/config/region-label/rule/{id}",
            Cluster,
            region_labels::one,
        ),
        delete(
            "/config/region-label/rule/{id}",
            Cluster,
            region_labels::delete,
        ),
        get("/regions/check/{type}", Cluster, regions::check),
        get("/regions/sibling/{id}", Cluster, regions::siblings),
        get("/regions/{order}", Cluster, regions::top),
        get("/hotspot/regions/write", Nothing, hotspot::regions),
        get("/hotspot/regions/read", Nothing, hotspot::regions),
        get("/hotspot/buckets", Nothing, service::hot_buckets),
        get("/hotspot/regions/history", Nothing, service::hot_history),
        any(
            "/replication_mode/status",
            Cluster,
            service::replication_mode,
        ),
        get("/service-middleware/config", Nothing, service::middleware),
        get("/gc/safepoint", Nothing, service::safe_points),
        get(
            "/admin/unsafe/remove-failed-stores/show",
            Cluster,
            service::unsafe_recovery,
        ),
        get("/hotspot/stores", Nothing, hotspot::stores),
        get("/config", Nothing, config::all),
        post("/config", Nothing, config_changes::set_items),
        get("/config/schedule", Nothing, config::schedule),
        post("/config/schedule", Nothing, config_changes::set_schedule),
        get("/config/replicate", Nothing, config::replication),
        post(
            "/config/replicate",
            Nothing,
            config_changes::set_replication,
        ),
        get("/config/cluster-version", Nothing, config::cluster_version),
        post(
            "/config/cluster-version",
            Nothing,
            config_changes::set_cluster_version,
        ),
        get("/config/default", Nothing, config::defaults),
        get("/config/pd-server", Nothing, config::pd_server),
        get(
            "/config/replication-mode",
            Nothing,
            config::replication_mode,
        ),
        get("/config/label-property", Nothing, config::label_property),
        post("/admin/log", Local, config_changes::set_log_level),
        get("/config/rules", Cluster, rules::all),
        post("/config/rules", Cluster, rule_changes::set_several),
        post("/config/rules/batch", Cluster, rule_changes::batch),
        get("/config/rules/group/{group}", Cluster, rules::of_group),
        get("/config/rules/region/{id}", Cluster, rules::of_region),
        get(
            "/config/rules/region/{id}/detail",
            Cluster,
            rules::fit_of_region,
        ),
        get("/config/rules/key/{key}", Cluster, rules::of_key),
        post("/config/rule", Cluster, rule_changes::set),
        get("/config/rule/{group}/{id}", Cluster, rules::one),
        delete("/config/rule/{group}/{id}", Cluster, rule_changes::delete),
        get("/config/rule_groups", Cluster, rule_groups::all),
        post("/config/rule_group", Cluster, rule_groups::set),
        get("/config/rule_group/{id}", Cluster, rule_groups::one),
        delete("/config/rule_group/{id}", Cluster, rule_groups::delete),
        get("/config/placement-rule", Cluster, rule_groups::bundles),
        post("/config/placement-rule", Cluster, rule_groups::set_bundles),
        get(
            "/config/placement-rule/{group}",
            Cluster,
            rule_groups::bundle,
        ),
        post(
            "/config/placement-rule/{group}",
            Cluster,
            rule_groups::set_bundle,
        ),
        delete(
            "/config/placement-rule/{group}",
            Cluster,
            rule_groups::delete_bundle,
        ),
    ]
};
