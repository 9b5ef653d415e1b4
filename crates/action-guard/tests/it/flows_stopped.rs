//! What stops a workflow, and who goes on with it.

use std::sync::Arc;
use std::time::Duration;

use action_core::Workflow;
use action_guard::{
    Decider, Ending, FlowEvent, Guard, GuardError, MemoryJournal, PolicyFile, Record, Refusal,
    StartOptions, StopCode, WaitPolicy, Waiting, Workflows,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::fixtures::actor;
use crate::test_workflow_subject::{Becomes, Plant};
use crate::workflow_fixtures::{
    Fixture, PEOPLE, document, execute, failure, fixture, fixture_under, open, stopped,
};

#[tokio::test]
async fn it_is_cancelled_at_the_next_step_and_what_was_sent_is_followed() {
    let fixture = fixture().await;
    let id = fixture.start(open(&["a", "b"])).await;
    fixture.plant.next([Becomes::Held]);
    let (workflows, own) = (fixture.workflows.clone(), id.clone());
    let running = tokio::spawn(async move {
        workflows
            .run(
                &own,
                &actor("agent:night"),
                WaitPolicy::UntilEnded,
                &mut |_| {},
            )
            .await
    });
    while fixture.plant.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    let ana = actor("user:ana");
    let flow = fixture.workflows.cancel(&id, &ana, "enough").await.unwrap();
    assert_eq!(flow.ended, None, "its mutation may still happen");
    fixture.plant.gate.add_permits(1);
    let run = running.await.unwrap().unwrap();
    assert_eq!(run.next_steps.ended, Some(Ending::Cancelled));
    assert_eq!(run.flow.applied, ["open-a"]);
    assert_eq!(fixture.plant.sent(), ["open a"]);
    // What it did is still its own to take back.
    fixture
        .workflows
        .compensate(&id, &ana, "all of it")
        .await
        .unwrap();
    assert_eq!(
        fixture.run(&id).await.next_steps.ended,
        Some(Ending::Compensated)
    );
    assert!(fixture.plant.open().is_empty());
}

#[tokio::test]
async fn the_kill_switch_and_the_mode_stop_it_and_taking_back_goes_on() {
    let fixture = fixture().await;
    let id = fixture.start(open(&["a", "b"])).await;
    fixture.plant.next([Becomes::Held]);
    let (workflows, own) = (fixture.workflows.clone(), id.clone());
    let running = tokio::spawn(async move {
        workflows
            .run(
                &own,
                &actor("agent:night"),
                WaitPolicy::UntilEnded,
                &mut |_| {},
            )
            .await
    });
    while fixture.plant.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    let ana = actor("user:ana");
    let controls = fixture.guard.controls();
    controls.stop(&ana, "smoke").await.unwrap();
    fixture.plant.gate.add_permits(1);
    assert_eq!(stopped(&running.await.unwrap().unwrap()), StopCode::Killed);
    assert_eq!(fixture.plant.sent(), ["open a"]);
    // Its lasting effects are its own, and may be taken back while everything is stopped.
    controls
        .reset(Decider::claimed(&ana), "it was steam")
        .await
        .unwrap();
    assert_eq!(stopped(&fixture.run(&id).await), StopCode::Observing);
    assert_eq!(fixture.plant.sent(), ["open a"]);
    controls.stop(&ana, "smoke again").await.unwrap();
    fixture
        .workflows
        .compensate(&id, &ana, "smoke")
        .await
        .unwrap();
    assert_eq!(
        fixture.run(&id).await.next_steps.ended,
        Some(Ending::Compensated)
    );
    assert_eq!(fixture.plant.sent(), ["open a", "close a"]);
}

#[tokio::test]
async fn it_begins_when_it_is_scheduled_and_not_too_late() {
    let fixture = fixture().await;
    let workflow = Workflow::read(&open(&["a"])).unwrap();
    let by = actor("agent:night");
    let later = Timestamp::now() + SignedDuration::from_hours(1);
    let options = StartOptions::default().scheduled_at(later);
    let flow = fixture
        .workflows
        .start(&workflow, &by, options)
        .await
        .unwrap();
    let run = fixture.run(&flow.id).await;
    assert_eq!(run.next_steps.waiting, [Waiting::Schedule { at: later }]);
    assert!(fixture.plant.sent().is_empty());

    let soon = Timestamp::now() + SignedDuration::from_millis(50);
    let options = StartOptions::default().scheduled_at(soon);
    let flow = fixture
        .workflows
        .start(&workflow, &by, options)
        .await
        .unwrap();
    let run = fixture.run_until_ended(&flow.id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Completed));
    assert!(Timestamp::now() >= soon);

    let past = Timestamp::now() - SignedDuration::from_secs(1);
    let options = StartOptions::default().begin_by(past);
    let flow = fixture
        .workflows
        .start(&workflow, &by, options)
        .await
        .unwrap();
    assert_eq!(stopped(&fixture.run(&flow.id).await), StopCode::Missed);
    assert_eq!(fixture.plant.sent(), ["open a"]);
}

