//! How often memory is asked for, on the thread that asks for the work: counts do not drift with the
//! machine or its load, so that they are tests. Time is measured by `cargo xtask bench`.

use std::time::Duration;

use action_guard::{Actor, Decider, FileJournal, Guard, Mode, Request};
use pd_client::{Client, RegionId};
use pd_sim::Sim;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::registry;

/// A simulated PD on threads of its own.
fn sim() -> (Runtime, Sim) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let sim = runtime.block_on(Sim::builder().start()).unwrap();
    (runtime, sim)
}

fn here() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// The count is within a tenth of what it was, either way: less is as much a reason to write the
/// new one down.
#[track_caller]
fn assert_near(what: &str, expected: u64, measured: impl FnOnce()) {
    let count = allocation_counter::measure(measured).count_total;
    let most = expected / 10 + 2;
    assert!(
        count.abs_diff(expected) <= most,
        "{what}: {count} allocations, {expected} are written down"
    );
}

#[test]
fn a_request_is_validated_in_few_allocations() {
    let registry = registry("http://127.0.0.1:1");
    let transfer = || json!({"region_id": 12, "to_store_id": "4"});
    registry.validate("transfer_leader", transfer()).unwrap();
    assert_near("a transfer_leader", 4, || {
        registry.validate("transfer_leader", transfer()).unwrap();
    });
    assert_near("a registry of all actions", 17_826, || {
        drop(self::registry("http://127.0.0.1:1"));
    });
}

#[test]
fn a_region_is_read_in_few_allocations() {
    let (_runtime, sim) = sim();
    let client = Client::new(sim.endpoint()).unwrap();
    let id = RegionId::new(sim.region_ids()[0]).unwrap();
    let here = here();
    let read = || {
        here.block_on(client.region(id)).unwrap().unwrap();
    };
    // The leader is looked for, and the connection made.
    read();
    assert_near("a region", 18, read);
}

#[test]
fn a_mutation_is_carried_out_in_few_allocations() {
    let (_runtime, sim) = sim();
    let here = here();
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    let guard = Guard::new(registry(sim.endpoint()), journal).settle_for(Duration::ZERO);
    let person: Actor = "user:ana".parse().unwrap();
    here.block_on(async {
        let controls = guard.controls();
        let decider = Decider::claimed(&person);
        controls
            .set_mode(Mode::Execute, decider, "a test")
            .await
            .unwrap();
    });
    let change = |limit: u64| {
        here.block_on(async {
            let parameters = json!({"limit": limit});
            let request = Request::new("set_leader_schedule_limit", parameters, person.as_str());
            let proposal = guard
                .propose(request)
                .await
                .unwrap()
                .into_proposal()
                .unwrap();
            guard
                .execute(&proposal, &person, &mut |_| {})
                .await
                .unwrap()
                .into_report()
                .unwrap();
        });
    };
    change(7);
    assert_near("a set_leader_schedule_limit", 955, || change(8));
}
