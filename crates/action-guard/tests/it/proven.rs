//! Where nobody's word is taken for who they are, what is claimed moves nothing.

use std::sync::Arc;
use std::time::Duration;

use action_core::{OutcomeKind, Workflow};
use action_guard::{
    Actor, Approval, Controls, Decider, FileJournal, Guard, GuardError, Journal, MemoryJournal,
    Mode, ModeError, Phase, Policy, PrivateKey, Proof, ProvenBy, Reaped, Refusal, Request,
    StartOptions, WaitPolicy, Workflows,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::fixtures::{ANA, actor, lists_ana};
use crate::guard_fixture::{Asked as _, Workbench, ana, done, execute, hold, proposed, turn};
use crate::test_workflow_subject::Plant;
use crate::workflow_fixtures::open;

fn key() -> PrivateKey {
    PrivateKey::parse_pem(ANA).unwrap()
}

/// Agents wait for a person, and what is taken back does not.
fn policy() -> Policy {
    let people = lists_ana();
    format!(
        "{people}\
         [[rule]]\nname = \"back\"\naction = \"release_dial\"\ndecision = \"allow\"\n\
         [[rule]]\nname = \"agents\"\nactor = \"agent:*\"\ndecision = \"approve\"\n\
         by = \"user:*\"\nttl = \"15m\"\n\
         [[rule]]\nname = \"all\"\ndecision = \"allow\"\n"
    )
    .parse()
    .unwrap()
}

/// Everybody may do everything.
fn open_policy() -> Policy {
    let all = "[[rule]]\nname = \"all\"\ndecision = \"allow\"\n";
    (lists_ana() + all).parse().unwrap()
}

fn proven(who: &str) -> Actor {
    actor(who).proven(ProvenBy::Signature)
}

/// A request by an agent for whom it was proven.
fn proven_turn(dial: &str) -> Request {
    let parameters = json!({"dial": dial, "value": 1});
    Request::new("turn_dial", parameters, &proven("agent:night"))
}

#[track_caller]
fn not_proven<T: std::fmt::Debug>(result: Result<T, impl Into<GuardError>>, who: &str) {
    let error = result.unwrap_err().into();
    let GuardError::Refused(Refusal::NotProven { by, .. }) = &error else {
        unreachable!("{error:?}");
    };
    assert_eq!(by.as_str(), who);
}

#[tokio::test]
async fn what_is_claimed_is_not_proposed() {
    let bench = Workbench::new().await;
    let gate = bench.guard_under(open_policy()).only_proven();
    not_proven(gate.propose(turn("x", 1)).await, "agent:night");
    not_proven(gate.draft(turn("x", 1)).await, "agent:night");
    let beside = proven_turn("x").carried_out_by(&ana());
    not_proven(gate.propose(beside).await, "user:ana");
    assert_eq!(bench.records("proposed").await, 0);
    let done = done(&gate, proven_turn("x")).await;
    assert_eq!(done.outcome.result, OutcomeKind::Applied);
    not_proven(
        gate.propose_undo(&done.id, &ana(), "back").await,
        "user:ana",
    );
    let status = gate.proposal_status(&done.id).await.unwrap();
    assert_eq!(status.proposal.request.proven_by, ProvenBy::Signature);
    let by = status.intent.as_ref().unwrap().by.as_ref().unwrap();
    assert_eq!(by.proven_by(), &ProvenBy::Signature);
}

/// A process that takes everybody's word has proven nothing, whatever it is told.
#[tokio::test]
async fn elsewhere_everybody_is_written_down_as_claimed() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let asked = proven_turn("x").carried_out_by(&proven("user:ana"));
    let asked = proposed(&guard, asked).await;
    let by = proven("agent:night");
    let report = guard.execute(&asked, &by, &mut |_| {}).await.unwrap();
    let held = proposed(&guard, turn("y", 1)).await;
    let cancelled = guard.cancel(&held.id, &by, "no").await.unwrap();
    assert!(
        cancelled
            .cancel
            .as_ref()
            .unwrap()
            .by
            .proven_by()
            .is_claimed()
    );
    let status = guard.proposal_status(&asked.id).await.unwrap();
    assert!(
        status
            .proposal
            .request
            .proofs()
            .all(|(_, by)| by.is_claimed()),
        "{report}"
    );
    let by = status.intent.as_ref().unwrap().by.as_ref().unwrap();
    assert!(by.proven_by().is_claimed());
}

#[tokio::test]
async fn what_a_local_process_proposed_is_not_carried_out() {
    let bench = Workbench::new().await;
    let asked = proposed(&bench.guard(), turn("x", 1)).await;
    let gate = bench.guard_under(open_policy()).only_proven();
    not_proven(
        gate.execute(&asked, &actor("agent:night"), &mut |_| {})
            .await,
        "agent:night",
    );
    // Also when who carries it out is proven.
    not_proven(
        gate.execute(&asked, &proven("agent:night"), &mut |_| {})
            .await,
        "agent:night",
    );
    assert_eq!(bench.records("intent").await, 0);
    assert!(bench.server.senders("x").is_empty());
}

