//! What PD says to the emptying of a store, and what keeps it from getting anywhere.

use action_core::{Cause, Verdict};
use pd_client::Capability;
use pd_client::config::{Config, ScheduleConfig};
use pd_client::schedulers::SchedulerKind;
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::drains::{in_force, is_draining};
use crate::facts::schedulers::stored;
use crate::facts::settings_in_force::{Overrides, limit_in_force};
use crate::parameters::ids::StoreId;
use crate::pd_rules::patrol::led;
use crate::pd_rules::refusals;
use crate::pd_rules::replica_takers::ReplicaTakers;
use crate::pd_rules::room::{self, Room};
use crate::pd_rules::rule_checker::{self, RuleChecker};
use crate::pd_rules::stop::{Checked, accepted_unless, nothing_to_do, refused};
use crate::pd_rules::version;

/// Emptying a store for good.
pub(crate) async fn check_offline(
    tikv: &Tikv,
    store: &Store,
    config: &Config,
    stores: &[Store],
    overrides: Option<&Overrides>,
) -> Checked<Verdict> {
    let id = StoreId::from(store.id);
    check_not_final(store)?;
    if store.state_name == StoreState::Offline {
        return Err(nothing_to_do(format!("store {id} is being emptied")));
    }
    let is_up = |store: &&Store| {
        let up = [StoreState::Up, StoreState::Disconnected, StoreState::Down];
        up.contains(&store.state_name)
    };
    let mut up: Vec<&Store> = stores.iter().filter(is_up).collect();
    // After 8.5 PD leaves TiFlash stores out of account.
    let tikv_only = stores.iter().any(Store::is_tiflash)
        && version::has(tikv, Capability::RemovalCountsTikvOnly).await?;
    if tikv_only && store.is_tiflash() {
        return Ok(accepted_unless(
            obstacles(tikv, store, config, stores, overrides).await?,
        ));
    }
    up.retain(|store| !(tikv_only && store.is_tiflash()));
    let needed = config.replication.max_replicas;
    let left = (up.len() as u64).saturating_sub(1);
    if left < needed {
        let text = format!(
            "can not remove store {id} since the number of up stores would be {left} while need \
             {needed}"
        );
        return Err(refused("PD:core:ErrStoresNotEnough", text));
    }
    let drains = in_force(tikv, &config.schedule).await?;
    let drained = |store: &&Store| is_draining(drains.as_ref(), store.id.into());
    let mut others = up.iter().filter(|other| other.id != store.id);
    if others.all(drained) {
        let text = format!(
            "can not remove store {id} since there are no extra up store to store the leader"
        );
        return Err(refused("PD:core:ErrNoStoreForRegionLeader", text));
    }
    Ok(accepted_unless(
        obstacles(tikv, store, config, stores, overrides).await?,
    ))
}

/// Stopping to empty a store.
pub(crate) fn check_cancel_offline(store: &Store) -> Checked<Verdict> {
    check_not_final(store)?;
    if store.state_name != StoreState::Offline {
        let already = format!("store {} is not being emptied", store.id);
        return Err(nothing_to_do(already));
    }
    Ok(Verdict::WouldProceed)
}

/// Whether a store may change its state at all.
fn check_not_final(store: &Store) -> Checked {
    let id = StoreId::from(store.id);
    if store.state_name == StoreState::Tombstone {
        return Err(refusals::store_removed(id));
    }
    if store.physically_destroyed {
        let text = format!("store {id} has been physically destroyed");
        return Err(refused("PD:core:ErrStoreDestroyed", text));
    }
    Ok(())
}

/// What keeps a store from getting empty: nothing where it is, because PD buries an empty one
/// whatever its settings (`checkStore` of `server/cluster/cluster.go`). Three reads.
async fn obstacles(
    tikv: &Tikv,
    store: &Store,
    config: &Config,
    stores: &[Store],
    overrides: Option<&Overrides>,
) -> Result<Vec<Cause>, Error> {
    if store.status.region_count == 0 {
        return Ok(Vec::new());
    }
    let mut causes = switched_off(tikv, (config, stores), overrides).await?;
    let rules = room::rules(tikv, config).await?;
    // Where rules decide, nothing looks at the switch: `rule_checker.go`, `isOfflinePeer`.
    if rules.is_none() && config.schedule.enable_replace_offline_replica == Some(false) {
        let text = "`enable-replace-offline-replica` is off";
        causes.push(Cause::new("replace_offline_replica_off", text));
    }
    let room = Room::of(store, rules.as_deref(), config, stores);
    let takers = ReplicaTakers::under(&config.schedule, overrides);
    causes.extend(room.obstacles(takers));
    Ok(causes)
}

/// What keeps PD from replacing any replica on a store that is being emptied, or for a long time.
/// Two reads, and one more where there are many regions.
///
/// `balance-region` counts under another limit, and takes such a store for a source like any other:
/// `balance_region.go`, and the table of conditions in `pkg/schedule/filter/filters.go`.
pub(crate) async fn switched_off(
    tikv: &Tikv,
    (config, stores): (&Config, &[Store]),
    overrides: Option<&Overrides>,
) -> Result<Vec<Cause>, Error> {
    let checker = RuleChecker::under(tikv, (config, led(stores)), overrides).await?;
    let schedule = &config.schedule;
    let region = "region-schedule-limit";
    // What is halted is not balanced either.
    let balances = checker.halted.is_empty()
        && limit_in_force(region, schedule.region_schedule_limit, overrides) > 0
        && balances_regions(schedule);
    let rest = if balances {
        "; `balance-region-scheduler` may move some to stores that hold less, until they are even"
    } else {
        ""
    };
    let mut causes = checker.halted;
    if checker.limit_is_zero {
        let text = format!(
            "`{}` is 0: no replica is replaced{rest}",
            rule_checker::LIMIT
        );
        causes.push(Cause::new("replica_schedule_limit_zero", text));
    }
    if let Some(paused) = checker.paused {
        let text = format!(
            "the {} checker is paused: no replica is replaced until it continues{rest}",
            paused.name()
        );
        causes.push(Cause::new("checker_paused", text));
    }
    causes.extend(checker.patrol.rests());
    Ok(causes)
}

/// Whether `balance-region-scheduler` is there, as far as the configuration shows.
fn balances_regions(config: &ScheduleConfig) -> bool {
    let stored = stored(config);
    let name = SchedulerKind::BalanceRegion.name();
    stored.is_empty() || stored.iter().any(|one| one == name)
}