#[tokio::test]
async fn what_is_waited_for_in_vain_is_given_up() {
    let fixture = fixture().await;
    let mut document = document();
    document["steps"][1]["within"] = "60ms".into();
    document["steps"][2]["within"] = "30ms".into();
    fixture.plant.lock().pressure = 9;
    let id = fixture.start(document).await;
    let run = fixture.run(&id).await;
    assert_eq!(
        (stopped(&run), failure(&run, "low").as_str()),
        (StopCode::Failed, "timed_out")
    );
    let reason = run.next_steps.stopped.unwrap().reason;
    assert!(
        reason.contains("`/pressure` is 9, not at most 2"),
        "{reason}"
    );
    fixture.plant.lock().pressure = 1;
    let ana = actor("user:ana");
    fixture
        .workflows
        .resume(&id, &ana, "the pressure is off")
        .await
        .unwrap();
    let run = fixture.run_until_ended(&id).await;
    assert_eq!(
        (stopped(&run), failure(&run, "look").as_str()),
        (StopCode::Failed, "timed_out")
    );
    let late = fixture
        .workflows
        .confirm(&id, "look", Decider::claimed(&ana), None)
        .await;
    assert!(late.is_err(), "it was given up");
}

#[tokio::test]
async fn what_is_so_already_is_not_its_doing_and_stops_it() {
    let fixture = fixture_under(Some(PEOPLE)).await;
    fixture.plant.lock().open.insert("a".to_owned());
    let id = fixture.start(open(&["a", "b"])).await;
    let run = fixture.run(&id).await;
    assert_eq!(
        (stopped(&run), failure(&run, "open-a").as_str()),
        (StopCode::Failed, "no_op")
    );
    let state = fixture.guard.state().await.unwrap();
    assert!(state.open.is_empty(), "nobody is asked to agree to it");
    let ana = actor("user:ana");
    fixture
        .workflows
        .compensate(&id, &ana, "stop it")
        .await
        .unwrap();
    assert_eq!(fixture.plant.open(), ["a"]);
}

#[tokio::test]
async fn it_goes_on_with_no_other_system() {
    let fixture = fixture().await;
    let id = fixture.start(open(&["a", "b"])).await;
    fixture.plant.lock().name = "plant 2".to_owned();
    let run = fixture.run(&id).await;
    assert_eq!(
        (stopped(&run), failure(&run, "open-a").as_str()),
        (StopCode::Failed, "other_system")
    );
    assert!(fixture.plant.sent().is_empty());
}

#[tokio::test]
async fn what_cannot_be_carried_out_is_not_started() {
    let fixture = fixture().await;
    let by = actor("agent:night");
    let unknown = json!({"title": "x", "steps": [{"id": "a", "action": "open_valv"}]});
    let secret = json!({"title": "x", "steps": [
        {"id": "a", "confirm": "ask https://ana:hunter2@plant/ first"},
    ]});
    for document in [unknown, secret] {
        let workflow = Workflow::read(&document).unwrap();
        let started = fixture
            .workflows
            .start(&workflow, &by, StartOptions::default())
            .await;
        assert!(
            matches!(started, Err(GuardError::Workflow(_))),
            "{started:?}"
        );
    }
    assert!(fixture.workflows.list().await.unwrap().is_empty());
    let made = fixture.workflows.make("read_gauge", json!({})).await;
    assert!(matches!(made, Err(GuardError::Workflow(_))), "{made:?}");
}

#[tokio::test]
async fn nobody_else_proposes_for_a_step() {
    let fixture = fixture().await;
    let id = fixture.start(open(&["a", "b"])).await;
    let forged = |valve: &str, step: &str, actor: &str, attempt: u32| {
        let parameters = json!({"valve": valve});
        let request = action_guard::Request::new("open_valve", parameters, actor);
        request.correlation_id(format!("flow/{id}/{step}/{attempt}"))
    };
    for request in [
        forged("b", "open-b", "agent:night", 1),
        forged("z", "open-a", "agent:night", 1),
        forged("a", "open-a", "agent:day", 1),
        forged("a", "open-a", "agent:night", 2),
        forged("a", "open-z", "agent:night", 1),
    ] {
        let refused = fixture.guard.propose(request.clone()).await;
        let is_refused = matches!(refused, Err(GuardError::Refused(Refusal::Flow { .. })));
        assert!(is_refused, "{request:?}");
    }
    assert!(fixture.guard.state().await.unwrap().open.is_empty());
}

