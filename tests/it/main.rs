//! The whole system from outside: registry, guard, subject, client, against the simulated PD
//! always, and against a real one when `PD_ENDPOINTS` is set.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a panic is how a test fails, a skipped test says why, and the test of crashes what it counted"
)]

mod adversary;
mod allocations;
mod crash;
mod databases;
mod faults;
mod live;
mod main_job;
mod real_etcd;
mod several_clusters;
mod two_systems;
mod workflows;

use std::time::Duration;

use action_core::ActionRegistry;
use action_guard::{
    Actor, Decider, FileJournal, Guard, Mode, Proposal, Record, Request, Standing, Waits,
};
use operator_tikv::Tikv;
use serde_json::Value;
use tempfile::TempDir;

/// A guard over the TiKV actions of a cluster, and the directory of its journal.
async fn guard(endpoints: &str) -> (Guard, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let guard = guard_in(endpoints, &directory);
    let person: Actor = "user:ana".parse().unwrap();
    let controls = guard.controls();
    let mode = controls.set_mode(Mode::Execute, Decider::claimed(&person), "a test");
    mode.await.unwrap();
    (guard, directory)
}

fn registry(endpoints: &str) -> ActionRegistry {
    let mut registry = ActionRegistry::new();
    let pd = pd_client::Client::new(endpoints).unwrap();
    registry.register(Tikv::new(pd)).unwrap();
    registry
}

fn guard_in(endpoints: &str, directory: &TempDir) -> Guard {
    let registry = registry(endpoints);
    let journal = FileJournal::open(directory.path()).unwrap();
    Guard::new(registry, journal).settle_for(Duration::ZERO)
}

/// What is in the journal, but for the mode.
async fn records(guard: &Guard) -> Vec<Record> {
    let entries = guard.journal().entries(0, 1_000).await.unwrap();
    let records = entries.into_iter().map(|entry| entry.record);
    records.filter(|record| !record.is_switch()).collect()
}

async fn propose(guard: &Guard, action: &str, parameters: Value) -> Proposal {
    let request = Request::new(action, parameters, "system");
    match guard.propose(request).await.unwrap() {
        Standing::Allowed(proposal)
        | Standing::Waits(Waits { proposal, .. })
        | Standing::RefusedByPlan { proposal, .. } => proposal,
        other => unreachable!("{other:?}"),
    }
}
