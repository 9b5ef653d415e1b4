//! Agents that are paused: nothing is proposed, started or sent for them, and a person ends that.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use action_guard::{
    Actor, CommitError, Controls, Decider, Guard, GuardError, Policy, PrivateKey, Proof, Record,
    Refusal, Request, Standing, StartOptions, State, StopCode, WaitPolicy,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fixtures::{ANA, actor, refusal, write};
use crate::guard_fixture::{Workbench, done, executed, proposed, summary, turn};
use crate::test_subject::{Hold, Sends};
use crate::workflow_fixtures::{fixture, open, stopped};

static NIGHT: LazyLock<Actor> = LazyLock::new(|| actor("agent:night"));
static PERSON: LazyLock<Actor> = LazyLock::new(|| actor("user:ana"));

fn after(minutes: i64) -> Option<Timestamp> {
    Some(Timestamp::now() + SignedDuration::from_mins(minutes))
}

async fn pause(guard: &Guard, until: Option<Timestamp>) {
    let controls = guard.controls();
    let paused = controls.pause(&NIGHT, &PERSON, until, "it runs wild");
    assert_eq!(paused.await.unwrap(), []);
}

async fn resume(guard: &Guard) {
    let controls = guard.controls();
    let resumed = controls.resume(&NIGHT, Decider::claimed(&PERSON), "it is well");
    resumed.await.unwrap();
}

#[track_caller]
fn is_paused<T: std::fmt::Debug>(result: Result<T, GuardError>) {
    let error = result.unwrap_err();
    let is_it = matches!(&error, GuardError::Refused(Refusal::Paused { .. }));
    assert!(is_it, "{error:?}");
    assert!(error.to_string().contains("it runs wild"), "{error}");
}

#[tokio::test]
async fn nothing_is_proposed_or_sent_for_who_is_paused_until_they_are_resumed() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let before = proposed(&guard, turn("x", 1)).await;
    pause(&guard, None).await;
    // However it is written, and also beside somebody else.
    let own = |who: &str| Request::new("turn_dial", json!({"dial": "y", "value": 1}), who);
    is_paused(guard.propose(own("agent:night")).await);
    is_paused(guard.propose(own("agent:NIGHT")).await);
    is_paused(guard.draft(own("agent:night")).await);
    let beside = own("user:ana").carried_out_by(&NIGHT);
    is_paused(guard.propose(beside).await);
    // By another process, too.
    is_paused(executed(&bench.guard(), &before).await);
    assert!(bench.server.senders("x").is_empty());
    // Others go on.
    done(&guard, own("agent:nights")).await;
    done(&guard, own("user:ana")).await;
    resume(&guard).await;
    let standing = executed(&guard, &before).await.unwrap();
    assert!(matches!(standing, Standing::Applied(_)), "{standing:?}");
    done(&guard, turn("x", 2)).await;
    assert_eq!(bench.records("agent_paused").await, 1);
    assert_eq!(bench.records("agent_resumed").await, 1);
    let state = guard.state().await.unwrap();
    let kept: State = serde_json::from_value(json!(&*state)).unwrap();
    assert_eq!(kept, *state);
}

/// Its intent is on disk, and it reads slowly, when its agent is paused, and perhaps resumed again.
#[tokio::test]
async fn a_pause_stops_a_send_before_its_first_byte() {
    for is_resumed in [false, true] {
        let bench = Workbench::new().await;
        let reads = Hold::new();
        let sends = Sends {
            before_permit: Some(Arc::clone(&reads)),
            ..Sends::default()
        };
        let guard = bench.guard_that(sends);
        let proposal = proposed(&guard, turn("x", 4)).await;
        let run = tokio::spawn({
            let guard = guard.clone();
            async move { executed(&guard, &proposal).await.unwrap().into_report() }
        });
        reads.is_reached().await;
        pause(&bench.guard(), None).await;
        if is_resumed {
            resume(&bench.guard()).await;
        }
        reads.let_go();
        let report = run.await.unwrap().unwrap();
        let expected = (Value::from("not_applied"), Some("paused"));
        assert_eq!(summary(&report), expected);
        assert!(bench.server.senders("x").is_empty());
    }
}

