//! What something is done to while it is planned is planned again, and not for ever.

use std::sync::Arc;
use std::time::Duration;

use action_core::{OutcomeKind, Verdict, Workflow};
use action_guard::{
    FlowEvent, Guard, GuardError, OutdatedBy, Phase, Policy, Refusal, Request, Standing,
    StartOptions, StopCode, WaitPolicy, Workflows,
};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

use crate::fixtures::actor;
use crate::guard_fixture::{Asked as _, Workbench, ana, done, executed, hold, proposed, turn};
use crate::test_subject::{Behaviour, Hold, Sends};
use crate::workflow_fixtures::stopped;

/// So often it is planned at most while it is proposed: with what is written down as well.
const PROPOSED_AT_MOST: u64 = 4 * 4;

/// A guard that would be refused each release, and whose plans of one stay between what they read
/// and what they make of it.
fn refused_slowly(bench: &Workbench) -> (Guard, Arc<Hold>) {
    let plans = Hold::new();
    let guard = bench.guard_that(Sends {
        after_plans_look: Some(Arc::clone(&plans)),
        plans_say_no: true,
        ..Sends::default()
    });
    (guard, plans)
}

fn release(dial: &str) -> Request {
    Request::new("release_dial", json!({"dial": dial}), "user:ben")
}

/// Turns x whenever it has been read for a plan. With how often it was.
async fn while_it_is_turned<T>(
    bench: &Workbench,
    plans: &Hold,
    planning: impl Future<Output = T>,
) -> (T, u64) {
    let other = bench.guard();
    let mut planning = std::pin::pin!(planning);
    for planned in 0..=PROPOSED_AT_MOST {
        tokio::select! {
            ended = &mut planning => return (ended, planned),
            () = plans.is_reached() => {}
        }
        done(&other, turn("x", planned)).await;
        plans.let_go();
    }
    unreachable!("it is planned again and again");
}

/// Carries a workflow out until something is in its way, and says what.
async fn until_in_the_way(workflows: &Workflows, flow: &str) -> String {
    let (tell, mut told) = unbounded_channel();
    let mut watch = move |event| {
        if let FlowEvent::NotNow { why, .. } = event {
            let _ = tell.send(why);
        }
    };
    let night = actor("agent:night");
    tokio::select! {
        run = workflows.run(flow, &night, WaitPolicy::UntilPeople, &mut watch) => {
            unreachable!("{run:?}")
        }
        why = told.recv() => why.unwrap(),
    }
}

/// A workflow that holds x, and is to take that back.
async fn to_be_taken_back(guard: Guard) -> String {
    let step = json!({"id": "hold", "action": "hold_dial", "parameters": {"dial": "x"}});
    let workflow = Workflow::read(&json!({"title": "hold", "steps": [step]})).unwrap();
    let workflows = Workflows::new(guard);
    let night = actor("agent:night");
    let options = StartOptions::default().reason("it is due");
    let flow = workflows.start(&workflow, &night, options).await.unwrap();
    let (until, watch) = (WaitPolicy::UntilPeople, &mut |_| {});
    let run = workflows.run(&flow.id, &night, until, watch).await.unwrap();
    assert_eq!(run.flow.applied, ["hold"]);
    let by = ana();
    let asked = workflows.compensate(&flow.id, &by, "all of it");
    asked.await.unwrap();
    flow.id.clone()
}

#[track_caller]
fn is_outdated(error: &GuardError) {
    let outdated = matches!(error, GuardError::Refused(Refusal::PlanOutdated { .. }));
    assert!(outdated, "{error}");
}

#[tokio::test]
async fn what_is_outdated_each_time_is_refused_in_the_end() {
    let bench = Workbench::new().await;
    let first = done(&bench.guard(), hold("x")).await;
    let (slow, plans) = refused_slowly(&bench);
    let planning = slow.propose(release("x"));
    let (proposed, planned) = while_it_is_turned(&bench, &plans, planning).await;
    is_outdated(&proposed.unwrap_err());
    assert_eq!(planned, PROPOSED_AT_MOST);

    let by = ana();
    let planning = slow.propose_undo(&first.id, &by, "back");
    let (proposed, planned) = while_it_is_turned(&bench, &plans, planning).await;
    is_outdated(&proposed.unwrap_err());
    assert_eq!(planned, PROPOSED_AT_MOST);
}

