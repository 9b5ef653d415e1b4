//! Stores drained one after the other: a whole workflow, stopped, crashed, gone on with, and taken
//! back.

use std::time::Duration;

use action_core::Workflow;
use action_guard::{
    Actor, Decider, Ending, Event, FlowEvent, FlowRun, Guard, Mode, Standing, StartOptions,
    StopCode, WaitPolicy, Waiting, Workflows,
};
use pd_sim::{Fault, Sim, Version};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{guard, guard_in};

/// Five stores, of which 1 and 2 are in zone a.
async fn zones() -> Sim {
    let sim = Sim::builder()
        .version(Version::V8_5)
        .stores(5)
        .regions(50)
        .seed(7)
        .heartbeat_interval(Duration::from_millis(500))
        .balance_leader(true)
        .start()
        .await
        .unwrap();
    // So few leaders are less than PD tolerates by default.
    assert!(sim.set_schedule("tolerant-size-ratio", 1.0));
    put(&sim, "/config", json!({"location-labels": "zone"})).await;
    for (store, zone) in [(1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "c")] {
        put(
            &sim,
            &format!("/store/{store}/label"),
            json!({"zone": zone}),
        )
        .await;
    }
    sim
}

async fn put(sim: &Sim, path: &str, body: Value) {
    let host = sim.endpoint().trim_start_matches("http://");
    let mut connection = tokio::net::TcpStream::connect(host).await.unwrap();
    let body = body.to_string();
    let request = format!(
        "POST /pd/api/v1{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn ana() -> Actor {
    "user:ana".parse().unwrap()
}

async fn start(workflows: &Workflows, workflow: &Workflow) -> String {
    let options = StartOptions::default().reason("new disks");
    let flow = workflows.start(workflow, &ana(), options).await.unwrap();
    flow.id.clone()
}

async fn rolling(workflows: &Workflows) -> String {
    let made = workflows.make("rolling_drain", json!({"label": "zone=a"}));
    start(workflows, &made.await.unwrap()).await
}

async fn run(workflows: &Workflows, id: &str) -> FlowRun {
    let mut nobody = |_| {};
    let ana = ana();
    let run = workflows.run(id, &ana, WaitPolicy::UntilPeople, &mut nobody);
    run.await.unwrap()
}

#[track_caller]
fn check_waits_for(run: &FlowRun, step: &str) {
    let waiting = &run.next_steps.waiting[..];
    let waits = matches!(waiting, [Waiting::Confirmation { step: waits, .. }] if waits == step);
    assert!(waits, "{:#?}", run.next_steps);
}

async fn confirm(workflows: &Workflows, id: &str, step: &str) {
    let note = Some("the disk is new".to_owned());
    let ana = ana();
    let confirmed = workflows.confirm(id, step, Decider::claimed(&ana), note);
    confirmed.await.unwrap();
}

/// The writes that began or ended drains.
fn drains(sim: &Sim) -> Vec<String> {
    let writes = sim.writes().into_iter();
    let of_drains = writes.filter(|write| write.path.starts_with("/schedulers"));
    of_drains
        .map(|write| match write.method.as_str() {
            "POST" => {
                let body: Value = serde_json::from_str(&write.body).unwrap();
                format!("drain {}", body["store_id"])
            }
            _ => format!("stop {}", write.path.rsplit('-').next().unwrap()),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_are_drained_one_after_the_other_and_lead_again() {
    let sim = zones().await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let workflows = Workflows::new(guard.clone());
    let before = [sim.leader_count(1), sim.leader_count(2)];
    assert!(before.iter().all(|leaders| *leaders > 0));
    let id = rolling(&workflows).await;

    let first = run(&workflows, &id).await;
    check_waits_for(&first, "work-1");
    assert_eq!((sim.evicting(), sim.leader_count(1)), (vec![1], 0));
    // Nobody has confirmed: it stays there.
    check_waits_for(&run(&workflows, &id).await, "work-1");
    confirm(&workflows, &id, "work-1").await;

    let second = run(&workflows, &id).await;
    check_waits_for(&second, "work-2");
    assert_eq!((sim.evicting(), sim.leader_count(2)), (vec![2], 0));
    assert!(
        sim.leader_count(1) * 100 >= before[0] * 80,
        "next too early"
    );
    confirm(&workflows, &id, "work-2").await;

    let done = run(&workflows, &id).await;
    assert_eq!(done.next_steps.ended, Some(Ending::Completed), "{done:#?}");
    assert!(sim.evicting().is_empty());
    assert!(sim.leader_count(2) * 100 >= before[1] * 80);
    assert_eq!(drains(&sim), ["drain 1", "stop 1", "drain 2", "stop 2"]);
    let state = guard.state().await.unwrap();
    assert!(state.effects.is_empty() && state.open.is_empty());
    guard.journal().verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_in_the_middle_stops_it_until_it_is_known() {
    let sim = zones().await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let workflows = Workflows::new(guard.clone());
    let id = rolling(&workflows).await;
    // A reply that is lost is no trouble: what happened is read.
    sim.fault(Fault::reply_lost_after_apply("POST", "/schedulers"));
    check_waits_for(&run(&workflows, &id).await, "work-1");
    assert_eq!(drains(&sim), ["drain 1"]);
    confirm(&workflows, &id, "work-1").await;
    // Whose the drain is is not known, so a person takes it back before it goes on.
    let stop = run(&workflows, &id).await.next_steps.stopped.unwrap();
    assert!(stop.reason.starts_with("whose_unknown: "), "{stop:?}");
    assert_eq!(
        (stop.code, stop.step.as_deref()),
        (StopCode::Failed, Some("drain-1"))
    );
    assert_eq!(drains(&sim), ["drain 1"]);
    let first = stop.proposal.unwrap();
    let undo = guard.propose_undo(&first, &ana(), "it is ours").await;
    let undo = undo.unwrap().into_proposal().unwrap();
    let undone = guard.execute(&undo, &ana(), &mut |_| {}).await.unwrap();
    assert!(matches!(undone, Standing::Applied(_)), "{undone:?}");

    // Somebody stops following the second drain as soon as it is accepted.
    let calls_off = guard.clone();
    let mut watch = move |event| {
        if let FlowEvent::Mutation { step, seen } = event
            && step == "drain-2"
            && matches!(*seen, Event::Accepted(_))
        {
            let guard = calls_off.clone();
            tokio::spawn(async move {
                let state = guard.state().await.unwrap();
                let status = state.unsettled().next().unwrap();
                let ana = ana();
                let cancelled = guard.cancel(&status.proposal.id, &ana, "I have to go");
                cancelled.await.unwrap();
            });
        }
    };
    let by = ana();
    let stopped = workflows.run(&id, &by, WaitPolicy::UntilEnded, &mut watch);
    let stopped = stopped.await.unwrap();
    let stop = stopped.next_steps.stopped.unwrap();
    assert_eq!(
        (stop.code, stop.step.as_deref()),
        (StopCode::Unknown, Some("drain-2"))
    );
    assert!(stopped.next_steps.ready.is_empty());
    assert_eq!(drains(&sim), ["drain 1", "stop 1", "drain 2"]);
    let resumed = workflows.resume(&id, &ana(), "go on").await;
    assert!(
        resumed.is_err(),
        "the workflow is stopped until it is known"
    );

    // It has happened: that is found, and not sent again.
    check_waits_for(&run(&workflows, &id).await, "work-2");
    assert_eq!(drains(&sim), ["drain 1", "stop 1", "drain 2"]);
}

/// A process that dies takes its tasks, its guard and its lock with it.
#[test]
fn after_a_crash_in_the_middle_another_process_goes_on() {
    let world = tokio::runtime::Runtime::new().unwrap();
    let sim = world.block_on(zones());
    let directory = tempfile::tempdir().unwrap();
    let dying = tokio::runtime::Runtime::new().unwrap();
    let id = dying.block_on(async {
        let guard = guard_in(sim.endpoint(), &directory);
        let ana = ana();
        let controls = guard.controls();
        let mode = controls.set_mode(Mode::Execute, Decider::claimed(&ana), "a test");
        mode.await.unwrap();
        let workflows = Workflows::new(guard);
        let id = rolling(&workflows).await;
        let own = id.clone();
        // Its first drain is on its way.
        let (told, tell) = tokio::sync::oneshot::channel();
        let mut told = Some(told);
        tokio::spawn(async move {
            let mut watch = |event| {
                if let FlowEvent::Mutation { seen, .. } = event
                    && matches!(*seen, Event::Accepted(_))
                    && let Some(told) = told.take()
                {
                    told.send(()).unwrap();
                }
            };
            workflows
                .run(&own, &ana, WaitPolicy::UntilEnded, &mut watch)
                .await
        });
        tell.await.unwrap();
        id
    });
    dying.shutdown_timeout(Duration::from_secs(10));

    world.block_on(async {
        let guard = guard_in(sim.endpoint(), &directory);
        let state = guard.state().await.unwrap();
        assert_eq!(state.unsettled().count(), 1, "it was open when it died");
        let workflows = Workflows::new(guard.clone());
        check_waits_for(&run(&workflows, &id).await, "work-1");
        assert_eq!(drains(&sim), ["drain 1"]);
        drop((guard, workflows));

        // And another one, after everything is at rest.
        let guard = guard_in(sim.endpoint(), &directory);
        let workflows = Workflows::new(guard.clone());
        confirm(&workflows, &id, "work-1").await;
        check_waits_for(&run(&workflows, &id).await, "work-2");
        assert_eq!(drains(&sim), ["drain 1", "stop 1", "drain 2"]);
        guard.journal().verify().await.unwrap();
    });
}

/// Two drains at once, which somebody wants back.
fn two_drains() -> Workflow {
    let drain = |store: u64| {
        let store = store.to_string();
        json!({"id": format!("drain-{store}"), "action": "drain_store", "parameters": {"store_id": store}})
    };
    let document = json!({
        "title": "drain two",
        "steps": [drain(1), drain(2), {"id": "work", "confirm": "Do it."}],
    });
    Workflow::read(&document).unwrap()
}

async fn take_back(guard: &Guard, id: &str) -> FlowRun {
    let workflows = Workflows::new(guard.clone());
    let ana = ana();
    let wanted = workflows.compensate(id, &ana, "not today");
    wanted.await.unwrap();
    run(&workflows, id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn drains_are_taken_back_the_last_first() {
    let sim = zones().await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let workflows = Workflows::new(guard.clone());
    let id = start(&workflows, &two_drains()).await;
    check_waits_for(&run(&workflows, &id).await, "work");
    assert_eq!(sim.evicting(), [1, 2]);
    let back = take_back(&guard, &id).await;
    assert_eq!(
        back.next_steps.ended,
        Some(Ending::Compensated),
        "{back:#?}"
    );
    assert_eq!(drains(&sim), ["drain 1", "drain 2", "stop 2", "stop 1"]);
    assert!(sim.evicting().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_somebody_else_stopped_is_left_alone() {
    let sim = zones().await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let workflows = Workflows::new(guard.clone());
    let id = start(&workflows, &two_drains()).await;
    run(&workflows, &id).await;
    let by_hand = pd_client::Client::new(sim.endpoint()).unwrap();
    let stopped = by_hand.remove_evict_leader(pd_client::StoreId::new(2).unwrap());
    stopped.await.unwrap();
    let back = take_back(&guard, &id).await;
    assert_eq!(
        back.next_steps.ended,
        Some(Ending::Compensated),
        "{back:#?}"
    );
    assert_eq!(drains(&sim), ["drain 1", "drain 2", "stop 2", "stop 1"]);
    assert!(sim.evicting().is_empty());
}
