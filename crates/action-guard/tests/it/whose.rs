//! What may be another's, because its request was not answered, is for a person to take back.

use std::time::Duration;

use action_core::OutcomeKind;
use action_guard::{
    AttemptState, Ending, FlowEvent, Guard, GuardError, Phase, Proposal, Reaped, Record, Refusal,
    Report, Request, StopCode, WaitPolicy,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

use crate::fixtures::{actor, intent_of, unknown, write};
use crate::guard_fixture::{Asked as _, Workbench, ana, done, execute, hold, proposed, turn};
use crate::recovery::begun;
use crate::test_subject::{Behaviour, Dial, NAMELESS};
use crate::test_workflow_subject::Becomes;
use crate::workflow_fixtures::{Fixture, document, fixture, open, stopped};

/// Held by who does not say who they are.
fn held() -> Dial {
    Dial {
        held: true,
        by: NAMELESS.to_owned(),
        ..Dial::default()
    }
}

/// A hold whose request was lost, while somebody else asked for the same. Its lease is over.
async fn lost_and_done_by_another(bench: &Workbench, guard: &Guard) -> Report {
    bench.server.behave(Behaviour {
        silent: true,
        forgets: true,
        ..Behaviour::default()
    });
    bench.server.turn_by_hand("x", held());
    let report = done(guard, hold("x").lease(Duration::ZERO)).await;
    bench.server.behave(Behaviour::default());
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert!(report.outcome.may_be_anothers(), "{report:?}");
    report
}

#[track_caller]
fn is_for_a_person(error: &GuardError, id: &str) {
    assert!(
        matches!(error, GuardError::Refused(Refusal::WhoseUnknown { id: of }) if of == id),
        "{error}"
    );
    assert!(
        error.to_string().contains(&format!("`undo {id}`")),
        "{error}"
    );
}

#[tokio::test]
async fn what_may_be_anothers_only_a_persons_own_undo_takes_back() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let first = lost_and_done_by_another(&bench, &guard).await;
    let night = actor("agent:night");

    for who in [&night, &actor("agent:other"), &actor("system")] {
        let undo = guard.propose_undo(&first.id, who, "mine").await;
        is_for_a_person(&undo.unwrap_err(), &first.id);
        let draft = guard.draft_undo(&first.id, who, "mine").await;
        is_for_a_person(&draft.unwrap_err(), &first.id);
    }
    // Who takes back what was last does not say which.
    let last = guard
        .draft_undo_of_ours(&first.id, &ana(), "the last")
        .await;
    is_for_a_person(&last.unwrap_err(), &first.id);
    let all = guard.reap(&mut |_| {}).await.unwrap();
    let [Reaped::Left { why, .. }] = &all[..] else {
        unreachable!("{all:?}");
    };
    assert!(
        why.starts_with("its lease has expired; the request"),
        "{why}"
    );

    assert_eq!(bench.server.senders("x"), [&*first.id]);
    let list = guard.state().await.unwrap().in_force(Timestamp::now());
    assert_eq!(list.len(), 1);
    assert!(list[0].whose_unknown && list[0].lease_over && list[0].confirmed);
    let ours = done(&guard, hold("y")).await;
    let state = guard.state().await.unwrap();
    assert!(state.is_whose_unknown(&first.id));
    assert!(!state.is_whose_unknown(&ours.id) && !state.is_whose_unknown("another"));
    let given_up = guard.controls().release(&ours.id, &night, "enough").await;
    given_up.unwrap();

    let undo = guard.propose_undo(&first.id, &ana(), "not theirs").await;
    let report = execute(&guard, &undo.unwrap().asked()).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert!(!bench.server.dial("x").held);
    assert!(guard.state().await.unwrap().effects.is_empty());
}

/// What is long over in the journal as well.
#[tokio::test]
async fn what_may_be_anothers_stays_so_when_it_ended_long_ago() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let first = lost_and_done_by_another(&bench, &guard).await;
    for value in 0..40 {
        done(&guard, turn("y", value)).await;
    }
    let state = guard.state().await.unwrap();
    assert!(state.proposal_status(&first.id).is_none());
    let undo = guard
        .propose_undo(&first.id, &actor("agent:night"), "mine")
        .await;
    is_for_a_person(&undo.unwrap_err(), &first.id);
    guard
        .propose_undo(&first.id, &ana(), "not theirs")
        .await
        .unwrap()
        .asked();
}

