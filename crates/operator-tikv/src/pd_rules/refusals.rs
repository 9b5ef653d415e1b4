//! What PD says to a request that it refuses, whichever it is.

use std::time::Duration;

use action_core::{Cause, ClockOffset, Verdict};
use pd_client::regions::Region;
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::pd_clock::silent_for;
use crate::parameters::ids::{RegionId, StoreId};

pub(crate) fn rejected(code: &str, text: impl Into<String>) -> Verdict {
    Verdict::WouldReject {
        code: code.to_owned(),
        text: text.into(),
    }
}

pub(crate) fn undecided(code: &str, text: impl Into<String>) -> Verdict {
    Verdict::Undecided {
        causes: vec![Cause::new(code, text)],
    }
}

/// The region; or what PD would say because there is none, or no cluster.
pub(crate) async fn region(tikv: &Tikv, id: RegionId) -> Result<Result<Region, Verdict>, Error> {
    match tikv.pd.region(id.pd()).await {
        Ok(Some(region)) => Ok(Ok(region)),
        Ok(None) => Ok(Err(region_not_found(id))),
        Err(error) => unless_not_bootstrapped(error).map(Err),
    }
}

pub(crate) fn region_not_found(id: RegionId) -> Verdict {
    rejected(
        "PD:region:ErrRegionNotFound",
        format!("region {id} not found"),
    )
}

pub(crate) fn no_peer(store: StoreId) -> Verdict {
    rejected("no_peer", format!("region has no peer in store {store}"))
}

/// What PD would say to any mutation when no TiKV has joined yet.
pub(crate) fn unless_not_bootstrapped(error: pd_client::Error) -> Result<Verdict, Error> {
    match error.answer() {
        Some(answer) if answer.is_not_bootstrapped() => Ok(rejected(
            "PD:cluster:ErrNotBootstrapped",
            answer.message.clone(),
        )),
        _ => Err(Error::Read(error)),
    }
}

/// What PD says to a store that is to take a replica.
pub(crate) fn unusable_target(
    id: StoreId,
    store: Option<&Store>,
    clock: Option<ClockOffset>,
) -> Option<Verdict> {
    let Some(store) = store else {
        return Some(store_not_found(id));
    };
    if store.state_name == StoreState::Tombstone {
        return Some(store_removed(id));
    }
    match is_unhealthy(store, clock) {
        Some(false) => None,
        Some(true) => Some(rejected(
            "PD:core:ErrStoreUnhealthy",
            format!("store {id} is unhealthy"),
        )),
        None => Some(undecided(
            "store_silence_near_limit",
            format!("PD has not heard of store {id} for about ten minutes, which is its limit"),
        )),
    }
}

pub(crate) fn store_not_found(id: StoreId) -> Verdict {
    rejected("PD:core:ErrStoreNotFound", format!("store {id} not found"))
}

pub(crate) fn store_removed(id: StoreId) -> Verdict {
    rejected(
        "PD:core:ErrStoreRemoved",
        format!("store {id} has been removed"),
    )
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
