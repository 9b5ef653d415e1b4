//! Lost replies, crashes and servers that are not there.

use std::time::Duration;

use action_core::{FailureKind, OutcomeKind};
use action_guard::{Event, Guard, Request};
use pd_sim::{Fault, Outage, Sim};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{guard, guard_in, propose, records};

/// A guard over a simulated cluster, and a transfer that it would accept.
async fn fixture() -> (Sim, Guard, TempDir, u64, u64) {
    let sim = Sim::builder()
        .stores(5)
        .regions(30)
        .seed(7)
        .start()
        .await
        .unwrap();
    let (guard, directory) = guard(sim.endpoint()).await;
    let id = sim.region_ids()[3];
    let leader = sim.leader_of(id);
    let peers = sim.peers(id);
    let other = peers
        .iter()
        .find(|peer| Some(peer.store_id) != leader)
        .unwrap()
        .store_id;
    (sim, guard, directory, id, other)
}

fn request(region: u64, to: u64) -> Value {
    json!({"region_id": region, "to_store_id": to})
}

/// Executes a transfer whose `POST` fails in some way, and looks what becomes of it.
async fn outcome_of(fault: Fault) -> (OutcomeKind, Option<String>, usize, bool) {
    let (sim, guard, _directory, id, other) = fixture().await;
    sim.fault(fault);
    let proposal = propose(&guard, "transfer_leader", request(id, other)).await;
    let report = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    let moved = sim.leader_of(id) == Some(other);
    let sends = sim.received("POST", "/operators");
    (report.outcome.result, report.outcome.code, sends, moved)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_after_pd_applied_is_found_applied() {
    let fault = Fault::reply_lost_after_apply("POST", "/operators");
    let (result, _, sends, moved) = outcome_of(fault).await;
    assert_eq!((result, sends, moved), (OutcomeKind::Applied, 1, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_answer_cut_short_is_found_applied() {
    let fault = Fault::truncated_after_apply("POST", "/operators");
    let (result, _, sends, moved) = outcome_of(fault).await;
    assert_eq!((result, sends, moved), (OutcomeKind::Applied, 1, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_lost_before_pd_applied_is_found_not_applied_in_the_end() {
    let fault = Fault::dropped_before_apply("POST", "/operators");
    let (result, code, sends, moved) = outcome_of(fault).await;
    assert_eq!((result, sends, moved), (OutcomeKind::NotApplied, 1, false));
    assert_eq!(code.as_deref(), Some("no_trace"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_pd_decides_nothing() {
    let fault = Fault::panicked("POST", "/operators");
    let (result, _, sends, moved) = outcome_of(fault).await;
    assert_eq!((result, sends, moved), (OutcomeKind::NotApplied, 1, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn pds_refusal_is_an_outcome_in_pds_words() {
    let words = "[PD:operator:ErrAddOperator]failed to add operator, maybe already have one";
    let body = format!("\"{words}\"\n");
    let fault = Fault::answer("POST", "/operators", 500, "application/json", &body);
    let (sim, guard, _directory, id, other) = fixture().await;
    sim.fault(fault);
    let proposal = propose(&guard, "transfer_leader", request(id, other)).await;
    let outcome = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap()
        .outcome;
    assert_eq!(
        (outcome.result, outcome.summary.as_str()),
        (OutcomeKind::NotApplied, words)
    );
    assert_eq!(outcome.code.as_deref(), Some("PD:operator:ErrAddOperator"));
    assert!(outcome.retryable);
}

/// The caller goes as soon as the intent is on disk, and once PD has accepted.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_does_not_stop_the_following() {
    for accepted in [false, true] {
        let (sim, guard, _directory, id, other) = fixture().await;
        let proposal = propose(&guard, "transfer_leader", request(id, other)).await;
        let (reached, mut wait) = tokio::sync::mpsc::unbounded_channel();
        let mut watch = move |event: Event| {
            let there = match event {
                Event::Intent { .. } => !accepted,
                Event::Accepted(_) => accepted,
                _ => false,
            };
            if there {
                let _ = reached.send(());
            }
        };
        let by = proposal.requester().unwrap();
        tokio::select! {
            biased;
            _ = wait.recv() => {}
            _ = guard.execute(&proposal, &by, &mut watch) => {}
        }
        let ended = loop {
            let status = guard.proposal_status(&proposal.id).await.unwrap();
            if status.phase.is_end() {
                break status;
            }
            tokio::task::yield_now().await;
        };
        let sends = sim.received("POST", "/operators");
        let outcome = ended.outcome.as_ref().unwrap();
        let expected = if sim.leader_of(id) == Some(other) {
            OutcomeKind::Applied
        } else {
            OutcomeKind::NotApplied
        };
        assert_eq!(outcome.result, expected, "{outcome:?}");
        // Whoever went before the send has called it off, unless it was too late for that.
        assert!(sends == 1 || (!accepted && outcome.code.as_deref() == Some("cancelled")));
        assert!(guard.recover(&mut |_| {}).await.unwrap().is_empty());
        assert_eq!(sim.received("POST", "/operators"), sends);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_pds_leader_duplicates_nothing() {
    let sim = Sim::builder()
        .stores(5)
        .regions(30)
        .members(3)
        .seed(7)
        .start()
        .await
        .unwrap();
    let (guard, _directory) = guard(&sim.endpoints().join(",")).await;
    let id = sim.region_ids()[3];
    let leader = sim.leader_of(id);
    let peers = sim.peers(id);
    let other = peers
        .iter()
        .find(|peer| Some(peer.store_id) != leader)
        .unwrap()
        .store_id;
    let proposal = propose(&guard, "transfer_leader", request(id, other)).await;
    sim.fault(Fault::reply_lost_after_apply("POST", "/operators"));
    let mut changed = false;
    let report = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |event| {
            if matches!(event, Event::Unanswered { .. }) && !changed {
                changed = true;
                sim.change_leader(Duration::from_secs(1), Outage::RedirectFailed);
            }
        })
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert!(changed);
    assert_eq!(sim.received("POST", "/operators"), 1);
    let moved = sim.leader_of(id) == Some(other);
    let expected = if moved {
        OutcomeKind::Applied
    } else {
        OutcomeKind::NotApplied
    };
    assert_eq!(report.outcome.result, expected, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pd_that_is_not_there_is_unavailable_and_nothing_is_recorded() {
    for endpoint in ["http://127.0.0.1:1", "http://no-such-host.invalid:2379"] {
        let (guard, _directory) = guard(endpoint).await;
        let request = Request::new("drain_store", json!({"store_id": "1"}), "system");
        let error = guard.propose(request).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Unavailable, "{}", error.report());
        assert!(records(&guard).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_is_never_written_to() {
    let (sim, guard, directory, id, other) = fixture().await;
    let proposal = propose(&guard, "transfer_leader", request(id, other)).await;
    let elsewhere = Sim::builder()
        .cluster_id(42)
        .stores(5)
        .regions(30)
        .seed(7)
        .start()
        .await;
    let elsewhere = elsewhere.unwrap();
    let guard = guard_in(elsewhere.endpoint(), &directory);
    let error = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap_err()
        .report();
    let expected = format!(
        "not sent: it was planned for `{}`, but `42` answers",
        sim.cluster_id()
    );
    assert_eq!(error, expected);
    assert!(elsewhere.writes().is_empty());
}
