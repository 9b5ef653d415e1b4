//! What PD says to the emptying of a store, and what keeps it from getting on.

use action_core::{Cause, Verdict};
use pd_client::Capability;
use pd_client::config::ScheduleConfig;
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::parameters::ids::StoreId;
use crate::pd_rules::refusals;

/// What PD says to any change of the life of a store that is over.
pub(crate) fn state_is_final(id: StoreId, store: &Store) -> Option<Verdict> {
    if store.state_name == StoreState::Tombstone {
        return Some(refusals::store_removed(id));
    }
    store.physically_destroyed.then(|| {
        let text = format!("store {id} has been physically destroyed");
        refusals::rejected("PD:core:ErrStoreDestroyed", text)
    })
}

/// Whether PD leaves TiFlash stores out of account: after 8.5.
pub(crate) async fn counts_tikv_only(tikv: &Tikv) -> Result<bool, Error> {
    let version = tikv.pd.version().await.map_err(Error::Read)?;
    Ok(version.has(Capability::RemovalCountsTikvOnly) == Some(true))
}

/// What keeps a store from being emptied.
pub(crate) fn switched_off(config: &ScheduleConfig) -> Vec<Cause> {
    let mut causes = Vec::new();
    if config.replica_schedule_limit == 0 {
        let text = "`replica-schedule-limit` is 0";
        causes.push(Cause::new("replica_schedule_limit_zero", text));
    }
    if config.enable_replace_offline_replica == Some(false) {
        let text = "`enable-replace-offline-replica` is off";
        causes.push(Cause::new("replace_offline_replica_off", text));
    }
    if config.halt_scheduling {
        causes.push(Cause::new("scheduling_halted", "`halt-scheduling` is on"));
    }
    causes
}
