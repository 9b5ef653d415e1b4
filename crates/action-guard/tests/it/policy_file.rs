//! A policy that is changed while a process runs.

use std::path::PathBuf;
use std::sync::Arc;

use action_guard::policy::{Act, PolicyFileError};
use action_guard::{
    Event, Guard, Hash, Phase, Policy, PolicyFile, Proposal, Rules as _, Ruling, Standing,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::fixtures::actor;
use crate::guard_fixture::{Workbench, ana, done, execute, executed, proposed, summary, turn};
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
    let sent = executed(&guard, &allowed).await.unwrap();
    let proposed = guard.propose(turn("x", 3)).await.unwrap();
    for standing in [sent, proposed] {
        assert!(matches!(standing, Standing::Denied { .. }), "{standing:?}");
    }
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
        let actor_of = proposal.request.actor.as_str();
        let back = file.rule_taking_back(&definition, &actor(actor_of), "one", &state, now);
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
async fn what_is_not_valid_leaves_the_last_valid_one_in_force_and_nothing_is_sent() {
    let bench = Workbench::new().await;
    let (guard, file, path) = under_a_file(&bench);
    for wrong in [
        "version = 1\n[[rule]]\nname = \"a\"\ndecison = \"deny\"\n",
        "version = 1\n[[rule]]\nname = \"a\"\naction = \"no_such\"\ndecision = \"deny\"\n",
    ] {
        std::fs::write(&path, wrong).unwrap();
        let allowed = proposed(&guard, turn("x", 1)).await;
        let problem = guard.rules_problem().unwrap();
        let named = format!("invalid policy `{}`: line ", path.display());
        assert!(problem.starts_with(&named), "{problem}");
        nothing_is_sent_because(&guard, &allowed, &problem).await;
        std::fs::write(&path, ALLOWS).unwrap();
        assert_eq!(file.problem(), None);
        execute(&guard, &allowed).await.unwrap();
        done(&guard, turn("x", 0)).await;
    }
    std::fs::remove_file(&path).unwrap();
    let problem = guard.rules_problem().unwrap();
    assert!(problem.contains("cannot read"), "{problem}");
    let allowed = proposed(&guard, turn("x", 1)).await;
    nothing_is_sent_because(&guard, &allowed, &problem).await;
    std::fs::write(&path, DENIES).unwrap();
    let standing = guard.propose(turn("x", 0)).await.unwrap();
    assert!(matches!(standing, Standing::Denied { .. }), "{standing:?}");
}

async fn nothing_is_sent_because(guard: &Guard, allowed: &Proposal, problem: &str) {
    let refused = execute(guard, allowed).await.unwrap_err();
    let words = format!("not sent: {problem}; nothing is sent until this is fixed");
    assert_eq!(refused.report(), words);
    // What was allowed stays so: it is carried out once the file is right.
    let status = guard.proposal_status(&allowed.id).await.unwrap();
    assert_eq!((status.phase, &status.intent), (Phase::Approved, &None));
}

/// It was planned again when the file breaks: that is found before the intent is written.
#[tokio::test]
async fn a_policy_that_breaks_after_the_plan_is_found_before_the_intent() {
    let bench = Workbench::new().await;
    let (guard, _, path) = under_a_file(&bench);
    let allowed = proposed(&guard, turn("x", 1)).await;
    let by = allowed.requester().unwrap();
    let mut breaks = |event| match event {
        Event::Replanned(_) => std::fs::write(&path, "version = ").unwrap(),
        other => unreachable!("{other:?}"),
    };
    let refused = guard.execute(&allowed, &by, &mut breaks).await.unwrap_err();
    let named = format!("not sent: invalid policy `{}`: line 1", path.display());
    assert!(refused.report().starts_with(&named), "{refused}");
    assert_eq!(bench.records("intent").await, 0);
    assert!(bench.server.senders("x").is_empty());
}

#[tokio::test]
async fn a_policy_that_breaks_after_the_intent_keeps_it_from_being_sent() {
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
    std::fs::remove_file(&path).unwrap();
    reads.let_go();
    let report = run.await.unwrap().unwrap();
    assert_eq!(
        summary(&report),
        (Value::from("not_applied"), Some("denied"))
    );
    let words = &report.outcome.summary;
    assert!(words.contains(&*path.display().to_string()), "{words}");
    assert!(bench.server.senders("x").is_empty());
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
