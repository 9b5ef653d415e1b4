//! What a process left is found out by the next one.

use std::time::Duration;

use action_core::{Attempt, OutcomeKind, Progress};
use action_guard::{Event, FileJournal, Guard, Intent, Journal, Proposal, Record, Report, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::fixtures::write;
use crate::guard_fixture::{Workbench, proposed, summary, turn};
use crate::test_subject::{Dial, SETTLE_MS};

/// A proposal that another process, which is this journal, is about to send.
pub(crate) async fn begun(
    bench: &Workbench,
    request: Request,
    within: SignedDuration,
) -> (Guard, Proposal, FileJournal) {
    let guard = bench.guard();
    let proposal = proposed(&guard, request).await;
    let sender = FileJournal::open(bench.directory.path()).unwrap();
    let soon = Timestamp::now() + within;
    let attempt = Attempt::new(&proposal.id, 1, None);
    let intent = Box::new(Intent::new(proposal.plan.clone(), attempt, soon));
    let id = proposal.id.clone();
    write(&sender, [Record::Intent { id, intent }])
        .await
        .unwrap();
    (guard, proposal, sender)
}

/// The same of a process that died, and which.
async fn left(bench: &Workbench) -> (Guard, Proposal, String) {
    let (guard, proposal, sender) = begun(bench, turn("x", 4), SignedDuration::from_mins(10)).await;
    let instance = sender.instance().to_owned();
    drop(sender);
    // The thread that writes ends by itself, soon.
    while guard.journal().is_alive(&instance).await.unwrap() {
        tokio::task::yield_now().await;
    }
    (guard, proposal, instance)
}

/// What it found, and how often it had to look again.
async fn recovered(guard: &Guard) -> (Report, usize) {
    let mut pending = 0;
    let mut reports = guard
        .recover(&mut |event| {
            pending += usize::from(matches!(event, Event::Progress(Progress::Pending { .. })));
        })
        .await
        .unwrap();
    assert_eq!(reports.len(), 1);
    (reports.remove(0), pending)
}

#[tokio::test]
async fn where_another_system_answers_it_is_left_open() {
    let bench = Workbench::new().await;
    let (guard, proposal, _) = left(&bench).await;
    let elsewhere = Dial {
        by: "other dials".to_owned(),
        ..Dial::default()
    };
    bench.server.turn_by_hand("identity", elsewhere);
    let (report, _) = recovered(&guard).await;
    assert_eq!(summary(&report), (json!("unknown"), Some("other_system")));
    bench.server.turn_by_hand("identity", Dial::default());
    let (report, _) = recovered(&guard).await;
    assert_eq!(report.id, proposal.id);
    assert_eq!(report.outcome.result, OutcomeKind::NotApplied);
}

/// Whatever time it had to be sent in: a dead process sends nothing.
#[tokio::test]
async fn its_time_counts_from_when_its_sender_was_found_dead() {
    let bench = Workbench::new().await;
    let (guard, proposal, from) = left(&bench).await;
    let id = proposal.id.clone();
    let adopted = Record::Adopted { id, from };
    write(guard.journal(), [adopted]).await.unwrap();
    let begun = std::time::Instant::now();
    while begun.elapsed() <= Duration::from_millis(SETTLE_MS + 50) {
        tokio::task::yield_now().await;
    }
    let (report, pending) = recovered(&guard).await;
    assert_eq!(summary(&report), (json!("not_applied"), Some("no_trace")));
    assert_eq!(pending, 0);
}
