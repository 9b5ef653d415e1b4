//! Workflows carried out on a plant.

use std::time::Duration;

use action_core::OutcomeKind;
use action_guard::{
    AttemptState, Decider, Ending, FlowEvent, Guard, GuardError, MemoryJournal, Phase, Refusal,
    StopCode, WaitPolicy, Waiting, Workflows,
};
use serde_json::json;

use crate::fixtures::actor;
use crate::test_workflow_subject::{Becomes, Plant};
use crate::workflow_fixtures::{
    Fixture, PEOPLE, document, execute, failure, fixture, fixture_under, open, stopped,
};

#[tokio::test]
async fn steps_are_done_in_order_and_each_is_sent_once() {
    let fixture = fixture().await;
    {
        let mut plant = fixture.plant.lock();
        (plant.pressure, plant.falls_by) = (5, 1);
    }
    let id = fixture.start(document()).await;
    assert!(fixture.plant.sent().is_empty(), "to start sends nothing");
    let mut events = Vec::new();
    let mut watch = |event| events.push(event);
    let night = actor("agent:night");
    let run = fixture
        .workflows
        .run(&id, &night, WaitPolicy::UntilPeople, &mut watch);
    let run = run.await.unwrap();
    let waiting = &run.next_steps.waiting[..];
    assert!(
        matches!(waiting, [Waiting::Confirmation { step, .. }] if step == "look"),
        "{waiting:?}"
    );
    assert_eq!(fixture.plant.sent(), ["open a"]);
    // 5, 4, 3 are too much; 2 and 1 are two in a row.
    assert_eq!(fixture.plant.lock().readings, 5);
    let not_yet = events
        .iter()
        .filter(|event| matches!(event, FlowEvent::NotYet { .. }));
    assert_eq!(not_yet.count(), 4);

    let ana = actor("user:ana");
    let early = fixture
        .workflows
        .confirm(&id, "open-b", Decider::claimed(&ana), None)
        .await;
    assert!(matches!(
        early,
        Err(GuardError::Refused(Refusal::Flow { .. }))
    ));
    let note = Some("b is fine".to_owned());
    fixture
        .workflows
        .confirm(&id, "look", Decider::claimed(&ana), note)
        .await
        .unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Completed), "{run:?}");
    assert_eq!(fixture.plant.sent(), ["open a", "open b", "close a"]);
    assert_eq!(fixture.plant.open(), ["b"]);
    let state = fixture.guard.state().await.unwrap();
    let effects: Vec<_> = state
        .effects
        .values()
        .map(|effect| effect.key.as_str())
        .collect();
    assert_eq!(effects, ["open/b"]);
    let asked = state
        .ended
        .iter()
        .map(|status| status.proposal.request.clone());
    let asked: Vec<_> = asked.collect();
    assert!(asked.iter().all(|request| request.actor == "agent:night"));
    assert_eq!(asked[0].reason.as_deref(), Some("step `open-a`: it is due"));
    fixture.guard.journal().verify().await.unwrap();
}

#[tokio::test]
async fn approval_is_waited_for_without_holding_anything() {
    let fixture = fixture_under(Some(PEOPLE)).await;
    let id = fixture.start(open(&["a", "b"])).await;
    let run = fixture.run(&id).await;
    let [Waiting::Approval { step, proposal }] = &run.next_steps.waiting[..] else {
        unreachable!("{run:?}");
    };
    assert_eq!(step, "open-a");
    // Again there is one proposal, and it waits.
    assert_eq!(fixture.run(&id).await.next_steps, run.next_steps);
    let state = fixture.guard.state().await.unwrap();
    assert_eq!((state.open.len(), state.unsettled().count()), (1, 0));

    let status = fixture.guard.proposal_status(proposal).await.unwrap();
    let ben = actor("user:ben");
    let controls = fixture.guard.controls();
    let approved = controls.approve(
        proposal,
        &status.proposal.plan_hash,
        Decider::claimed(&ben),
        None,
    );
    approved.await.unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(fixture.plant.sent(), ["open a"]);
    let [Waiting::Approval { step, proposal }] = &run.next_steps.waiting[..] else {
        unreachable!("{run:?}");
    };
    assert_eq!(step, "open-b");
    controls.reject(proposal, &ben, "not today").await.unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(
        (stopped(&run), failure(&run, "open-b").as_str()),
        (StopCode::Failed, "rejected")
    );
    assert_eq!(fixture.plant.sent(), ["open a"]);
}

