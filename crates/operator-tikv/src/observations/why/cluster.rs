//! What is in the way of everything.

use action_core::Finding;
use pd_client::maintenance::MaintenanceTask;
use pd_client::schedulers::PausedScheduler;

use crate::cluster::Tikv;
use crate::evidence::own_operator::unix_ms;
use crate::facts::bounded_text::bounded;
use crate::facts::pd_clock::PdTime;
use crate::facts::settings_in_force::{GAUGES, in_force, shadows};
use crate::mutations::resume_scheduler::ResumeScheduler;
use crate::observations::list_schedulers;
use crate::observations::reasons;
use crate::observations::why::scene::Scene;
use crate::parameters::scheduler_name::SchedulerName;

/// Where the configuration is read.
pub(crate) const CONFIG: &str = "GET /pd/api/v1/config";
const OPERATORS: &str = "GET /pd/api/v1/operators";

pub(super) fn findings(scene: &Scene) -> Vec<Finding> {
    let mut findings = Vec::new();
    if scene.config.schedule.halt_scheduling {
        findings.push(halted());
    }
    findings.extend(limits(scene));
    let moves = |one: &&PausedScheduler| is_about(scene, &one.name);
    let paused = scene.paused.iter().filter(moves);
    findings.extend(paused.map(|one| paused_scheduler(one, scene.now)));
    let removed = scene.removed.iter().filter(|name| {
        let balances = name.starts_with("balance-leader") || name.starts_with("balance-region");
        // A drain and an offline need no balancing.
        balances && scene.from.is_none() && is_about(scene, name)
    });
    findings.extend(removed.map(|name| removed_scheduler(name)));
    let checkers = scene.paused_checkers.iter();
    findings.extend(checkers.map(|checker| paused_checker(checker.name())));
    findings.extend(scene.maintenance.as_ref().map(maintenance));
    findings
}

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

/// All scheduling is switched off.
pub(crate) fn halted() -> Finding {
    reasons::SCHEDULING_HALTED
        .found("cluster", "`halt-scheduling` is on")
        .seen(CONFIG, "halt-scheduling", true)
        .effect("config/schedule.halt-scheduling")
}

/// A scheduler that is paused.
pub(crate) fn paused_scheduler(pause: &PausedScheduler, now: Option<PdTime>) -> Finding {
    let name = bounded(&pause.name);
    let left = pause.resume_at.and_then(|at| Some(now?.seconds_until(at)));
    let text = match left {
        Some(left) => format!("`{name}` is paused, and goes on in {left} s"),
        None => format!("`{name}` is paused"),
    };
    let source = "GET /pd/api/v1/schedulers?status=paused";
    let (from, until) = (
        pause.paused_at.and_then(unix_ms),
        pause.resume_at.and_then(unix_ms),
    );
    let found = reasons::SCHEDULER_PAUSED
        .found(format!("scheduler/{name}"), text)
        .seen(source, "paused_at_unix_ms", from)
        .seen(source, "resume_at_unix_ms", until)
        .effect(list_schedulers::effect(&name));
    match SchedulerName::new(name) {
        Some(scheduler) => found.fixed_by::<Tikv, _>(&ResumeScheduler { scheduler }),
        None => found,
    }
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

/// Whether a scheduler of this name moves what was asked about.
fn is_about(scene: &Scene, name: &str) -> bool {
    let is_for_leaders = name.contains("leader");
    let is_for_both = name.contains("hot") || name == "all";
    if is_for_both {
        true
    } else if is_for_leaders {
        scene.what.leaders()
    } else {
        scene.what.replicas()
    }
}

/// The limits that matter, by PD's name and the kind of operators they count.
fn limits(scene: &Scene) -> Vec<Finding> {
    let schedule = &scene.config.schedule;
    let mut limits = Vec::new();
    if scene.what.leaders() {
        let limit = schedule.leader_schedule_limit;
        limits.push(("leader-schedule-limit", "leader", limit));
    }
    if scene.what.replicas() {
        let limit = schedule.region_schedule_limit;
        limits.push(("region-schedule-limit", "region", limit));
        let limit = schedule.replica_schedule_limit;
        limits.push(("replica-schedule-limit", "replica", limit));
    }
    let shadows = shadows(schedule, scene.gauges.as_ref());
    let limits = limits.into_iter().filter_map(|(name, kind, stored)| {
        let about = format!("config/{name}");
        let effect = format!("config/schedule.{name}");
        let shadow = shadows.iter().find(|shadow| shadow.name == name);
        if let Some(shadow) = shadow.filter(|shadow| shadow.in_force < shadow.stored) {
            let text = format!(
                "`{name}` is {} in force and {stored} stored",
                shadow.in_force
            );
            let found = reasons::TTL_OVERRIDE.found(about, text);
            return Some(
                found
                    .seen(GAUGES, name, shadow.in_force)
                    .seen(CONFIG, name, stored),
            );
        }
        let limit = in_force(name, scene.gauges.as_ref()).unwrap_or(stored);
        if limit == 0 {
            let found = reasons::LIMIT_ZERO.found(about, format!("`{name}` is 0"));
            return Some(found.seen(CONFIG, name, limit).effect(effect));
        }
        // PD counts an operator by the first of its kinds.
        let is_counted = |kinds: &[String]| kinds.first().is_some_and(|first| first == kind);
        let operators = scene.operators.iter();
        let running = operators.filter(|one| is_counted(&one.kinds)).count() as u64;
        (running >= limit).then(|| {
            let text = format!("{running} operators run, and `{name}` is {limit}");
            let found = reasons::LIMIT_USED_UP.found(about, text);
            found
                .seen(OPERATORS, kind, running)
                .seen(CONFIG, name, limit)
        })
    });
    limits.collect()
}
