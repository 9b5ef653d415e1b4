//! Requests that were not answered, and that something between us and the system may hold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use action_core::Progress;
use action_guard::{Event, GuardError, Report};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use crate::guard_fixture::{Workbench, done, proposed, summary, turn};
use crate::test_subject::{Behaviour, Dial, Hold, NAMELESS, Sends};

#[tokio::test]
async fn what_was_not_answered_is_never_sent_again_by_itself() {
    let bench = Workbench::new().await;
    for silent in [false, true] {
        bench.server.behave(Behaviour {
            silent,
            forgets: true,
            ..Behaviour::default()
        });
        let report = done(&bench.guard(), turn("x", 4)).await;
        assert_eq!(summary(&report), (json!("not_applied"), Some("no_trace")));
        assert_eq!(report.outcome.retryable, !silent);
        let next = report.outcome.next.unwrap_or_default();
        assert_eq!(next.contains("no answer was received"), silent, "{next}");
    }
}

/// A run whose request is lost, and somebody else turns the dial to the same before it is looked at; gives
/// its id, what it told since, and its end.
async fn beside_the_same(
    bench: &Workbench,
    held: Duration,
) -> (
    String,
    UnboundedReceiver<String>,
    JoinHandle<Result<Report, GuardError>>,
) {
    bench.server.behave(Behaviour {
        silent: true,
        forgets: true,
        ..Behaviour::default()
    });
    let permitted = Hold::new();
    let sends = Sends {
        with_permit: Some(Arc::clone(&permitted)),
        ..Sends::default()
    };
    let guard = bench.guard_that(sends).held_for(held);
    let proposal = proposed(&guard, turn("x", 4)).await;
    let id = proposal.id.clone();
    let (saw, seen) = unbounded_channel();
    let run = tokio::spawn(async move {
        let by = proposal.requester().unwrap();
        let mut watch = |event| {
            if let Event::Progress(Progress::Pending { summary, .. }) = event {
                let _ = saw.send(summary);
            }
        };
        guard
            .execute(&proposal, &by, &mut watch)
            .await?
            .into_report()
    });
    permitted.is_reached().await;
    let theirs = Dial {
        value: 4,
        by: NAMELESS.to_owned(),
        ..bench.server.dial("x")
    };
    bench.server.turn_by_hand("x", theirs);
    permitted.let_go();
    (id, seen, run)
}

/// Somebody did the same meanwhile, and ours is still on its way: it would do it once more when nobody looks.
#[tokio::test]
async fn what_somebody_else_has_done_ends_nothing_while_ours_may_arrive() {
    let bench = Workbench::new().await;
    let (id, mut seen, run) = beside_the_same(&bench, Duration::from_hours(1)).await;
    while !seen.recv().await.unwrap().contains("may still arrive") {}
    let state = bench.guard().state().await.unwrap();
    assert!(state.open.get(&id).unwrap().phase.is_in_flight());
    run.abort();
}

/// It was seen to be done, and put back before ours could no longer arrive: it has happened all the same.
#[tokio::test]
async fn what_was_seen_to_be_done_is_not_called_undone() {
    let bench = Workbench::new().await;
    let (_, mut seen, run) = beside_the_same(&bench, Duration::from_secs(2)).await;
    // On a machine that takes its time it is over at once, which is as good.
    while let Some(told) = seen.recv().await {
        if told.contains("may still arrive") {
            bench.server.turn_by_hand("x", Dial::default());
            break;
        }
    }
    let report = run.await.unwrap().unwrap();
    assert_eq!(summary(&report), (json!("applied"), None));
}

#[tokio::test]
async fn what_may_be_held_is_waited_for_whoever_finds_out() {
    let bench = Workbench::new().await;
    let held = Duration::from_millis(800);
    let behaviour = Behaviour {
        forgets: true,
        ..Behaviour::default()
    };
    // What was answered is held by nobody.
    bench.server.behave(behaviour);
    let guard = bench.guard().held_for(Duration::from_hours(1));
    done(&guard, turn("x", 3)).await;

    bench.server.behave(Behaviour {
        silent: true,
        ..behaviour
    });
    let begun = Instant::now();
    let report = done(&bench.guard().held_for(held), turn("x", 4)).await;
    assert_eq!(summary(&report), (json!("not_applied"), Some("no_trace")));
    assert!(begun.elapsed() > held);
    let state = bench.guard().state().await.unwrap();
    let status = state.proposal_status(&report.id).unwrap();
    let intent = status.intent.as_ref().unwrap();
    assert_eq!(u128::from(intent.held_for_ms), held.as_millis());
    let until = status.may_arrive_until().unwrap();
    let last = status.answered_at.unwrap();
    assert!(until.duration_since(last).unsigned_abs() > held);
}