/// Who pauses is told that somebody has the permit to send, and may still.
#[tokio::test]
async fn who_pauses_is_told_who_may_still_send_for_it() {
    let bench = Workbench::new().await;
    let held = Hold::new();
    let sends = Sends {
        with_permit: Some(Arc::clone(&held)),
        ..Sends::default()
    };
    let guard = bench.guard_that(sends);
    let proposal = proposed(&guard, turn("x", 4)).await;
    let id = proposal.id.clone();
    let run = tokio::spawn({
        let guard = guard.clone();
        async move { executed(&guard, &proposal).await.unwrap().into_report() }
    });
    held.is_reached().await;
    let controls = bench.guard().controls().send_wait(Duration::ZERO);
    let paused = controls.pause(&NIGHT, &PERSON, None, "x").await.unwrap();
    assert_eq!(paused[0].proposal.as_deref(), Some(&*id), "{paused:?}");
    let day = actor("agent:day");
    let other = controls.pause(&day, &PERSON, None, "x").await;
    assert_eq!(other.unwrap(), [], "it sends nothing");
    held.let_go();
    run.await.unwrap().unwrap();
}

#[tokio::test]
async fn it_takes_a_person_or_the_agent_and_never_ends_an_earlier_pause_sooner() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let controls = guard.controls();
    let try_to = async |agent: &str, by: &str, until| {
        let (agent, by) = (actor(agent), actor(by));
        controls.pause(&agent, &by, until, "it runs wild").await
    };
    let not_a_person = |result: Result<_, CommitError>| {
        let refusal = refusal(result.map(drop));
        assert!(matches!(refusal, Refusal::NotAPerson { .. }), "{refusal}");
    };
    not_a_person(try_to("agent:night", "agent:day", None).await.map(|_| ()));
    not_a_person(try_to("agent:night", "system", None).await.map(|_| ()));
    for (agent, until) in [
        ("user:ben", None),
        ("system", None),
        ("agent:night", after(-1)),
    ] {
        let refused = refusal(try_to(agent, "user:ana", until).await.map(drop));
        let is_invalid = matches!(refused, Refusal::InvalidRecord { .. });
        assert!(is_invalid, "{agent}: {refused}");
    }
    try_to("agent:night", "agent:Night", after(5))
        .await
        .unwrap();
    is_paused(guard.propose(turn("x", 1)).await);
    try_to("agent:night", "user:ana", after(60)).await.unwrap();
    for (by, until) in [("agent:night", after(1)), ("user:ana", after(59))] {
        let refused = refusal(try_to("agent:night", by, until).await.map(drop));
        let is_longer = matches!(refused, Refusal::PausedLonger { .. });
        assert!(is_longer, "{by}: {refused}");
    }
    try_to("agent:night", "user:ben", None).await.unwrap();
    refusal(
        try_to("agent:night", "user:ana", after(600))
            .await
            .map(drop),
    );
    // To end it takes a person.
    for by in ["agent:night", "agent:day", "system"] {
        let by = actor(by);
        let resumed = controls.resume(&NIGHT, Decider::claimed(&by), "me").await;
        not_a_person(resumed);
    }
    resume(&guard).await;
    let again = controls
        .resume(&NIGHT, Decider::claimed(&PERSON), "x")
        .await;
    assert_eq!(refusal(again).code(), "not_paused");
    done(&guard, turn("x", 1)).await;
}

/// What is over is over by itself, and stays so in the state for a day.
#[tokio::test]
async fn a_pause_ends_at_its_time() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    pause(&guard, after(60)).await;
    let state = guard.state().await.unwrap();
    let (now, later) = (Timestamp::now(), after(61).unwrap());
    assert!(state.paused_at("agent:Night", now).is_some());
    assert!(state.paused_at("agent:night", later).is_none());
    assert!(state.paused_at("agent:day", now).is_none());
    assert!(state.pause_of("agent:night").is_some());
    let json = json!(state.pause_of("agent:night"));
    assert_eq!(json["by"], "user:ana");
    assert_eq!(json["reason"], "it runs wild");
}

