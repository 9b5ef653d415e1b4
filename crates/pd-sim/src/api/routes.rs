//! Every endpoint and what answers it.

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::api::{
    checkers, config, config_changes, hotspot, members, operators, progress, region_labels,
    regions, rule_changes, rule_groups, rules, scheduler_config, schedulers, store_changes,
    store_labels, store_limits, stores, unsafe_recovery,
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

macro_rules! routes {
    ($($method:tt $path:literal $needs:ident $module:ident::$handler:ident,)*) => {
        /// The more special before the more general.
        pub(super) const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            needs: Needs::$needs,
            handler: $module::$handler,
        }),*];
    };
}

routes! {
    GET "/version" Local members::version,
    GET "/status" Local members::status,
    GET "/health" Local members::health,
    GET "/members" Nothing members::members,
    POST "/members/name/{name}" Nothing members::set_property,
    GET "/leader" Nothing members::leader,
    POST "/leader/transfer/{name}" Nothing members::transfer,
    GET "/cluster" Nothing members::cluster,
    * "/cluster/status" Nothing members::cluster_status,
    GET "/operators" Nothing operators::list,
    POST "/operators" Nothing operators::create,
    GET "/operators/records" Nothing operators::records,
    GET "/operators/{id}" Nothing operators::of_region,
    DELETE "/operators/{id}" Nothing operators::cancel,
    GET "/schedulers" Nothing schedulers::list,
    POST "/schedulers" Nothing schedulers::add,
    GET "/schedulers/diagnostic/{name}" Cluster schedulers::diagnose,
    POST "/schedulers/{name}" Nothing schedulers::pause,
    DELETE "/schedulers/{name}" Nothing schedulers::remove,
    GET "/checker/{name}" Nothing checkers::status,
    POST "/checker/{name}" Nothing checkers::pause,
    * "/scheduler-config/{name}" Nothing scheduler_config::root,
    * "/scheduler-config/{name}/{call}" Nothing scheduler_config::call,
    * "/scheduler-config/{name}/delete/{id}" Nothing scheduler_config::call,
    GET "/stores" Cluster stores::list,
    GET "/stores/check" Cluster stores::check,
    GET "/stores/limit" Cluster store_limits::list,
    POST "/stores/limit" Cluster store_limits::set_all,
    GET "/stores/progress" Cluster progress::show,
    DELETE "/stores/remove-tombstone" Cluster store_changes::remove_tombstones,
    GET "/store/{id}" Cluster stores::one,
    DELETE "/store/{id}" Cluster store_changes::take_offline,
    POST "/store/{id}/state" Cluster store_changes::set_state,
    POST "/store/{id}/label" Cluster store_labels::set,
    POST "/store/{id}/weight" Cluster store_changes::set_weight,
    POST "/store/{id}/limit" Cluster store_limits::set,
    DELETE "/store/{id}/label" Cluster store_labels::delete,
    GET "/labels" Cluster store_labels::all,
    GET "/labels/stores" Cluster store_labels::stores,
    GET "/region/id/{id}" Cluster regions::by_id,
    GET "/regions" Cluster regions::all,
    GET "/regions/key" Cluster regions::scan,
    GET "/regions/count" Cluster regions::count,
    GET "/regions/range-holes" Cluster regions::range_holes,
    GET "/regions/store/{id}" Cluster regions::of_store,
    GET "/region/id/{id}/labels" Cluster region_labels::of_region,
    GET "/region/id/{id}/label/{key}" Cluster region_labels::value_of_region,
    GET "/config/region-label/rules" Cluster region_labels::all,
    PATCH "/config/region-label/rules" Cluster region_labels::patch,
    GET "/config/region-label/rules/ids" Cluster region_labels::some,
    POST "/config/region-label/rule" Cluster region_labels::set,
    GET "/config/region-label/rule/{id}" Cluster region_labels::one,
    DELETE "/config/region-label/rule/{id}" Cluster region_labels::delete,
    GET "/regions/check/{type}" Cluster regions::check,
    GET "/hotspot/regions/write" Nothing hotspot::regions,
    GET "/hotspot/regions/read" Nothing hotspot::regions,
    GET "/hotspot/stores" Nothing hotspot::stores,
    GET "/config" Nothing config::all,
    POST "/config" Nothing config_changes::set_items,
    GET "/config/schedule" Nothing config::schedule,
    POST "/config/schedule" Nothing config_changes::set_schedule,
    GET "/config/replicate" Nothing config::replication,
    POST "/config/replicate" Nothing config_changes::set_replication,
    GET "/config/default" Nothing config::defaults,
    GET "/config/rules" Cluster rules::all,
    GET "/config/rules/group/{group}" Cluster rules::of_group,
    GET "/config/rules/key/{key}" Cluster rules::of_key,
    GET "/config/rules/region/{id}" Cluster rules::of_region,
    GET "/config/rules/region/{id}/detail" Cluster rules::fit_of_region,
    GET "/admin/unsafe/remove-failed-stores/show" Cluster unsafe_recovery::show,
    POST "/config/rule" Cluster rule_changes::set,
    GET "/config/rule/{group}/{id}" Cluster rules::one,
    DELETE "/config/rule/{group}/{id}" Cluster rule_changes::delete,
    GET "/config/rule_groups" Cluster rule_groups::all,
    POST "/config/rule_group" Cluster rule_groups::set,
    GET "/config/rule_group/{id}" Cluster rule_groups::one,
    DELETE "/config/rule_group/{id}" Cluster rule_groups::delete,
    GET "/config/placement-rule" Cluster rule_groups::bundles,
    GET "/config/placement-rule/{group}" Cluster rule_groups::bundle,
}
