//! What is in the way of everything.

use action_core::Finding;
use pd_client::schedulers::{PausedScheduler, SchedulerDiagnostic};

use crate::facts::bounded_text::bounded;
use crate::facts::settings_in_force::{OVERRIDES, overriding};
use crate::observations::findings::{
    CONFIG, drain_batch_zero, halted, left_schedulers, location_replacement_off, maintenance,
    patrol_long, paused_checker, paused_scheduler, removed_scheduler, too_few_stores,
    unsafe_recovery, unsatisfiable_rules,
};
use crate::observations::reasons;
use crate::observations::why::question::Moving;
use crate::observations::why::snapshot::WhySnapshot;

const OPERATORS: &str = "GET /pd/api/v1/operators";

pub(super) fn findings(snapshot: &WhySnapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    if snapshot.config.schedule.halt_scheduling {
        findings.push(halted());
    }
    findings.extend(unsafe_recovery(&snapshot.recovery));
    findings.extend(limits(snapshot));
    findings.extend(settings(snapshot));
    // A drain and an offline need no balancing.
    let is_emptied = snapshot.is_on_emptied();
    let is_needed = |name: &str| match snapshot.from {
        Some(_) => !name.starts_with("balance-"),
        None => !(is_emptied && name.starts_with("balance-region")),
    };
    let moves = |one: &&PausedScheduler| is_about(snapshot, &one.name) && is_needed(&one.name);
    let paused = snapshot.paused.iter().filter(moves);
    findings.extend(paused.map(|one| paused_scheduler(one, snapshot.now)));
    let removed = snapshot.removed.iter().filter(|name| {
        let balances = name.starts_with("balance-leader") || name.starts_with("balance-region");
        balances && is_needed(name) && is_about(snapshot, name)
    });
    findings.extend(removed.map(|name| removed_scheduler(name)));
    let checkers = snapshot.paused_checkers.iter();
    findings.extend(checkers.map(|checker| paused_checker(checker.name())));
    // Leaders do not wait for checkers, and balancing does not either.
    if snapshot.what.replicas() || snapshot.merge.is_some() {
        findings.extend(patrol_long(&snapshot.patrol));
    }
    findings.extend(snapshot.drain_batch.clone().map(drain_batch_zero));
    findings.extend(snapshot.maintenance.as_ref().map(maintenance));
    findings
}

/// What holds for the whole cluster, by configuration.
fn settings(snapshot: &WhySnapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_all = snapshot.is_about_all();
    if snapshot.what.replicas() {
        findings.extend(too_few_stores(&snapshot.config, &snapshot.stores));
        let asked = snapshot
            .region
            .as_ref()
            .and_then(|(_, asked)| asked.as_ref());
        if let Some(rules) = asked.and_then(|asked| asked.rules.as_deref()) {
            let (config, stores) = (&snapshot.config, &snapshot.stores);
            findings.extend(unsatisfiable_rules(Some(rules), config, stores));
        }
        if snapshot.from.is_none() {
            findings.extend(location_replacement_off(&snapshot.config));
        }
    }
    // What is granted is told of the store or the region that it is about.
    let left = left_schedulers(&snapshot.config.schedule, |name| {
        is_all || (name.starts_with("shuffle-") && shuffles(snapshot, name))
    });
    findings.extend(left);
    findings.extend(snapshot.diagnosis.as_ref().and_then(throttled_scheduler));
    findings
}

/// Whether a scheduler moves at random what was asked about, and moves it back as well.
fn shuffles(snapshot: &WhySnapshot, name: &str) -> bool {
    if name.starts_with("shuffle-leader") {
        snapshot.what.leaders()
    } else if name.starts_with("shuffle-region") {
        snapshot.what.replicas()
    } else {
        // Hot regions, of both kinds.
        snapshot.merge.is_none()
    }
}

/// The words of PD's for stores that have used up their limit.
const THROTTLED: [&str; 2] = ["StoreAddPeerThrottled", "StoreRemovePeerThrottled"];

/// What PD says of a scheduler that finds the stores' limits used up.
fn throttled_scheduler(diagnosis: &SchedulerDiagnostic) -> Option<Finding> {
    let says = |word: &&str| diagnosis.summary.contains(*word);
    THROTTLED.iter().any(says).then(|| {
        let (name, summary) = (bounded(&diagnosis.name), bounded(&diagnosis.summary));
        let text = format!("`{name}` creates no operators; PD says: {summary}");
        let found = reasons::SCHEDULER_THROTTLED.found(format!("scheduler/{name}"), text);
        let source = format!("GET /pd/api/v1/schedulers/diagnostic/{name}");
        found.seen(source, "summary", summary)
    })
}

/// Whether a scheduler of this name moves what was asked about.
fn is_about(snapshot: &WhySnapshot, name: &str) -> bool {
    let is_for_leaders = name.contains("leader");
    if snapshot.merge.is_some() {
        return name == "all";
    }
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
    // What empties a store is the rule checker, whose operators count as those of replicas.
    let is_emptied = snapshot.is_emptied();
    if snapshot.what.leaders() && !is_emptied {
        let limit = schedule.leader_schedule_limit;
        limits.push(("leader-schedule-limit", "leader", limit));
    }
    if snapshot.what.replicas() {
        if !is_emptied && !snapshot.is_on_emptied() {
            let limit = schedule.region_schedule_limit;
            limits.push(("region-schedule-limit", "region", limit));
        }
        let limit = schedule.replica_schedule_limit;
        limits.push(("replica-schedule-limit", "replica", limit));
    }
    if snapshot.is_about_all() && snapshot.what == Moving::Anything {
        let limit = schedule.hot_region_schedule_limit;
        limits.push(("hot-region-schedule-limit", "hot-region", limit));
        let limit = schedule.merge_schedule_limit;
        limits.push(("merge-schedule-limit", "merge", limit));
    } else if snapshot.merge.is_some() {
        let limit = schedule.merge_schedule_limit;
        limits.push(("merge-schedule-limit", "merge", limit));
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
            let text = format!("{running} operators are running, and `{name}` is {limit}");
            let found = reasons::LIMIT_USED_UP.found(about, text);
            found
                .seen(OPERATORS, kind, running)
                .seen(CONFIG, name, limit)
        })
    });
    limits.collect()
}
