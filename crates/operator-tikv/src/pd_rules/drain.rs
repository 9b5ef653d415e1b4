//! What PD says to a drain, and what keeps one from getting anywhere.

use action_core::{Cause, Verdict};
use pd_client::Capability;
use pd_client::config::{Config, ScheduleConfig};
use pd_client::schedulers::{EvictLeaderConfig, SchedulerKind};
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::drains::is_draining;
use crate::facts::settings_in_force::{Overrides, limit_in_force};
use crate::parameters::ids::StoreId;
use crate::pd_rules::halted::{self, halted};
use crate::pd_rules::held_leaders::held_leaders;
use crate::pd_rules::leader_takers::{LeaderTakers, ReadTakers};
use crate::pd_rules::leadership::{EVICT_LEADER, GRANT_LEADER, may_run};
use crate::pd_rules::stop::{Checked, accepted_unless, nothing_to_do, refused};
use crate::pd_rules::version;

/// Draining leaders from a store; with the stores that may be given them, where it leads any.
pub(crate) async fn check_drain(
    tikv: &Tikv,
    store: &Store,
    config: &Config,
    stores: &[Store],
    drains: Option<&EvictLeaderConfig>,
    overrides: Option<&Overrides>,
) -> Checked<(Verdict, Option<ReadTakers>)> {
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
        return Ok((Verdict::WouldProceed, None));
    }
    let schedule = &config.schedule;
    let takers = ReadTakers::read(tikv, config, drains).await?;
    let mut causes = limited(schedule, overrides);
    causes.extend(halted(tikv, schedule).await?);
    causes.extend(paused(tikv, drains).await?);
    causes.extend(no_target(id, &takers.among(stores)));
    causes.extend(batch_of_zero(tikv, drains).await?);
    causes.extend(held_leaders(tikv, store).await?);
    Ok((accepted_unless(causes), Some(takers)))
}

/// What keeps a drain from getting anywhere. One read.
pub(crate) async fn obstacles(
    tikv: &Tikv,
    config: &ScheduleConfig,
    drains: Option<&EvictLeaderConfig>,
) -> Result<Vec<Cause>, Error> {
    let mut causes = limited(config, None);
    causes.extend(halted::switched_off(config));
    causes.extend(paused(tikv, drains).await?);
    Ok(causes)
}

/// That the scheduler which moves the leaders is paused, where there is one: a new one is not. A
/// store may be added to those it drains all the same (`AllowSchedule` of `scheduler_controller.go`
/// asks for the pause, `updateConfig` of `evict_leader.go` does not). One read at most.
async fn paused(tikv: &Tikv, drains: Option<&EvictLeaderConfig>) -> Result<Option<Cause>, Error> {
    if drains.is_none() {
        return Ok(None);
    }
    let paused = tikv.pd.paused_schedulers().await.map_err(Error::Read)?;
    let is_paused = paused.iter().any(|one| one.name == EVICT_LEADER);
    let text = format!("`{EVICT_LEADER}` is paused: it moves no leader until it continues");
    Ok(is_paused.then(|| Cause::new("scheduler_paused", text)))
}

/// That no other store may lead anything.
pub(crate) fn no_target(id: StoreId, takers: &LeaderTakers<'_>) -> Option<Cause> {
    let none = !takers.are_there_besides(id.pd());
    none.then(|| Cause::new("no_target", "no other store can take leaders"))
}

/// A batch of 0, which some versions take at its word: PD takes no 0 by request (`updateConfig` of
/// `evict_leader.go`), and keeps that of a drain which an older PD stored without one.
pub(crate) async fn batch_of_zero(
    tikv: &Tikv,
    drains: Option<&EvictLeaderConfig>,
) -> Checked<Option<Cause>> {
    let is_zero = drains.is_some_and(|drains| drains.batch == Some(0));
    if !is_zero || !version::has(tikv, Capability::EvictBatchZeroMovesNothing).await? {
        return Ok(None);
    }
    let text = "the `batch` of drains is 0, with which this version moves nothing: stop all drains \
                and drain again, or set `batch` to 3 in the configuration of \
                `evict-leader-scheduler`";
    Ok(Some(Cause::new("drain_batch_zero", text)))
}

/// Whether another scheduler keeps leaders on the store or away from it, which PD up to 8.5 does
/// not let a drain join. Reads once for each such scheduler there is.
async fn blocked_by_another(
    tikv: &Tikv,
    config: &Config,
    store_id: pd_client::StoreId,
) -> Checked<bool> {
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
    Ok(!version::has(tikv, Capability::SharedLeaderPause).await?)
}

fn limited(config: &ScheduleConfig, overrides: Option<&Overrides>) -> Vec<Cause> {
    let name = "leader-schedule-limit";
    let limit = limit_in_force(name, config.leader_schedule_limit, overrides);
    let text = format!("`{name}` is 0");
    let zero = (limit == 0).then(|| Cause::new("leader_schedule_limit_zero", text));
    zero.into_iter().collect()
}
