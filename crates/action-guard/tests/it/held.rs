//! Requests that were not answered, and that something between us and the system may hold.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::guard_fixture::{Workbench, done, summary, turn};
use crate::test_subject::Behaviour;

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
        assert_eq!(next.contains("no answer came"), silent, "{next}");
    }
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