/// Nobody answered, and what it did shows whose it is.
#[tokio::test]
async fn what_shows_that_it_is_ours_is_taken_back_by_who_asked_for_it() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    bench.server.behave(Behaviour {
        silent: true,
        ..Behaviour::default()
    });
    let first = done(&guard, hold("x")).await;
    assert!(!first.outcome.may_be_anothers(), "{first:?}");
    bench.server.behave(Behaviour::default());
    assert!(!guard.state().await.unwrap().is_whose_unknown(&first.id));
    let night = actor("agent:night");
    let undo = guard
        .propose_undo(&first.id, &night, "mine")
        .await
        .unwrap()
        .asked();
    guard
        .execute(&undo, &night, &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert!(!bench.server.dial("x").held);
}

/// Nobody answered, and how it ended is not known either; whether or not it leaves something in
/// force.
#[tokio::test]
async fn what_is_in_flight_and_not_known_to_be_ours_is_for_a_person() {
    for (request, is_unknown) in [
        (hold("x"), true),
        (turn("x", 4), true),
        (turn("x", 4), false),
    ] {
        let bench = Workbench::new().await;
        let within = SignedDuration::from_mins(10);
        let (guard, first, sender) = begun(&bench, request, within).await;
        if is_unknown {
            write(&sender, [unknown(&first.id)]).await.unwrap();
        }
        bench.server.turn_by_hand("x", held());
        let night = actor("agent:night");
        let undo = guard.propose_undo(&first.id, &night, "mine").await;
        is_for_a_person(&undo.unwrap_err(), &first.id);
    }
}

/// What somebody changed since, or gave up, is told as that.
#[tokio::test]
async fn what_is_gone_is_told_as_gone() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let first = lost_and_done_by_another(&bench, &guard).await;
    let night = actor("agent:night");
    bench.server.turn_by_hand("x", Dial::default());
    let undo = guard.propose_undo(&first.id, &night, "mine").await;
    assert!(
        matches!(undo, Err(GuardError::ChangedSince { .. })),
        "{undo:?}"
    );
    bench.server.turn_by_hand("x", held());
    let controls = guard.controls();
    controls.release(&first.id, &night, "theirs").await.unwrap();
    let undo = guard.propose_undo(&first.id, &night, "mine").await;
    assert!(
        matches!(undo, Err(GuardError::Refused(Refusal::NotOurs { .. }))),
        "{undo:?}"
    );
}

