//! What PD says to a drain, and what keeps one from getting on.

use action_core::Cause;
use pd_client::Capability;
use pd_client::config::{Config, ScheduleConfig};
use pd_client::schedulers::SchedulerKind;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::pd_rules::leadership::{GRANT_LEADER, may_run};

/// Whether another scheduler keeps leaders on the store or away from it, which PD up to 8.5 does
/// not let a drain join. Reads once for each such scheduler there is.
pub(crate) async fn blocked_by_another(
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

pub(crate) fn switched_off(config: &ScheduleConfig) -> Vec<Cause> {
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
