//! What PD says to a drain, and what keeps one from getting anywhere.

use action_core::{Cause, Verdict};
use pd_client::Capability;
use pd_client::config::{Config, ScheduleConfig};
use pd_client::schedulers::{EvictLeaderConfig, SchedulerKind};
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::drains::is_draining;
use crate::parameters::ids::StoreId;
use crate::pd_rules::leadership::{GRANT_LEADER, may_run, other_targets};
use crate::pd_rules::stop::{Checked, accepted_unless, nothing_to_do, refused};

/// Draining leaders from a store.
pub(crate) async fn check_drain(
    tikv: &Tikv,
    store: &Store,
    config: &Config,
    stores: &[Store],
    drains: Option<&EvictLeaderConfig>,
) -> Checked<Verdict> {
    let id = StoreId::from(store.id);
    if is_draining(drains, id) {
        let already = format!("leaders are being drained from store {id}");
        return Err(nothing_to_do(already));
    }
    if blocked_by_another(tikv, config, store.id).await? {
        let text = format!("store {id} is paused for leader transfer");
        return Err(refused("PD:core:ErrPauseLeaderTransfer", text));
    }
    if store.status.leader_count == 0 {
        return Ok(Verdict::WouldProceed);
    }
    let causes = obstacles(id, &config.schedule, stores, drains);
    Ok(accepted_unless(causes))
}

/// What keeps a drain from getting anywhere.
pub(crate) fn obstacles(
    id: StoreId,
    config: &ScheduleConfig,
    stores: &[Store],
    drains: Option<&EvictLeaderConfig>,
) -> Vec<Cause> {
    let mut causes = switched_off(config);
    if other_targets(stores, id, drains) == 0 {
        let text = "no other store may be given leaders";
        causes.push(Cause::new("no_target", text));
    }
    causes
}

/// Whether another scheduler keeps leaders on the store or away from it, which PD up to 8.5 does
/// not let a drain join. Reads once for each such scheduler there is.
async fn blocked_by_another(
    tikv: &Tikv,
    config: &Config,
    store_id: pd_client::StoreId,
) -> Result<bool, Error> {
    let mut kept = false;
    if may_run(config, GRANT_LEADER) {
        let grants = tikv.pd.grant_leader_config().await.map_err(Error::Read)?;
        kept |= grants.is_some_and(|grants| grants.stores.contains_key(&store_id));
    }
    let slow = SchedulerKind::EvictSlowStore;
    if !kept && may_run(config, slow.name()) {
        let paused = tikv.pd.network_slow_stores().await.map_err(Error::Read)?;
        kept |= paused.contains(&store_id);
    }
    if !kept {
        return Ok(false);
    }
    let version = tikv.pd.version().await.map_err(Error::Read)?;
    Ok(version.has(Capability::SharedLeaderPause) == Some(false))
}

fn switched_off(config: &ScheduleConfig) -> Vec<Cause> {
    let mut causes = Vec::new();
    if config.leader_schedule_limit == 0 {
        causes.push(Cause::new(
            "leader_schedule_limit_zero",
            "`leader-schedule-limit` is 0",
        ));
    }
    if config.halt_scheduling {
        causes.push(Cause::new("scheduling_halted", "`halt-scheduling` is on"));
    }
    causes
}
