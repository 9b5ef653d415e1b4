//! What is in the way of everything.

use action_core::Finding;
use pd_client::schedulers::PausedScheduler;

use crate::facts::settings_in_force::{OVERRIDES, overriding};
use crate::observations::findings::{
    CONFIG, halted, maintenance, paused_checker, paused_scheduler, removed_scheduler,
    unsafe_recovery,
};
use crate::observations::reasons;
use crate::observations::why::snapshot::WhySnapshot;

const OPERATORS: &str = "GET /pd/api/v1/operators";

pub(super) fn findings(snapshot: &WhySnapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    if snapshot.config.schedule.halt_scheduling {
        findings.push(halted());
    }
    findings.extend(unsafe_recovery(&snapshot.recovery));
    findings.extend(limits(snapshot));
    let moves = |one: &&PausedScheduler| is_about(snapshot, &one.name);
    let paused = snapshot.paused.iter().filter(moves);
    findings.extend(paused.map(|one| paused_scheduler(one, snapshot.now)));
    let removed = snapshot.removed.iter().filter(|name| {
        let balances = name.starts_with("balance-leader") || name.starts_with("balance-region");
        // A drain and an offline need no balancing.
        balances && snapshot.from.is_none() && is_about(snapshot, name)
    });
    findings.extend(removed.map(|name| removed_scheduler(name)));
    let checkers = snapshot.paused_checkers.iter();
    findings.extend(checkers.map(|checker| paused_checker(checker.name())));
    findings.extend(snapshot.maintenance.as_ref().map(maintenance));
    findings
}

/// Whether a scheduler of this name moves what was asked about.
fn is_about(snapshot: &WhySnapshot, name: &str) -> bool {
    let is_for_leaders = name.contains("leader");
    let is_for_both = name.contains("hot") || name == "all";
    if is_for_both {
        true
    } else if is_for_leaders {
        snapshot.what.leaders()
    } else {
        snapshot.what.replicas()
    }
}

/// The limits that matter, by PD's name and the kind of operators they count.
fn limits(snapshot: &WhySnapshot) -> Vec<Finding> {
    let schedule = &snapshot.config.schedule;
    let mut limits = Vec::new();
    if snapshot.what.leaders() {
        let limit = schedule.leader_schedule_limit;
        limits.push(("leader-schedule-limit", "leader", limit));
    }
    if snapshot.what.replicas() {
        let limit = schedule.region_schedule_limit;
        limits.push(("region-schedule-limit", "region", limit));
        let limit = schedule.replica_schedule_limit;
        limits.push(("replica-schedule-limit", "replica", limit));
    }
    let limits = limits.into_iter().filter_map(|(name, kind, stored)| {
        let about = format!("config/{name}");
        let effect = format!("config/schedule.{name}");
        let overriding = overriding(name, snapshot.overrides.as_ref());
        if let Some(in_force) = overriding.filter(|in_force| *in_force < stored) {
            let text = format!("`{name}` is {in_force} in force and {stored} stored");
            let found = reasons::TTL_OVERRIDE.found(about, text);
            let found = found.seen(OVERRIDES, name, in_force);
            return Some(found.seen(CONFIG, name, stored));
        }
        let limit = overriding.unwrap_or(stored);
        if limit == 0 {
            let found = reasons::LIMIT_ZERO.found(about, format!("`{name}` is 0"));
            return Some(found.seen(CONFIG, name, limit).effect(effect));
        }
        // PD counts an operator by the first of its kinds.
        let is_counted = |kinds: &[String]| kinds.first().is_some_and(|first| first == kind);
        let operators = snapshot.operators.iter();
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
