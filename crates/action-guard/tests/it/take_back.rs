//! Taking back what is still in flight.

use action_core::{OutcomeKind, Progress};
use action_guard::{Event, Guard, GuardError, Phase, Proposal, Refusal, Report, Request};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::fixtures::actor;
use crate::guard_fixture::{Workbench, ana, execute, hold, proposed, summary};
use crate::test_subject::Behaviour;

/// A hold that is accepted, and followed by another process, and does not end.
async fn in_flight(
    bench: &Workbench,
    behaviour: Behaviour,
    dial: &str,
) -> (Proposal, JoinHandle<Report>) {
    bench.server.behave(Behaviour {
        held_back: true,
        ..behaviour
    });
    let guard = bench.guard();
    let proposal = proposed(&guard, hold(dial)).await;
    let (task, first) = (guard.clone(), proposal.clone());
    let follower = tokio::spawn(async move { execute(&task, &first).await.unwrap() });
    wait_until(&guard, &proposal.id, |answered| answered).await;
    bench.server.behave(Behaviour::default());
    (proposal, follower)
}

/// Waits until what came back is written down.
async fn wait_until(guard: &Guard, id: &str, is_so: impl Fn(bool) -> bool) {
    loop {
        let status = guard.proposal_status(id).await.unwrap();
        if is_so(status.answer.is_some()) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn undone(guard: &Guard, first: &Proposal) -> Report {
    let undo = guard.propose_undo(&first.id, &ana(), "back").await.unwrap();
    execute(guard, &undo).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_takes_over_what_is_in_flight() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    let undo = undone(&guard, &first).await;
    assert_eq!(undo.outcome.result, OutcomeKind::Applied, "{undo:?}");

    // Whoever followed it stops, and has written nothing.
    let seen = follower.await.unwrap();
    assert_eq!(summary(&seen), (json!("unknown"), Some("taken_over")));
    assert!(seen.outcome.summary.contains(&undo.id), "{seen:?}");

    let status = guard.proposal_status(&first.id).await.unwrap();
    assert_eq!(status.phase, Phase::NotApplied, "{status:?}");
    let outcome = status.outcome.as_ref().unwrap();
    assert_eq!(outcome.code.as_deref(), Some("taken_back"));
    assert_eq!(status.taken_back.as_ref().unwrap().by, undo.id);
    assert!(guard.state().await.unwrap().effects.is_empty());
    assert_eq!(bench.server.senders("x"), [first.id, undo.id]);
    assert_eq!(bench.records("outcome").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_by_hand_in_flight_is_taken_over_too() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    let by_hand = Request::new("release_dial", json!({"dial": "x"}), "user:ben");
    let proposal = proposed(&guard, by_hand).await;
    assert_eq!(proposal.undoes.as_ref(), Some(&first.id));
    let report = execute(&guard, &proposal).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_eq!(summary(&follower.await.unwrap()).1, Some("taken_over"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_is_taken_back_by_its_owner_or_a_person() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    let other = actor("agent:other");
    let refused = guard.propose_undo(&first.id, &other, "mine now").await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(
            refused,
            GuardError::Refused(Refusal::UndoNotTheirs { ref id, .. }) if *id == first.id
        ),
        "{refused}"
    );
    assert_eq!(bench.server.senders("x").len(), 1);
    let own = actor("agent:night");
    let undo = guard.propose_undo(&first.id, &own, "mine").await.unwrap();
    let report = execute(&guard, &undo).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    follower.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_is_taken_back_under_the_kill_switch() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    guard.controls().stop(&ana(), "smoke").await.unwrap();
    let report = undone(&guard, &first).await;
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    let status = guard.proposal_status(&first.id).await.unwrap();
    assert!(status.taken_back.is_some());
    follower.await.unwrap();
}

/// The first is on its way when the undo is done, and arrives after it.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_was_overtaken_says_so_and_sends_nothing_again() {
    // On a slow machine the time in which the first may arrive can be over before the undo is.
    for attempt in 0.. {
        let bench = Workbench::new().await;
        let silent = Behaviour {
            silent: true,
            ..Behaviour::default()
        };
        let (first, follower) = in_flight(&bench, silent, "x").await;
        let guard = bench.guard();
        let undo = guard.propose_undo(&first.id, &ana(), "back").await.unwrap();
        let mut waited = false;
        let report = guard
            .execute(&undo, &ana(), &mut |event| {
                if let Event::Progress(Progress::Pending { summary, .. }) = &event
                    && summary.contains("may still arrive")
                    && !waited
                {
                    waited = true;
                    bench.server.finish();
                }
            })
            .await
            .unwrap();
        follower.await.unwrap();
        assert_eq!(bench.server.senders("x"), [&*first.id, &*undo.id]);
        if !waited && attempt < 20 {
            continue;
        }
        assert_eq!(summary(&report), (json!("not_applied"), Some("overtaken")));
        let next = report.outcome.next.unwrap();
        assert!(next.contains(&first.id), "{next}");
        assert!(bench.server.dial("x").held);
        let state = guard.state().await.unwrap();
        assert!(
            state.effects.contains_key(&first.id),
            "it is in force, and ours"
        );
        let status = guard.proposal_status(&first.id).await.unwrap();
        assert_eq!((status.phase, &status.taken_back), (Phase::Applied, &None));

        // And it can be repeated.
        let again = undone(&guard, &first).await;
        assert_eq!(again.outcome.result, OutcomeKind::Applied);
        assert!(!bench.server.dial("x").held);
        return;
    }
}

/// The one that takes back dies right after its intent; another process finishes both.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_finishes_both() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let undoing = bench.guard();
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let undo = undoing
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap();
    let (task, proposal) = (undoing.clone(), undo.clone());
    let dying = tokio::spawn(async move { execute(&task, &proposal).await });
    wait_until(&undoing, &undo.id, |answered| answered).await;
    assert_eq!(summary(&follower.await.unwrap()).1, Some("taken_over"));
    undoing.cancel(&undo.id, &ana(), "leave it").await.unwrap();
    let left = dying.await.unwrap().unwrap();
    assert_eq!(left.outcome.result, OutcomeKind::Unknown, "{left:?}");

    bench.server.finish();
    let reports = undoing.recover(&mut |_| {}).await.unwrap();
    assert!(!reports.is_empty());
    let status = undoing.proposal_status(&undo.id).await.unwrap();
    assert_eq!(status.phase, Phase::Applied, "{status:?}");
    let status = undoing.proposal_status(&first.id).await.unwrap();
    assert!(status.phase.is_end(), "{status:?}");
    assert_eq!(status.taken_back.as_ref().unwrap().by, undo.id);
    assert_eq!(bench.server.senders("x").len(), 2);
}
