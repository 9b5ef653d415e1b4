//! Findings about PD as a whole, which more than one observation gives.

// length: findings that more than one observation gives, a function each.

use action_core::{Cause, Finding};
use pd_client::config::{Config, ScheduleConfig};
use pd_client::maintenance::MaintenanceTask;
use pd_client::members::MemberHealth;
use pd_client::rules::Rule;
use pd_client::schedulers::PausedScheduler;
use pd_client::stores::Store;
use pd_client::unsafe_recovery::UnsafeRecovery;

use crate::facts::bounded_text::bounded;
use crate::facts::drains::DRAINS;
use crate::facts::pd_clock::{PdTime, unix_ms};
use crate::facts::schedulers::stored;
use crate::facts::store::is_low;
use crate::observations::list_schedulers;
use crate::observations::reasons;
use crate::pd_rules::patrol::{INTERVAL, Patrol};
use crate::pd_rules::room::unsatisfiable::unsatisfiable;

/// Where the configuration is read.
pub(crate) const CONFIG: &str = "GET /pd/api/v1/config";

/// A task that holds the maintenance lock.
pub(crate) fn maintenance(task: &MaintenanceTask) -> Finding {
    let (kind, id) = (bounded(&task.kind), bounded(&task.id));
    let text = format!("maintenance task `{id}` of kind `{kind}` holds the lock");
    let source = "GET /pd/api/v2/maintenance";
    reasons::MAINTENANCE_LOCK
        .found("cluster", text)
        .seen(source, "kind", kind)
        .seen(source, "id", id)
        .seen(source, "started_unix_ms", task.started.and_then(unix_ms))
}

/// Drains that move nothing.
pub(crate) fn drain_batch_zero(cause: Cause) -> Finding {
    reasons::DRAIN_BATCH_ZERO
        .found("scheduler/evict-leader-scheduler", cause.text)
        .seen(DRAINS, "batch", 0)
}

/// Members of PD that do not answer.
pub(crate) fn silent_members(health: &[MemberHealth]) -> impl Iterator<Item = Finding> {
    let silent = health.iter().filter(|one| !one.health);
    let answer = health.len() - silent.clone().count();
    let all = health.len();
    silent.map(move |member| {
        let name = bounded(&member.name);
        let text = format!("PD member `{name}` does not answer; {answer} of {all} members do");
        let down = reasons::PD_MEMBER_DOWN.found(format!("member/{name}"), text);
        down.seen("GET /pd/api/v1/health", "health", false)
    })
}

/// All scheduling is switched off.
pub(crate) fn halted() -> Finding {
    reasons::SCHEDULING_HALTED
        .found("cluster", "`halt-scheduling` is on")
        .seen(CONFIG, "halt-scheduling", true)
        .effect("config/schedule.halt-scheduling")
}

/// An unsafe recovery that runs.
pub(crate) fn unsafe_recovery(recovery: &UnsafeRecovery) -> Option<Finding> {
    let stage = recovery.stages.last().filter(|_| recovery.is_running())?;
    let info = bounded(&stage.info);
    let source = "GET /pd/api/v1/admin/unsafe/remove-failed-stores/show";
    let found =
        reasons::UNSAFE_RECOVERY.found("cluster", format!("an unsafe recovery is running: {info}"));
    Some(found.seen(source, "stage", info))
}

/// A scheduler that is paused.
pub(crate) fn paused_scheduler(pause: &PausedScheduler, now: Option<PdTime>) -> Finding {
    let name = bounded(&pause.name);
    let left = pause.resume_at.and_then(|at| Some(now?.seconds_until(at)));
    let text = match left {
        Some(left) => format!("`{name}` is paused for {left} more seconds"),
        None => format!("`{name}` is paused"),
    };
    let source = "GET /pd/api/v1/schedulers?status=paused";
    let (from, until) = (
        pause.paused_at.and_then(unix_ms),
        pause.resume_at.and_then(unix_ms),
    );
    reasons::SCHEDULER_PAUSED
        .found(format!("scheduler/{name}"), text)
        .seen(source, "paused_at_unix_ms", from)
        .seen(source, "resume_at_unix_ms", until)
        .effect(list_schedulers::effect(&name))
}

/// A default scheduler that was removed.
pub(crate) fn removed_scheduler(name: &str) -> Finding {
    let name = bounded(name);
    reasons::SCHEDULER_REMOVED
        .found(format!("scheduler/{name}"), format!("`{name}` was removed"))
        .seen(CONFIG, "schedulers-v2", format!("{name}: disable"))
}

/// A checker that is paused.
pub(crate) fn paused_checker(name: &str) -> Finding {
    reasons::CHECKER_PAUSED
        .found(
            format!("checker/{name}"),
            format!("the {name} checker is paused"),
        )
        .seen(format!("GET /pd/api/v1/checker/{name}"), "paused", true)
        .effect(format!("pause-checker/{name}"))
}