/// A person agrees to what is proposed, and does not carry out what an agent may not.
#[tokio::test]
async fn what_is_proposed_while_nothing_shows_is_not_sent_once_something_does() {
    let bench = Workbench::new().await;
    let (guard, first, sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
    let night = actor("agent:night");
    // Nothing shows, so that there is nothing of anybody else to take back.
    let early = guard
        .propose_undo(&first.id, &night, "mine")
        .await
        .unwrap()
        .asked();
    bench.server.turn_by_hand("x", held());
    is_for_a_person(&execute(&guard, &early).await.unwrap_err(), &first.id);
    let status = guard.proposal_status(&early.id).await.unwrap();
    assert_eq!(status.phase, Phase::Cancelled);

    let undo = guard.propose_undo(&first.id, &night, "mine").await;
    is_for_a_person(&undo.unwrap_err(), &first.id);
    let by_hand = |who| Request::new("release_dial", json!({"dial": "x"}), who);
    let refused = guard.propose(by_hand("agent:night")).await.unwrap_err();
    is_for_a_person(&refused, &first.id);
    let refused = guard.draft(by_hand("agent:night")).await.unwrap_err();
    is_for_a_person(&refused, &first.id);
    assert!(bench.server.senders("x").is_empty());
    let theirs: Proposal = proposed(&guard, by_hand("user:ben")).await;
    assert_eq!(theirs.undoes.as_ref(), Some(&first.id));

    // Once it is answered, whose it is is known.
    let answer = action_guard::Answer::Accepted {
        accepted: action_core::Accepted::new("will do"),
        code: None,
    };
    let id = first.id.clone();
    write(&sender, [Record::Answer { id, answer }])
        .await
        .unwrap();
    guard
        .propose_undo(&first.id, &night, "mine")
        .await
        .unwrap()
        .asked();
}

/// Opens a beside all workflows, and is not answered.
async fn opening(fixture: &Fixture) -> Proposal {
    let request = Request::new("open_valve", json!({"valve": "a"}), "agent:night");
    let first = proposed(&fixture.guard, request).await;
    let intent = intent_of(&first.id, first.plan.clone());
    write(fixture.guard.journal(), [intent]).await.unwrap();
    first
}

/// A step that closes a, by hand.
fn closing() -> serde_json::Value {
    let step = json!({"id": "close-a", "action": "close_valve", "parameters": {"valve": "a"}});
    json!({"title": "close a", "steps": [step]})
}

/// A step that would take back by hand what may be another's waits until somebody knows.
#[tokio::test]
async fn a_step_waits_while_what_it_would_take_back_may_be_anothers() {
    let fixture = fixture().await;
    let first = opening(&fixture).await;
    fixture.plant.lock().open.insert("a".to_owned());
    let id = fixture.start(closing()).await;
    let (tell, mut told) = unbounded_channel();
    let mut watch = move |event| {
        if let FlowEvent::NotNow { why, .. } = event {
            let _ = tell.send(why);
        }
    };
    let night = actor("agent:night");
    let (workflows, until) = (&fixture.workflows, WaitPolicy::UntilPeople);
    tokio::select! {
        run = workflows.run(&id, &night, until, &mut watch) => unreachable!("{run:?}"),
        why = told.recv() => {
            let why = why.unwrap();
            assert!(why.contains(&format!("`undo {}`", first.id)), "{why}");
        }
    }
    assert!(fixture.plant.sent().is_empty());
}

/// There is nothing to close yet, and what opens it may still arrive: it is closed all the same.
#[tokio::test]
async fn a_step_takes_back_what_may_still_arrive() {
    let fixture = fixture().await;
    let first = opening(&fixture).await;
    let id = fixture.start(closing()).await;
    let answered = async {
        while fixture.plant.sent().is_empty() {
            tokio::task::yield_now().await;
        }
        let refused = action_guard::Answer::Refused {
            code: "refused".to_owned(),
            error: "the plant does not want to".to_owned(),
            retryable: false,
        };
        let (id, answer) = (first.id.clone(), refused);
        let journal = fixture.guard.journal();
        write(journal, [Record::Answer { id, answer }]).await
    };
    let mut running = std::pin::pin!(fixture.run(&id));
    let run = tokio::select! {
        run = &mut running => run,
        written = answered => {
            written.unwrap();
            running.await
        }
    };
    assert_eq!(run.next_steps.ended, Some(Ending::Completed), "{run:?}");
    assert_eq!(fixture.plant.sent(), ["close a"]);
}

/// Opens a, whose request is lost while somebody else opens it.
async fn opened_by_another(fixture: &Fixture, workflow: serde_json::Value) -> String {
    let id = fixture.start(workflow).await;
    fixture.plant.next([Becomes::Unanswered]);
    fixture.plant.lock().before_permit = Some({
        let plant = fixture.plant.clone();
        Box::new(move || {
            plant.lock().open.insert("a".to_owned());
        })
    });
    id
}

/// What a workflow did not surely do it does not take back, whoever started it: it stops there, and
/// goes on when a person has.
#[tokio::test]
async fn a_workflow_stops_before_it_takes_back_what_may_be_anothers() {
    let fixture = fixture().await;
    let id = opened_by_another(&fixture, open(&["a"])).await;
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Completed), "{run:?}");
    let workflows = &fixture.workflows;
    workflows
        .compensate(&id, &ana(), "all of it")
        .await
        .unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(stopped(&run), StopCode::Failed);
    let stopped = run.next_steps.stopped.as_ref().unwrap();
    assert!(stopped.reason.starts_with("whose_unknown: "), "{stopped:?}");
    assert!(
        stopped.next.starts_with("a person must take it back"),
        "{stopped:?}"
    );
    let first = stopped.proposal.clone().unwrap();
    assert_eq!(fixture.plant.sent(), ["open a"]);
    assert!(
        fixture
            .guard
            .state()
            .await
            .unwrap()
            .effects
            .contains_key(&first)
    );

    let guard = &fixture.guard;
    let undo = guard.propose_undo(&first, &ana(), "not theirs").await;
    execute(guard, &undo.unwrap().asked()).await.unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Compensated), "{run:?}");
    assert_eq!(fixture.plant.sent(), ["open a", "close a"]);
}

/// The step that takes another back as well; and what a person gives up is left alone.
#[tokio::test]
async fn a_step_stops_before_it_takes_back_what_may_be_anothers() {
    let fixture = fixture().await;
    let mut workflow = document();
    let steps = workflow["steps"].as_array_mut().unwrap();
    steps.retain(|step| step["id"] == "open-a" || step["id"] == "close-a");
    let id = opened_by_another(&fixture, workflow).await;
    let run = fixture.run(&id).await;
    assert_eq!(stopped(&run), StopCode::Failed);
    let first = run.next_steps.stopped.unwrap().proposal.unwrap();
    assert_eq!(fixture.plant.sent(), ["open a"]);
    let (workflows, controls) = (&fixture.workflows, fixture.guard.controls());
    controls.release(&first, &ana(), "theirs").await.unwrap();
    workflows.resume(&id, &ana(), "it is theirs").await.unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(run.next_steps.ended, Some(Ending::Completed), "{run:?}");
    let left = &run.flow.steps["open-a"].back.state;
    assert!(matches!(left, AttemptState::Left { .. }), "{left:?}");
    assert_eq!(fixture.plant.sent(), ["open a"]);
}