/// What was allowed to a proven name is not carried out by whoever says it is theirs.
#[tokio::test]
async fn a_local_process_does_not_carry_out_what_a_proven_one_asked_for() {
    let bench = Workbench::new().await;
    let gate = bench.guard_under(open_policy()).only_proven();
    let asked = gate.propose(proven_turn("x")).await.unwrap().asked();
    let local = bench.guard();
    let by = actor("agent:night");
    not_proven(local.execute(&asked, &by, &mut |_| {}).await, "agent:night");
    assert!(bench.server.senders("x").is_empty());
    let report = execute(&gate, &asked).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
}

#[tokio::test]
async fn what_a_local_process_approved_is_not_carried_out() {
    let bench = Workbench::new().await;
    let gate = bench.guard_under(policy()).only_proven();
    let asked = gate.propose(proven_turn("x")).await.unwrap().asked();
    let local = bench.guard_under(policy()).controls();
    let (ben, by) = (actor("user:ben"), proven("agent:night"));
    local
        .approve(&asked.id, &asked.plan_hash, Decider::claimed(&ben), None)
        .await
        .unwrap();
    not_proven(gate.execute(&asked, &by, &mut |_| {}).await, "user:ben");
    assert_eq!(bench.records("intent").await, 0);
    assert!(bench.server.senders("x").is_empty());
}

/// The agreement is signed where the key is, and handed in.
#[tokio::test]
async fn what_was_signed_elsewhere_is_carried_out() {
    let bench = Workbench::new().await;
    let gate = bench.guard_under(policy()).only_proven();
    let asked = gate.propose(proven_turn("x")).await.unwrap().asked();
    let controls = gate.controls();
    let (person, id, hash) = (actor("user:ana"), asked.id.as_str(), &asked.plan_hash);
    let until = |minutes| Timestamp::now() + SignedDuration::from_mins(minutes);
    let claimed = controls.approve(id, hash, Decider::claimed(&person), None);
    not_proven(claimed.await, "user:ana");
    let unsigned = Approval::new(person.clone(), hash.clone(), until(10));
    not_proven(controls.approve_as_signed(id, unsigned).await, "user:ana");
    let long = Approval::new(person.clone(), hash.clone(), until(30)).signed(id, &key());
    let refused = controls.approve_as_signed(id, long).await.unwrap_err();
    assert!(refused.to_string().contains("longer than"), "{refused}");
    let mut altered = Approval::new(person.clone(), hash.clone(), until(10)).signed(id, &key());
    altered.reason = Some("more".to_owned());
    not_proven(controls.approve_as_signed(id, altered).await, "user:ana");
    let signed = Approval::new(person, hash.clone(), until(10)).signed(id, &key());
    let status = controls.approve_as_signed(id, signed).await.unwrap();
    assert_eq!(status.phase, Phase::Approved);
    let report = execute(&gate, &asked).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
}

/// A record alone does not make a proof: an approval says it by its signature.
#[tokio::test]
async fn an_approval_that_only_says_that_it_is_proven_counts_for_nothing() {
    let bench = Workbench::new().await;
    let gate = bench.guard_under(policy()).only_proven();
    let asked = gate.propose(proven_turn("x")).await.unwrap().asked();
    let soon = Timestamp::now() + SignedDuration::from_mins(10);
    let forged = Approval::new(proven("user:ben"), asked.plan_hash.clone(), soon);
    let journal = FileJournal::open(bench.directory.path()).unwrap();
    let record = action_guard::Record::Approved {
        id: asked.id.clone(),
        approval: forged,
    };
    crate::fixtures::write(&journal, [record]).await.unwrap();
    let by = proven("agent:night");
    not_proven(gate.execute(&asked, &by, &mut |_| {}).await, "user:ben");
    assert!(bench.server.senders("x").is_empty());
}

#[tokio::test]
async fn nobody_decides_by_their_word_and_everybody_may_stop() {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    let controls = Controls::new(Arc::clone(&journal), Arc::new(policy())).only_proven();
    let (ben, ana) = (actor("user:ben"), actor("user:ana"));
    let claimed = || Decider::claimed(&ben);
    for mode in [Mode::Execute, Mode::Observe] {
        let refused = controls.set_mode(mode, claimed(), "go").await.unwrap_err();
        let ModeError::Commit(refused) = refused else {
            unreachable!("{refused:?}");
        };
        not_proven(Err::<(), _>(refused), "user:ben");
    }
    not_proven(controls.confirm_clock(claimed(), "it is").await, "user:ben");
    not_proven(controls.reject("a", &ben, "no").await, "user:ben");
    not_proven(controls.cancel("a", &ben, "no").await, "user:ben");
    let applied = OutcomeKind::Applied;
    not_proven(
        controls.resolve("a", &ben, applied, "seen").await,
        "user:ben",
    );
    not_proven(controls.release("a", &ben, "gone").await, "user:ben");
    let (now, after) = (Timestamp::now(), journal.state().await.unwrap().last_switch);
    let proof = Proof::of_mode(Mode::Execute, None, &ana, after, now, &key());
    let signed = Decider::with_proof(&ana, &proof);
    controls
        .set_mode(Mode::Execute, signed, "go")
        .await
        .unwrap();
    // It was for that switch only.
    let again = controls.set_mode(Mode::Execute, signed, "go").await;
    assert!(again.is_err());
    controls.stop(&ben, "smoke").await.unwrap();
    not_proven(controls.reset(claimed(), "over").await, "user:ben");
    let after = journal.state().await.unwrap().last_switch;
    let proof = Proof::of_reset(None, &ana, after, now, &key());
    controls
        .reset(Decider::with_proof(&ana, &proof), "over")
        .await
        .unwrap();
    assert!(journal.state().await.unwrap().killed.is_none());
}