#[tokio::test]
async fn only_what_did_not_happen_and_may_is_tried_again_and_not_for_ever() {
    let fixture = fixture().await;
    let mut document = open(&["a", "b"]);
    document["steps"][0]["retry"] = json!({"times": 2, "first": "10ms", "longest": "20ms"});
    document["steps"][1]["retry"] = document["steps"][0]["retry"].clone();
    fixture.plant.next([Becomes::Busy, Becomes::Busy]);
    let id = fixture.start(document.clone()).await;
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Completed));
    assert_eq!(
        fixture.plant.sent(),
        ["open a", "open a", "open a", "open b"]
    );

    let fixture = self::fixture().await;
    fixture
        .plant
        .next([Becomes::Busy, Becomes::Busy, Becomes::Busy]);
    let id = fixture.start(document.clone()).await;
    let run = fixture.run(&id).await;
    assert_eq!(stopped(&run), StopCode::Failed);
    assert_eq!(fixture.plant.sent().len(), 3);
    // A person lets it go on.
    let ana = actor("user:ana");
    fixture
        .workflows
        .resume(&id, &ana, "it has time now")
        .await
        .unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Completed));
    assert_eq!(run.flow.steps["open-a"].forward.count, 4);

    let fixture = self::fixture().await;
    fixture.plant.next([Becomes::Refused]);
    let id = fixture.start(document).await;
    let run = fixture.run(&id).await;
    assert_eq!(stopped(&run), StopCode::Failed);
    assert_eq!(fixture.plant.sent(), ["open a"]);
}

#[tokio::test]
async fn after_an_unknown_outcome_nothing_goes_on_until_it_is_known() {
    let fixture = fixture().await;
    let mut document = open(&["a", "b"]);
    document["steps"][0]["retry"] = json!({"times": 5, "first": "1ms", "longest": "1ms"});
    // Also a step that does not need it stays where it is.
    document["steps"][1]["needs"] = json!([]);
    fixture.plant.next([Becomes::Lost]);
    let id = fixture.start(document).await;
    let run = fixture.run(&id).await;
    assert_eq!(stopped(&run), StopCode::Unknown);
    let proposal = run.next_steps.stopped.unwrap().proposal.unwrap();
    assert_eq!(
        fixture
            .guard
            .proposal_status(&proposal)
            .await
            .unwrap()
            .phase,
        Phase::Unknown
    );
    for _ in 0..2 {
        assert_eq!(stopped(&fixture.run(&id).await), StopCode::Unknown);
    }
    let ana = actor("user:ana");
    let resumed = fixture.workflows.resume(&id, &ana, "go on").await;
    assert!(
        matches!(resumed, Err(GuardError::Refused(Refusal::Flow { .. }))),
        "{resumed:?}"
    );
    assert_eq!(fixture.plant.sent(), ["open a"]);

    // It has not happened and no longer can: it is sent again.
    fixture.plant.lock().lost_for_good = true;
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Completed));
    // The other step needs nothing of it, and may come while it waits to be tried again.
    let mut sent = fixture.plant.sent();
    sent.sort_unstable();
    assert_eq!(sent, ["open a", "open a", "open b"]);
}

/// Something in between may still hand it on: twice would be too often.
#[tokio::test]
async fn what_was_not_answered_is_not_tried_again_before_somebody_has_looked() {
    let fixture = fixture().await;
    let mut document = open(&["a", "b"]);
    document["steps"][0]["retry"] = json!({"times": 5, "first": "1ms", "longest": "1ms"});
    fixture.plant.next([Becomes::Unanswered]);
    fixture.plant.lock().lost_for_good = true;
    let id = fixture.start(document).await;
    for _ in 0..2 {
        let run = fixture.run(&id).await;
        assert_eq!(
            (stopped(&run), failure(&run, "open-a").as_str()),
            (StopCode::Failed, "lost")
        );
        assert_eq!(fixture.plant.sent(), ["open a"]);
    }
    let ana = actor("user:ana");
    let resumed = fixture.workflows.resume(&id, &ana, "nothing holds it");
    resumed.await.unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Completed));
    assert_eq!(fixture.plant.sent(), ["open a", "open a", "open b"]);
}

