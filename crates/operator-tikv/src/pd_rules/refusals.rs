//! Refusals that need no check of their own: what there is not, a store that takes no replica, a
//! setting that does not fit the others.

use std::time::Duration;

use action_core::ClockOffset;
use pd_client::regions::Region;
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::facts::pd_clock::silent_for;
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::stop::{Checked, Stop, refused, undecided};

/// The region, as the first read of a plan.
pub(crate) async fn region(tikv: &Tikv, id: RegionId) -> Checked<Region> {
    let region = tikv.pd.region(id.pd()).await;
    let missing = || {
        refused(
            "PD:region:ErrRegionNotFound",
            format!("region {id} not found"),
        )
    };
    region.map_err(Stop::of_first_read)?.ok_or_else(missing)
}

/// The store, as the first read of a plan.
pub(crate) async fn store(tikv: &Tikv, id: StoreId) -> Checked<Store> {
    let store = tikv.pd.store(id.pd()).await;
    let store = store.map_err(Stop::of_first_read)?;
    store.ok_or_else(|| store_not_found(id))
}

pub(crate) fn store_not_found(id: StoreId) -> Stop {
    refused("PD:core:ErrStoreNotFound", format!("store {id} not found"))
}

/// A setting that an override with a time to live holds.
pub(crate) fn overridden(item: &str) -> Stop {
    let text = format!("need to clean up TTL first for schedule.{item}");
    refused("overridden", text)
}

pub(crate) fn store_removed(id: StoreId) -> Stop {
    let text = format!("store {id} has been removed");
    refused("PD:core:ErrStoreRemoved", text)
}

/// PD names those in any order; here they are by id.
pub(crate) fn tombstones_hold_replicas(ids: &str) -> Stop {
    refused("tombstones_hold_replicas", format!("failed stores: {ids}"))
}

pub(crate) fn operator_not_found() -> Stop {
    refused("PD:operator:ErrOperatorNotFound", "operator not found")
}

pub(crate) fn scheduler_not_found() -> Stop {
    let code = "PD:scheduler:ErrSchedulerNotFound";
    refused(code, "scheduler not found")
}

pub(crate) fn no_such_member() -> Stop {
    refused("no_such_member", "no valid pd to transfer etcd leader")
}

/// What etcd says five seconds later when it hands over to a member that does not answer, and goes
/// on leading: `MoveEtcdLeader` of `pkg/member/member.go`.
pub(crate) fn member_does_not_answer() -> Stop {
    let cause = "etcdserver: request timed out, leader transfer took too long";
    refused("PD:etcd:ErrEtcdMoveLeader", format!("{cause}: {cause}"))
}

pub(crate) fn low_space_not_above_high() -> Stop {
    let text = "low-space-ratio should be larger than high-space-ratio";
    refused("not_above_high_space_ratio", text)
}

/// Where `store-limit-version` is `v2`, PD 8.3 and later sets no limit.
pub(crate) fn limit_of_version_2() -> Stop {
    let text = "current store limit version:v2 not support set limit";
    refused("store_limit_v2", text)
}

/// Whether a store may take a replica: it is there, and PD has heard of it.
pub(crate) fn check_target(
    id: StoreId,
    store: Option<&Store>,
    clock: Option<ClockOffset>,
) -> Checked {
    let store = store.ok_or_else(|| store_not_found(id))?;
    if store.state_name == StoreState::Tombstone {
        return Err(store_removed(id));
    }
    match is_unhealthy(store, clock) {
        Some(false) => Ok(()),
        Some(true) => Err(refused(
            "PD:core:ErrStoreUnhealthy",
            format!("store {id} is unhealthy"),
        )),
        None => Err(undecided(
            "store_silence_near_limit",
            format!("PD has had no heartbeat of store {id} for about ten minutes, its limit"),
        )),
    }
}

/// Whether PD has not heard of a store for ten minutes; `None` when it is too close to tell.
fn is_unhealthy(store: &Store, clock: Option<ClockOffset>) -> Option<bool> {
    /// From reading a store until PD judges it.
    const ON_THE_WAY: Duration = Duration::from_secs(2);
    const UNHEALTHY_AFTER: Duration = Duration::from_secs(600);

    let clock = clock.unwrap_or(ClockOffset::new(0, 1_000));
    let Some(silent) = silent_for(store, clock.ahead_ms) else {
        return Some(true);
    };
    let margin = Duration::from_millis(clock.uncertainty_ms.min(60_000));
    if silent > UNHEALTHY_AFTER + margin {
        Some(true)
    } else if silent + margin + ON_THE_WAY < UNHEALTHY_AFTER {
        Some(false)
    } else {
        None
    }
}
