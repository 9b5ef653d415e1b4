//! Findings about PD as a whole, which more than one observation gives.

// length: findings that more than one observation gives, a function each.

use action_core::Finding;
use pd_client::maintenance::MaintenanceTask;
use pd_client::schedulers::PausedScheduler;
use pd_client::unsafe_recovery::UnsafeRecovery;

use crate::cluster::Tikv;
use crate::facts::bounded_text::bounded;
use crate::facts::pd_clock::{PdTime, unix_ms};
use crate::mutations::scheduler_pause::ResumeScheduler;
use crate::observations::list_schedulers;
use crate::observations::reasons;
use crate::parameters::scheduler_name::SchedulerName;

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
        reasons::UNSAFE_RECOVERY.found("cluster", format!("an unsafe recovery runs: {info}"));
    Some(found.seen(source, "stage", info))
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
