//! A policy that is changed while a process runs.

use std::path::PathBuf;
use std::sync::Arc;

use action_guard::policy::{Act, PolicyFileError};
use action_guard::{Guard, GuardError, Hash, Policy, PolicyFile, Refusal, Rules as _, Ruling};
use jiff::Timestamp;
use serde_json::Value;

use crate::guard_fixture::{Workbench, ana, done, execute, proposed, summary, turn};
use crate::test_subject::{Hold, Sends};

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
    let hash = Some(Hash::of(ALLOWS.as_bytes()).to_string());
    let status = guard.proposal_status(&sent.id).await.unwrap();
    assert_eq!(ALLOWS.parse::<Policy>().unwrap().version(), hash);
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

/// Its intent is on disk, and it still reads, when the file is changed.
#[tokio::test]
async fn a_policy_that_changes_after_the_intent_keeps_it_from_being_sent() {
    let bench = Workbench::new().await;
    let reads = Hold::new();
    let (guard, file, path) = under_a_file(&bench);
    let slow = bench.guard_that(Sends {
        before_permit: Some(Arc::clone(&reads)),
        ..Sends::default()
    });
    let slow = slow.rules(file as Arc<_>);
    let allowed = proposed(&guard, turn("x", 2)).await;
    let run = tokio::spawn(async move { execute(&slow, &allowed).await });
    reads.is_reached().await;
    std::fs::write(&path, DENIES).unwrap();
    reads.let_go();
    let report = run.await.unwrap().unwrap();
    assert_eq!(
        summary(&report),
        (Value::from("not_applied"), Some("denied"))
    );
    assert!(bench.server.senders("x").is_empty());
}

/// Whoever asks the file asks the policy that is in it.
#[tokio::test]
async fn a_policy_file_answers_as_the_policy_in_it() {
    let bench = Workbench::new().await;
    let (guard, file, path) = under_a_file(&bench);
    let id = proposed(&guard, turn("x", 1)).await.id;
    let state = guard.state().await.unwrap();
    let status = state.proposal_status(&id).unwrap();
    let (proposal, plan) = (&status.proposal, &status.proposal.plan);
    let definition = guard.catalogue().definition("turn_dial").unwrap().clone();
    let now = Timestamp::now();
    let listed = format!(
        "{DENIES}[[person]]\nname = \"user:ana\"\nkey = \"{}\"\n",
        "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo="
    );
    for (text, allows) in [(ALLOWS, true), (&listed, false)] {
        std::fs::write(&path, text).unwrap();
        let ruled = file.rule(proposal, &definition, &state, now);
        assert_eq!(matches!(ruled, Ruling::Allow { .. }), allows);
        let actor = proposal.request.actor.as_str();
        let back = file.rule_taking_back(&definition, actor, "one", &state, now);
        assert_eq!(matches!(back, Ruling::Allow { .. }), allows);
        let send = file.allow_send(status, &definition, plan, &state, now);
        assert_eq!(send.is_ok(), allows);
        let at_send = file.allow_at_send(status, &definition, plan, &state, now);
        assert_eq!(at_send.is_ok(), allows);
        let unsigned = file.vouch(Act::Mode, &ana(), &Value::Null, None);
        assert_eq!(unsigned.is_ok(), allows);
        assert_eq!(file.version(), text.parse::<Policy>().unwrap().version());
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
