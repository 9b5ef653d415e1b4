//! Whether what was applied held.

use std::time::Duration;

use action_core::{OutcomeKind, Progress, SettledState};
use action_guard::failpoint::{Failure, arm, disarm};
use action_guard::{Event, FileJournal, Guard, Report};

use crate::fixtures::actor;
use crate::guard_fixture::{Workbench, ana, done, hold, proposed, turn};
use crate::test_subject::{Behaviour, Dial, registry};

const SOON: Duration = Duration::from_millis(50);

fn state(report: &Report) -> Option<SettledState> {
    let settled = report.outcome.settled.as_ref();
    settled.map(|settled| settled.state)
}

/// A probe is told what those before it read first.
#[tokio::test]
async fn a_probe_knows_what_was_read_before() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    bench.server.turn_by_hand(
        "x",
        Dial {
            by: "ben".to_owned(),
            ..Dial::default()
        },
    );
    let proposal = proposed(&guard, hold("x")).await;
    let by = actor("agent:night");
    let report = guard
        .execute(&proposal, &by, &mut |event| {
            if matches!(event, Event::Progress(Progress::Pending { .. })) {
                bench.server.finish();
            }
        })
        .await
        .unwrap()
        .into_report()
        .unwrap();
    let evidence = report.outcome.evidence;
    let first = evidence.iter().find(|read| read.fact == "first_by");
    assert_eq!(first.unwrap().value, "ben");
}

#[tokio::test]
async fn what_stayed_so_has_held() {
    let bench = Workbench::new().await;
    let report = done(&bench.guard().settle_for(SOON), turn("x", 4)).await;
    assert_eq!(state(&report), Some(SettledState::Held));
    assert_eq!(bench.records("outcome").await, 1);
    // And nobody looks when nobody is to.
    let report = done(&bench.guard(), turn("x", 5)).await;
    assert_eq!(state(&report), None);
}

#[tokio::test]
async fn what_somebody_changed_meanwhile_is_reversed_and_applied_all_the_same() {
    let bench = Workbench::new().await;
    let guard = bench.guard().settle_for(SOON);
    let proposal = proposed(&guard, turn("x", 4)).await;
    let by = proposal.requester().unwrap();
    let mut told = Vec::new();
    let mut watch = |event| {
        if matches!(&event, Event::Progress(Progress::Applied { .. })) {
            // It is told at once that it happened; then somebody turns it.
            bench.server.turn_by_hand("x", Dial::default());
        }
        told.push(event);
    };
    let report = guard
        .execute(&proposal, &by, &mut watch)
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_eq!(state(&report), Some(SettledState::Reversed));
    assert!(report.outcome.is_reversed());
    assert!(matches!(told.last(), Some(Event::Outcome(_))));
    let status = guard.proposal_status(&proposal.id).await.unwrap();
    assert_eq!(status.outcome.as_ref(), Some(&report.outcome));
    assert_eq!(bench.records("outcome").await, 1);
}

/// The process dies between the proof and the look: recovery proves, waits and looks.
#[tokio::test]
async fn recovery_looks_whether_it_held_too() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let directory = bench.directory.path();
    let proposal = proposed(&guard, turn("x", 4)).await;
    arm(
        "journal.sync",
        directory,
        1,
        Failure::Fail(std::io::ErrorKind::Other),
    );
    let by = proposal.requester().unwrap();
    let unrecorded = guard.execute(&proposal, &by, &mut |_| {}).await;
    assert!(unrecorded.is_err());
    disarm(directory);
    drop(guard);
    let journal = FileJournal::open(directory).unwrap();
    let other = Guard::new(registry(bench.server.address), journal).settle_for(SOON);
    let reports = loop {
        let reports = other.recover(&mut |_| {}).await.unwrap();
        if !reports.is_empty() {
            break reports;
        }
        // The thread of the first one ends by itself, soon.
        tokio::task::yield_now().await;
    };
    assert_eq!(state(&reports[0]), Some(SettledState::Held));
}

/// An address can lead to another system from one request to the next: what that shows proves
/// nothing of what was sent.
#[tokio::test]
async fn what_another_system_shows_proves_nothing() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let by = proposal.requester().unwrap();
    let another = Dial {
        by: "other dials".to_owned(),
        ..Dial::default()
    };
    let mut doubts = 0;
    let mut watch = |event| match event {
        Event::Accepted(_) => bench.server.turn_by_hand("identity", another.clone()),
        Event::ProbeFailed { error } => {
            assert!(error.contains("`other dials`"), "{error}");
            doubts += 1;
            bench.server.turn_by_hand("identity", Dial::default());
        }
        _ => {}
    };
    let report = guard
        .execute(&proposal, &by, &mut watch)
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_eq!(doubts, 1);
}

/// Nobody waits for what is only to be looked at once more.
#[tokio::test]
async fn who_calls_it_off_in_this_process_does_not_wait_for_the_last_look() {
    let bench = Workbench::new().await;
    let guard = bench.guard().settle_for(Duration::from_hours(1));
    let proposal = proposed(&guard, turn("x", 4)).await;
    let (applied, mut is_applied) = tokio::sync::mpsc::unbounded_channel();
    let (task, first) = (guard.clone(), proposal.clone());
    let running = tokio::spawn(async move {
        let mut watch = |event: Event| {
            if matches!(event, Event::Progress(Progress::Applied { .. })) {
                applied.send(()).unwrap();
            }
        };
        let by = first.requester().unwrap();
        task.execute(&first, &by, &mut watch).await?.into_report()
    });
    is_applied.recv().await.unwrap();
    guard.cancel(&proposal.id, &ana(), "enough").await.unwrap();
    let report = running.await.unwrap().unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_eq!(state(&report), None);
}