#[tokio::test]
async fn two_processes_at_one_workflow_send_each_step_once() {
    let plant = Plant::new();
    let journal = MemoryJournal::new();
    let other = Guard::new(plant.registry(), journal.another_instance()).settle_for(Duration::ZERO);
    let guard = Guard::new(plant.registry(), journal).settle_for(Duration::ZERO);
    execute(&guard).await;
    let fixture = Fixture {
        plant,
        workflows: Workflows::new(guard.clone()),
        guard,
    };
    let valves = ["a", "b", "c", "d", "e", "f"];
    let id = fixture.start(open(&valves)).await;
    let other = Workflows::new(other);
    let (one, two) = tokio::join!(
        async {
            fixture
                .workflows
                .run(
                    &id,
                    &actor("agent:night"),
                    WaitPolicy::UntilEnded,
                    &mut |_| {},
                )
                .await
        },
        async {
            other
                .run(
                    &id,
                    &actor("agent:night"),
                    WaitPolicy::UntilEnded,
                    &mut |_| {},
                )
                .await
        },
    );
    assert_eq!(one.unwrap().next_steps.ended, Some(Ending::Completed));
    assert_eq!(two.unwrap().next_steps.ended, Some(Ending::Completed));
    let expected: Vec<String> = valves.iter().map(|valve| format!("open {valve}")).collect();
    assert_eq!(fixture.plant.sent(), expected);
}

#[tokio::test]
async fn what_it_did_is_taken_back_in_reverse_and_nothing_that_is_not_its_own() {
    let fixture = fixture().await;
    let mut document = open(&["a", "b", "c", "d"]);
    document["steps"][1]["keep"] = true.into();
    let id = fixture.start(document).await;
    assert_eq!(
        fixture.run(&id).await.next_steps.ended,
        Some(Ending::Completed)
    );
    // Somebody closed c and opened it again for themselves.
    let c = fixture.guard.state().await.unwrap();
    let c = c
        .effects
        .values()
        .find(|effect| effect.key == "open/c")
        .unwrap();
    let ana = actor("user:ana");
    fixture
        .guard
        .controls()
        .release(&c.id, &ana, "it is ours now")
        .await
        .unwrap();
    let taken_back = fixture.workflows.compensate(&id, &ana, "it was wrong");
    taken_back.await.unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Compensated), "{run:?}");
    assert_eq!(fixture.plant.sent()[4..], ["close d", "close a"]);
    assert_eq!(fixture.plant.open(), ["b", "c"]);
    assert!(matches!(
        run.flow.steps["open-c"].back.state,
        AttemptState::Left { .. }
    ));
    let twice = fixture.workflows.compensate(&id, &ana, "again").await;
    assert!(twice.is_err());
}

#[tokio::test]
async fn an_unknown_outcome_stops_taking_back_too() {
    let fixture = fixture().await;
    let id = fixture.start(open(&["a", "b"])).await;
    fixture.run(&id).await;
    let ana = actor("user:ana");
    fixture
        .workflows
        .compensate(&id, &ana, "it was wrong")
        .await
        .unwrap();
    fixture.plant.next([Becomes::Lost]);
    let run = fixture.run(&id).await;
    assert_eq!(stopped(&run), StopCode::Unknown);
    assert_eq!(fixture.plant.sent()[2..], ["close b"]);
    let proposal = run.next_steps.stopped.unwrap().proposal.unwrap();
    fixture.plant.lock().open.remove("b");
    let ben = actor("user:ben");
    let controls = fixture.guard.controls();
    controls
        .resolve(&proposal, &ben, OutcomeKind::Applied, "I see it closed")
        .await
        .unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Compensated));
    assert_eq!(fixture.plant.sent()[2..], ["close b", "close a"]);
}
