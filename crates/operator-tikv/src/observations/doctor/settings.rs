//! Settings that switch scheduling off, or are not what is stored.

use action_core::Finding;
use pd_client::config::{Config, ScheduleConfig};
use pd_client::stores::Store;
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::settings_in_force::{self, OVERRIDES, Overrides, stored};
use crate::mutations::setting::{
    SetLeaderScheduleLimit, SetLowSpaceThreshold, SetRegionScheduleLimit, SetReplicaScheduleLimit,
    Setting as _,
};
use crate::observations::doctor::leftovers::Leftovers;
use crate::observations::findings::{
    CONFIG, halted, location_replacement_off, merge_size_zero, patrol_long, unsafe_recovery,
};
use crate::observations::reasons;
use crate::pd_rules::patrol::{Patrol, led};

/// Gives the overrides, which limits are read by.
pub(super) async fn find(
    tikv: &Tikv,
    (config, stores): (&Config, &[Store]),
    found: &mut Leftovers,
) -> Result<Option<Overrides>, Error> {
    if config.schedule.halt_scheduling {
        found.findings.push(halted());
    }
    let recovery = tikv.pd.unsafe_recovery().await.map_err(Error::Read)?;
    found.findings.extend(unsafe_recovery(&recovery));
    found.findings.extend(merge_size_zero(&config.schedule));
    found.findings.extend(location_replacement_off(config));
    let patrol = Patrol::read(tikv, config, led(stores)).await?;
    found.findings.extend(patrol_long(&patrol));
    let defaults = tikv.pd.default_config().await.map_err(Error::Read)?;
    let zero = zeros(&config.schedule).into_iter();
    let zero = zero.map(|name| limit_zero(name, &defaults));
    found.findings.extend(zero);
    found.as_by_default = as_by_default(&config.schedule, &defaults.schedule);
    let overrides = settings_in_force::overrides(tikv).await;
    match &overrides {
        None => {
            let what = "temporary overrides (TTL): cannot read PD's etcd";
            found.unknown.push(what.to_owned());
        }
        Some(overrides) => {
            let overrides = overrides.iter();
            let schedule = &config.schedule;
            let findings = overrides.map(|(name, value)| overridden(schedule, name, value));
            found.findings.extend(findings);
        }
    }
    Ok(overrides)
}

/// The settings that an action sets and that are as PD has them by default.
fn as_by_default(schedule: &ScheduleConfig, defaults: &ScheduleConfig) -> Vec<String> {
    let limits = [
        SetLeaderScheduleLimit::ITEM,
        SetRegionScheduleLimit::ITEM,
        SetReplicaScheduleLimit::ITEM,
    ];
    let is_default = |name: &&str| stored(schedule, name) == stored(defaults, name);
    let limits = limits.into_iter().filter(is_default);
    let ratio = schedule
        .low_space_ratio
        .total_cmp(&defaults.low_space_ratio);
    let ratio = ratio.is_eq().then_some(SetLowSpaceThreshold::ITEM);
    let names = limits.chain(ratio);
    names
        .map(|name| format!("config/schedule.{name}"))
        .collect()
}

/// The limits that are 0 as stored.
fn zeros(schedule: &ScheduleConfig) -> Vec<&'static str> {
    let limits = [
        ("merge-schedule-limit", schedule.merge_schedule_limit),
        (
            "hot-region-schedule-limit",
            schedule.hot_region_schedule_limit,
        ),
        ("leader-schedule-limit", schedule.leader_schedule_limit),
        ("region-schedule-limit", schedule.region_schedule_limit),
        ("replica-schedule-limit", schedule.replica_schedule_limit),
    ];
    let zeros = limits.into_iter().filter(|(_, limit)| *limit == 0);
    zeros.map(|(name, _)| name).collect()
}

/// What it was before nobody says: PD's default is shown, and not offered as a fix.
fn limit_zero(name: &str, defaults: &Config) -> Finding {
    let default = stored(&defaults.schedule, name);
    reasons::LIMIT_ZERO
        .found(format!("config/{name}"), format!("`{name}` is 0"))
        .seen(CONFIG, name, 0)
        .seen("GET /pd/api/v1/config/default", name, default)
        .effect(format!("config/schedule.{name}"))
}

fn overridden(schedule: &ScheduleConfig, full_name: &str, value: &Value) -> Finding {
    let name = bounded(full_name.strip_prefix("schedule.").unwrap_or(full_name));
    let value = match value {
        Value::Number(_) | Value::Bool(_) => value.clone(),
        other => Value::String(bounded(&other.to_string())),
    };
    let stored = stored(schedule, &name);
    let text = match stored {
        Some(stored) => format!("`{name}` is {value} in force and {stored} stored"),
        None => format!("`{name}` is {value} in force, for a time"),
    };
    let found = reasons::TTL_OVERRIDE
        .found(format!("config/{name}"), text)
        .seen(OVERRIDES, &name, value);
    match stored {
        Some(stored) => found.seen(CONFIG, &name, stored),
        None => found,
    }
}