/// A local process that reaps has only said that it does.
#[tokio::test]
async fn what_a_local_process_proposed_as_system_is_not_reaped_here() {
    let bench = Workbench::new().await;
    let held = hold("x").lease(Duration::ZERO);
    let held = Request::new(held.action, held.parameters, &proven("agent:night"));
    let gate = bench.guard_under(open_policy()).only_proven();
    let held = done(&gate, held.lease(Duration::ZERO)).await;
    let theirs = bench
        .guard()
        .propose_undo(&held.id, &Actor::system(), "it has expired")
        .await
        .unwrap()
        .asked();
    let reaped = gate.reap(&mut |_| {}).await.unwrap();
    let [Reaped::Left { why, .. }] = &reaped[..] else {
        unreachable!("{reaped:?}");
    };
    assert!(why.contains("identity of `system` is not proven"), "{why}");
    let controls = gate.controls();
    controls
        .cancel(&theirs.id, &proven("user:ana"), "no")
        .await
        .unwrap();
    let reaped = gate.reap(&mut |_| {}).await.unwrap();
    let [Reaped::Sent { report, .. }] = &reaped[..] else {
        unreachable!("{reaped:?}");
    };
    let status = gate.proposal_status(&report.id).await.unwrap();
    assert_eq!(status.proposal.request.proven_by, ProvenBy::Gate);
    assert!(!bench.server.dial("x").held);
}

#[tokio::test]
async fn a_workflow_is_started_carried_on_and_ended_by_who_is_proven() {
    let plant = Plant::new();
    let guard = Guard::new(plant.registry(), MemoryJournal::new()).settle_for(Duration::ZERO);
    crate::workflow_fixtures::execute(&guard).await;
    let gate = Workflows::new(guard.clone().rules(Arc::new(open_policy())).only_proven());
    let workflow = Workflow::read(&open(&["a"])).unwrap();
    let (claimed, night) = (actor("agent:night"), proven("agent:night"));
    let options = StartOptions::default;
    not_proven(
        gate.start(&workflow, &claimed, options()).await,
        "agent:night",
    );
    let local = Workflows::new(guard);
    let theirs = local.start(&workflow, &claimed, options()).await.unwrap();
    let run = async |id: &str, by: &Actor| gate.run(id, by, WaitPolicy::Now, &mut |_| {}).await;
    // Who goes on is proven, and who started it is not.
    not_proven(run(&theirs.id, &night).await, "agent:night");
    not_proven(gate.cancel(&theirs.id, &claimed, "no").await, "agent:night");
    not_proven(gate.resume(&theirs.id, &claimed, "go").await, "agent:night");
    let ours = gate.start(&workflow, &night, options()).await.unwrap();
    not_proven(run(&ours.id, &claimed).await, "agent:night");
    assert!(plant.sent().is_empty());
    assert!(run(&ours.id, &night).await.unwrap().flow.ended.is_some());
    assert_eq!(plant.open(), ["a"]);
}

/// A local process that claims to be them asks first, with the same key.
#[tokio::test]
async fn what_is_claimed_is_no_earlier_request_of_whoever_is_proven() {
    let bench = Workbench::new().await;
    let minute = Duration::from_secs(60);
    let claimed = bench.guard_under(policy());
    let gate = bench.guard_under(policy()).only_proven();
    for (dial, key) in [("x", Some("k")), ("y", None)] {
        let mut request = proven_turn(dial);
        request.idempotency_key = key.map(str::to_owned);
        let theirs = claimed.propose_once(request.clone(), minute).await.unwrap();
        let ours = gate.propose_once(request.clone(), minute).await.unwrap();
        assert!(!theirs.repeated && !ours.repeated, "{ours:?}");
        assert_ne!(theirs.standing.proposal_id(), ours.standing.proposal_id());
        let again = gate.propose_once(request, minute).await.unwrap();
        assert!(again.repeated);
        assert_eq!(again.standing.proposal_id(), ours.standing.proposal_id());
    }
}
