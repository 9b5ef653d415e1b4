//! A policy that is changed while a process runs.

use std::path::PathBuf;
use std::sync::Arc;

use action_core::OutcomeKind;
use action_guard::policy::PolicyFileError;
use action_guard::{Event, Guard, GuardError, Policy, PolicyFile, Refusal, Rules as _};

use crate::guard_fixture::{Workbench, done, proposed, turn};

const ALLOWS: &str = "version = 1\n[[rule]]\nname = \"all\"\ndecision = \"allow\"\n";
const DENIES: &str = "version = 1\n[[rule]]\nname = \"none\"\ndecision = \"deny\"\n";

fn under_a_file(bench: &Workbench) -> (Guard, Arc<PolicyFile>, PathBuf) {
    let path = bench.directory.path().join("policy.toml");
    std::fs::write(&path, ALLOWS).unwrap();
    let guard = bench.guard();
    let definitions = guard.catalogue().definitions().cloned().collect();
    let file = Arc::new(PolicyFile::open(&path, definitions).unwrap());
    (guard.rules(Arc::clone(&file) as Arc<_>), file, path)
}

#[tokio::test]
async fn a_tightened_policy_reaches_a_running_process_and_the_records_name_it() {
    let bench = Workbench::new().await;
    let (guard, _, path) = under_a_file(&bench);
    let sent = done(&guard, turn("x", 1)).await;
    let hash = ALLOWS.parse::<Policy>().unwrap().version();
    let status = guard.proposal_status(&sent.id).await.unwrap();
    assert!(hash.is_some());
    assert_eq!(status.proposal.policy, hash);
    assert_eq!(status.intent.as_ref().unwrap().policy, hash);

    let allowed = proposed(&guard, turn("x", 2)).await;
    std::fs::write(&path, DENIES).unwrap();
    let refused = guard
        .execute(&allowed, &allowed.requester().unwrap(), &mut |_| {})
        .await
        .unwrap_err();
    assert!(
        matches!(refused, GuardError::Refused(Refusal::Denied { .. })),
        "{refused}"
    );
    let refused = guard.propose(turn("x", 3)).await.unwrap_err();
    assert!(
        matches!(refused, GuardError::Refused(Refusal::Denied { .. })),
        "{refused}"
    );
    assert_eq!(bench.server.senders("x").len(), 1);
}

#[tokio::test]
async fn a_policy_that_changes_after_the_intent_keeps_it_from_being_sent() {
    let bench = Workbench::new().await;
    let (guard, _, path) = under_a_file(&bench);
    let allowed = proposed(&guard, turn("x", 2)).await;
    let mut tighten = |event| {
        if matches!(event, Event::Intent { .. }) {
            std::fs::write(&path, DENIES).unwrap();
        }
    };
    // The intent is on disk before anybody is told of it; the last look may be before or after.
    let report = guard
        .execute(&allowed, &allowed.requester().unwrap(), &mut tighten)
        .await
        .unwrap();
    match report.outcome.result {
        OutcomeKind::NotApplied => {
            assert_eq!(report.outcome.code.as_deref(), Some("denied"));
            assert!(bench.server.senders("x").is_empty());
        }
        _ => assert_eq!(bench.server.senders("x").len(), 1),
    }
}

#[tokio::test]
async fn what_is_not_valid_leaves_the_last_valid_one_in_force_and_says_so() {
    let bench = Workbench::new().await;
    let (guard, file, path) = under_a_file(&bench);
    for wrong in [
        "version = 1\n[[rule]]\nname = \"a\"\ndecison = \"deny\"\n",
        "version = 1\n[[rule]]\nname = \"a\"\naction = \"no_such\"\ndecision = \"deny\"\n",
    ] {
        std::fs::write(&path, wrong).unwrap();
        done(&guard, turn("x", 1)).await;
        let problem = guard.rules_problem().unwrap();
        assert!(problem.starts_with("line "), "{problem}");
        std::fs::write(&path, ALLOWS).unwrap();
        assert_eq!(file.problem(), None);
        done(&guard, turn("x", 0)).await;
    }
    std::fs::remove_file(&path).unwrap();
    assert!(guard.rules_problem().unwrap().contains("cannot be read"));
    done(&guard, turn("x", 1)).await;
    std::fs::write(&path, DENIES).unwrap();
    assert!(guard.propose(turn("x", 0)).await.is_err());
}

#[test]
fn what_is_no_file_is_no_policy() {
    let directory = tempfile::tempdir().unwrap();
    let error = PolicyFile::open(directory.path(), Vec::new()).unwrap_err();
    assert!(
        matches!(error, PolicyFileError::Unreadable { .. }),
        "{error}"
    );
}