/// A scheduler that was added for a test or one occasion.
pub(crate) fn left_schedulers(
    schedule: &ScheduleConfig,
    matters: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let stored = stored(schedule);
    let left = stored.iter();
    let left = left.filter(|name| works_against_balancing(name) && matters(name));
    left.map(|name| {
        let name = bounded(name);
        reasons::SCHEDULER_LEFT
            .found(format!("scheduler/{name}"), format!("`{name}` runs"))
            .seen(CONFIG, "schedulers-v2", name)
    })
    .collect()
}

fn works_against_balancing(name: &str) -> bool {
    name.starts_with("shuffle-")
        || ["grant-leader", "grant-hot-region", "random-merge"]
            .iter()
            .any(|kind| name.trim_end_matches("-scheduler") == *kind)
}

/// Merging is switched off by size.
pub(crate) fn merge_size_zero(schedule: &ScheduleConfig) -> Option<Finding> {
    (schedule.max_merge_region_size == Some(0)).then(|| {
        reasons::MERGE_SIZE_ZERO
            .found(
                "config/max-merge-region-size",
                "`max-merge-region-size` is 0",
            )
            .seen(CONFIG, "max-merge-region-size", 0)
            .effect("config/schedule.max-merge-region-size")
    })
}

/// PD's checkers take long to come to every region.
pub(crate) fn patrol_long(patrol: &Patrol) -> Option<Finding> {
    patrol.long_round().map(|round| {
        reasons::PATROL_INTERVAL_LONG
            .found(format!("config/{INTERVAL}"), patrol.text())
            .seen(CONFIG, INTERVAL, format!("{:?}", patrol.interval))
            .seen("GET /pd/api/v1/stores", "regions", patrol.regions)
            .seen(CONFIG, "round", format!("{round:?}"))
            .effect(format!("config/schedule.{INTERVAL}"))
    })
}

/// Replicas are not moved apart. With placement rules on nothing looks at the switch: only
/// `replica_checker.go` of `pkg/schedule/checker` does.
pub(crate) fn location_replacement_off(config: &Config) -> Option<Finding> {
    let off = config.schedule.enable_location_replacement == Some(false);
    let name = "enable-location-replacement";
    (off && !config.replication.enable_placement_rules).then(|| {
        reasons::LOCATION_REPLACEMENT_OFF
            .found(format!("config/{name}"), format!("`{name}` is off"))
            .seen(CONFIG, name, false)
    })
}

/// Fewer stores than replicas.
pub(crate) fn too_few_stores(config: &Config, stores: &[Store]) -> Option<Finding> {
    let wanted = config.replication.max_replicas;
    let there = stores.iter().filter(|store| !store.is_tiflash()).count() as u64;
    (there < wanted).then(|| {
        let text = format!("`max-replicas` is {wanted}, but there are {there} TiKV stores");
        reasons::TOO_FEW_STORES
            .found("config/max-replicas", text)
            .seen(CONFIG, "max-replicas", wanted)
            .seen("GET /pd/api/v1/stores", "stores", there)
    })
}

/// Rules that no stores are there for; `rules` is `None` where they are switched off.
pub(crate) fn unsatisfiable_rules(
    rules: Option<&[Rule]>,
    config: &Config,
    stores: &[Store],
) -> Vec<Finding> {
    let found = unsatisfiable(rules, config, stores).into_iter();
    let found = found.map(|rule| {
        reasons::RULE_UNSATISFIABLE
            .found(rule.about, rule.text)
            .seen("GET /pd/api/v1/config/placement-rule", "count", rule.wanted)
            .seen("GET /pd/api/v1/stores", "possible", rule.possible)
    });
    found.collect()
}

/// A store's limit that lets next to nothing through, or nothing.
pub(crate) fn store_limit_low(store: &Store, kind: &str, per_minute: f64) -> Option<Finding> {
    let id = store.id;
    let reason = match per_minute {
        limit if limit <= 0.0 => reasons::STORE_LIMIT_ZERO,
        limit if is_low(limit) => reasons::STORE_LIMIT_LOW,
        _ => return None,
    };
    let text = format!("the limit `{kind}` of store {id} is {per_minute} per minute");
    let found = reason.found(format!("store/{id}"), text);
    let effect = format!("config/store-limit.{id}.{kind}");
    Some(found.seen(CONFIG, kind, per_minute).effect(effect))
}

/// A store whose weight is 0.
pub(crate) fn weight_zero(store: &Store, of: &str, weight: f64) -> Option<Finding> {
    let id = store.id;
    // Without a capacity PD has shown nothing of the store.
    let is_known = store.status.capacity.bytes().is_some();
    (is_known && weight <= 0.0).then(|| {
        reasons::STORE_WEIGHT_ZERO
            .found(
                format!("store/{id}"),
                format!("the {of} of store {id} is 0"),
            )
            .seen(format!("GET /pd/api/v1/store/{id}"), of, 0)
    })
}