/// All there is goes with its runtime and its guard, in the middle; another instance goes on.
#[test]
fn after_a_crash_anybody_goes_on_and_nothing_is_sent_twice() {
    let plant = Plant::new();
    let journal = MemoryJournal::new();
    let second = journal.another_instance();
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let first = runtime();
    let id = first.block_on(async {
        let guard = Guard::new(plant.registry(), journal).settle_for(Duration::ZERO);
        execute(&guard).await;
        let fixture = Fixture {
            plant: plant.clone(),
            workflows: Workflows::new(guard.clone()),
            guard,
        };
        fixture.start(open(&["a", "b", "c"])).await
    });
    assert!(plant.sent().is_empty());
    first.shutdown_timeout(Duration::from_secs(5));

    // This one dies with b on its way.
    let third = second.another_instance();
    let dying = runtime();
    dying.block_on(async {
        let workflows =
            Workflows::new(Guard::new(plant.registry(), second).settle_for(Duration::ZERO));
        let own = id.clone();
        let gate = plant.clone();
        let running = tokio::spawn(async move {
            let mut hold_second = move |event| {
                if matches!(&event, FlowEvent::Proposed { step, .. } if step == "open-b") {
                    gate.next([Becomes::Held]);
                }
            };
            workflows
                .run(
                    &own,
                    &actor("agent:night"),
                    WaitPolicy::UntilEnded,
                    &mut hold_second,
                )
                .await
        });
        while plant.sent().len() < 2 {
            tokio::task::yield_now().await;
        }
        assert!(!running.is_finished());
    });
    dying.shutdown_timeout(Duration::from_secs(5));
    assert_eq!(plant.sent(), ["open a", "open b"]);
    // It took effect all the same.
    plant.lock().open.insert("b".to_owned());

    runtime().block_on(async {
        let guard = Guard::new(plant.registry(), third).settle_for(Duration::ZERO);
        let workflows = Workflows::new(guard.clone());
        let run = workflows
            .run(
                &id,
                &actor("agent:night"),
                WaitPolicy::UntilEnded,
                &mut |_| {},
            )
            .await
            .unwrap();
        assert_eq!(run.next_steps.ended, Some(Ending::Completed), "{run:?}");
        assert_eq!(plant.sent(), ["open a", "open b", "open c"]);
        let entries = guard.journal().entries(0, 1_000).await.unwrap();
        let adopted = entries
            .iter()
            .filter(|entry| matches!(entry.record, Record::Adopted { .. }));
        assert_eq!(adopted.count(), 1);
    });
}

/// Whoever goes on with it is told, and nobody waits: the file is for whoever wrote it to mend.
#[tokio::test]
async fn a_policy_that_breaks_meanwhile_stops_it_and_a_right_one_lets_it_go_on() {
    let allows = "version = 1\n[[rule]]\nname = \"all\"\ndecision = \"allow\"\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    std::fs::write(&path, allows).unwrap();
    let mut fixture = fixture().await;
    let definitions = fixture.guard.catalogue().definitions().cloned().collect();
    let file = PolicyFile::open(&path, definitions).unwrap();
    fixture.guard = fixture.guard.clone().rules(Arc::new(file));
    fixture.workflows = Workflows::new(fixture.guard.clone());
    let id = fixture.start(open(&["a", "b"])).await;
    fixture.plant.next([Becomes::Held]);
    let (workflows, own) = (fixture.workflows.clone(), id.clone());
    let running = tokio::spawn(async move {
        let by = actor("agent:night");
        workflows
            .run(&own, &by, WaitPolicy::UntilEnded, &mut |_| {})
            .await
    });
    while fixture.plant.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    std::fs::write(&path, "version = ").unwrap();
    fixture.plant.gate.add_permits(1);
    let ended = running.await.unwrap();
    let is_told = matches!(ended, Err(GuardError::Refused(Refusal::RulesWrong { .. })));
    assert!(is_told, "{ended:?}");
    assert_eq!(fixture.plant.sent(), ["open a"]);
    std::fs::write(&path, allows).unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Completed));
    assert_eq!(fixture.plant.sent(), ["open a", "open b"]);
}