/// The workflow tries it again later.
#[tokio::test]
async fn what_is_outdated_each_time_is_in_the_way_of_a_workflow() {
    let bench = Workbench::new().await;
    let flow = to_be_taken_back(bench.guard()).await;
    let (slow, plans) = refused_slowly(&bench);
    let workflows = Workflows::new(slow);
    let planning = until_in_the_way(&workflows, &flow);
    let (why, planned) = while_it_is_turned(&bench, &plans, planning).await;
    assert!(why.contains("is outdated"), "{why}");
    assert_eq!(planned, PROPOSED_AT_MOST);
}

/// Right before it is sent as well.
#[tokio::test]
async fn what_is_outdated_each_time_is_not_sent() {
    let bench = Workbench::new().await;
    done(&bench.guard(), hold("x")).await;
    let proposal = proposed(&bench.guard(), release("x")).await;
    let (slow, plans) = refused_slowly(&bench);
    let planning = executed(&slow, &proposal);
    let (standing, planned) = while_it_is_turned(&bench, &plans, planning).await;
    let Standing::Outdated { by, .. } = standing.unwrap() else {
        unreachable!("it was planned from before");
    };
    assert!(matches!(by, OutdatedBy::Proposal(_)), "{by:?}");
    assert_eq!(planned, 4);
    assert!(bench.server.dial("x").held);
}

/// However long the request that it takes back might still have been on its way: that is done.
#[tokio::test]
async fn what_nothing_is_done_to_is_planned_once() {
    let bench = Workbench::new().await;
    bench.server.behave(Behaviour {
        silent: true,
        ..Behaviour::default()
    });
    let patient = bench.guard().held_for(Duration::from_hours(1));
    let first = done(&patient, hold("x")).await;
    assert_eq!(first.outcome.result, OutcomeKind::Applied);
    let (slow, plans) = refused_slowly(&bench);
    for _ in 0..100 {
        plans.let_go();
    }
    let undo = slow
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let by_hand = slow.propose(release("x")).await.unwrap().asked();
    for proposal in [undo, by_hand] {
        let said = &proposal.plan.verdict;
        assert!(matches!(said, Verdict::WouldReject { .. }), "{said:?}");
        let status = slow.proposal_status(&proposal.id).await.unwrap();
        assert_eq!(status.phase, Phase::Cancelled);
        plans.is_reached().await;
    }
    assert_eq!(plans.unseen(), 0);
}

/// What the rules say no to is no older for being planned again.
#[tokio::test]
async fn what_is_refused_for_another_reason_is_proposed_once() {
    let bench = Workbench::new().await;
    let flow = to_be_taken_back(bench.guard()).await;
    let first = done(&bench.guard(), hold("y")).await;
    let nobody: Policy = "version = 1\n[[rule]]\nname = \"nobody\"\ndecision = \"deny\"\n"
        .parse()
        .unwrap();
    let guard = bench.guard_under(nobody);
    let is_denied = |standing: &Standing| {
        let denied = matches!(standing, Standing::Denied { rule, .. } if rule.contains("nobody"));
        assert!(denied, "{standing:?}");
    };
    let before = bench.records("proposed").await;
    is_denied(&guard.propose(turn("x", 4)).await.unwrap());
    assert_eq!(bench.records("proposed").await, before + 1);
    let undo = guard.propose_undo(&first.id, &ana(), "back").await;
    is_denied(&undo.unwrap());
    assert_eq!(bench.records("proposed").await, before + 2);
    let (night, until) = (actor("agent:night"), WaitPolicy::UntilPeople);
    let workflows = Workflows::new(guard);
    let run = workflows.run(&flow, &night, until, &mut |_| {}).await;
    assert_eq!(stopped(&run.unwrap()), StopCode::Failed);
    assert_eq!(bench.records("proposed").await, before + 3);
}

/// Two processes carry one proposal out: the slower sees what the faster has done, and its plan of the
/// same says no.
#[tokio::test]
async fn what_another_process_has_sent_is_not_called_refused_by_its_plan() {
    let bench = Workbench::new().await;
    done(&bench.guard(), hold("x")).await;
    let faster = bench.guard();
    let proposal = proposed(&faster, release("x")).await;
    let (slower, plans) = refused_slowly(&bench);
    let mut asking = std::pin::pin!(executed(&slower, &proposal));
    tokio::select! {
        early = &mut asking => unreachable!("{early:?}"),
        () = plans.is_reached() => {}
    }
    let sent = executed(&faster, &proposal).await.unwrap();
    assert!(matches!(sent, Standing::Applied(_)), "{sent:?}");
    for _ in 0..PROPOSED_AT_MOST {
        plans.let_go();
    }
    assert_eq!(asking.await.unwrap(), sent);
}