/// Where people have keys, who only says that they are one ends no pause: it would let something be sent.
#[tokio::test]
async fn where_people_sign_a_pause_is_ended_by_a_signature_over_just_that() {
    let key = PrivateKey::parse_pem(ANA).unwrap();
    let policy = format!(
        "version = 1\n[[person]]\nname = \"user:ana\"\nkey = \"{}\"\n\
         [[rule]]\nname = \"all\"\ndecision = \"allow\"\n",
        key.public()
    );
    let policy: Policy = policy.parse().unwrap();
    let bench = Workbench::new().await;
    let guard = bench.guard_under(policy);
    let controls: Controls = guard.controls();
    let not_proven = |result: Result<(), CommitError>| {
        let refusal = refusal(result);
        assert!(matches!(refusal, Refusal::NotProven { .. }), "{refusal}");
    };
    let resume = async |by: Decider<'_>| controls.resume(&NIGHT, by, "well").await;
    pause(&guard, None).await;
    let first = guard.state().await.unwrap().pauses["agent:night"].seq;
    let now = Timestamp::now();
    let of = |agent: &str, seq| Proof::of_resume(&actor(agent), &PERSON, seq, now, &key);
    not_proven(resume(Decider::claimed(&PERSON)).await);
    for wrong in [of("agent:day", first), of("agent:night", first + 1)] {
        not_proven(resume(Decider::with_proof(&PERSON, &wrong)).await);
    }
    let carl = actor("user:carl");
    let good = of("agent:NIGHT", first);
    not_proven(resume(Decider::with_proof(&carl, &good)).await);
    resume(Decider::with_proof(&PERSON, &good)).await.unwrap();
    // It was for that pause.
    pause(&guard, None).await;
    not_proven(resume(Decider::with_proof(&PERSON, &good)).await);
    resume(Decider::with_key(&PERSON, &key)).await.unwrap();
}

/// Whoever writes the record by hand is refused by the fold, too.
#[tokio::test]
async fn no_record_of_an_agent_ends_its_pause() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    pause(&guard, None).await;
    let record = Record::AgentResumed {
        agent: NIGHT.clone(),
        by: NIGHT.clone(),
        reason: "me".to_owned(),
        proof: None,
        attested: None,
    };
    let refused = refusal(write(guard.journal(), [record]).await);
    assert!(matches!(refused, Refusal::NotAPerson { .. }), "{refused}");
}

#[tokio::test]
async fn a_workflow_stops_while_one_who_is_at_it_is_paused() {
    let fixture = fixture().await;
    let id = fixture.start(open(&["a", "b"])).await;
    let controls = fixture.guard.controls();
    controls
        .pause(&NIGHT, &PERSON, None, "it runs wild")
        .await
        .unwrap();
    let run = fixture.run(&id).await;
    assert_eq!(stopped(&run), StopCode::Paused);
    let why = run.next_steps.stopped.unwrap();
    assert!(why.reason.contains("paused by `user:ana`"), "{why:?}");
    assert!(fixture.plant.sent().is_empty());
    // Nobody carries it on for them, and it starts no other.
    let ran = fixture
        .workflows
        .run(&id, &PERSON, WaitPolicy::UntilPeople, &mut |_| {})
        .await;
    assert_eq!(stopped(&ran.unwrap()), StopCode::Paused);
    let workflow = action_core::Workflow::read(&open(&["c"])).unwrap();
    let started = fixture
        .workflows
        .start(&workflow, &NIGHT, StartOptions::default())
        .await;
    is_paused(started);
    is_paused(fixture.workflows.resume(&id, &NIGHT, "go on").await);
    is_paused(fixture.workflows.compensate(&id, &NIGHT, "back").await);
    let resumed = controls.resume(&NIGHT, Decider::claimed(&PERSON), "well");
    resumed.await.unwrap();
    fixture.run(&id).await;
    assert_eq!(fixture.plant.sent(), ["open a", "open b"]);
}
