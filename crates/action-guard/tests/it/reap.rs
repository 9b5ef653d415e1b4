//! Taking back what is over, beside others who take it back.

use std::time::Duration;

use action_core::OutcomeKind;
use action_guard::{Guard, Phase, Policy, Reaped};

use crate::guard_fixture::{Asked as _, Workbench, ana, done, execute, hold};
use crate::test_subject::Behaviour;

async fn reaped(guard: &Guard) -> Vec<Reaped> {
    guard.reap(&mut |_| {}).await.unwrap()
}

/// Under rules that make it ask, it asks once for each, and goes on waiting for that.
#[tokio::test]
async fn what_waits_for_people_is_proposed_once() {
    let bench = Workbench::new().await;
    let everybody = bench.guard();
    for dial in ["x", "y"] {
        done(&everybody, hold(dial).lease(Duration::ZERO)).await;
    }
    let policy: Policy = "version = 1\n[[rule]]\nname = \"system\"\nactor = \"system\"\n\
                          decision = \"approve\"\nby = [\"user:*\"]\ncount = 1\nttl = \"1h\"\n"
        .parse()
        .unwrap();
    let guard = bench.guard_under(policy);
    let asked = |all: Vec<Reaped>| -> Vec<(String, String)> {
        let of = |reaped| match reaped {
            Reaped::Proposed { effect, proposal } => (effect.id.clone(), proposal),
            other => unreachable!("{other:?}"),
        };
        all.into_iter().map(of).collect()
    };
    let first = asked(reaped(&guard).await);
    assert_eq!(first.len(), 2, "{first:?}");
    for (effect, proposal) in &first {
        let status = guard.proposal_status(proposal).await.unwrap();
        assert_eq!(status.proposal.undoes.as_ref(), Some(effect));
        assert_eq!(status.phase, Phase::NeedsApproval);
    }
    assert_eq!(asked(reaped(&guard).await), first);
    assert_eq!(bench.records("proposed").await, 4);
    assert!(["x", "y"].iter().all(|dial| bench.server.dial(dial).held));
}

/// What a person has only proposed is for them to carry out, and keeps nothing in force.
#[tokio::test]
async fn what_another_only_proposed_is_taken_back_all_the_same() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let held = done(&guard, hold("x").lease(Duration::ZERO)).await;
    let theirs = guard
        .propose_undo(&held.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let all = reaped(&guard).await;
    let [Reaped::Sent { report, .. }] = &all[..] else {
        unreachable!("{all:?}");
    };
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_ne!(report.id, theirs.id);
    assert_eq!(bench.server.senders("x"), [&*held.id, &*report.id]);
}

#[tokio::test]
async fn what_another_is_taking_back_is_left_to_them() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let held = done(&guard, hold("x").lease(Duration::ZERO)).await;
    let theirs = guard
        .propose_undo(&held.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let (task, undo) = (guard.clone(), theirs.clone());
    let undoing = tokio::spawn(async move { execute(&task, &undo).await });
    while bench.server.senders("x").len() < 2 {
        tokio::task::yield_now().await;
    }
    let all = reaped(&guard).await;
    let [Reaped::Left { why, .. }] = &all[..] else {
        unreachable!("{all:?}");
    };
    assert_eq!(*why, format!("proposal {} is taking it back", theirs.id));
    bench.server.finish();
    undoing.await.unwrap().unwrap();
}
