//! Tokens: who has one is its agent, for as long, as much and where a person said.

use std::sync::Arc;
use std::time::Duration;

use action_core::{OutcomeKind, Risk, Workflow};
use action_guard::policy::Confirmed;
use action_guard::{
    Actor, AgentToken, Approval, Controls, Decider, FileJournal, Guard, GuardError, Hash, Journal,
    MakeTokenError, MemoryJournal, Policy, PrivateKey, Proof, ProvenBy, Record, Refusal, Request,
    Standing, StartOptions, State, StatementSignature, StopCode, Target, TokenError, TokenGrant,
    TokenSecret, WaitPolicy, Workflows,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::fixtures::{ANA, ANA_PUBLIC, actor, refusal, write};
use crate::guard_fixture::{Asked as _, Workbench, done, execute};
use crate::test_subject::{Hold, Sends};
use crate::test_workflow_subject::Plant;
use crate::workflow_fixtures;

const MALLORY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH
-----END PRIVATE KEY-----";

fn key(pem: &str) -> PrivateKey {
    PrivateKey::parse_pem(pem).unwrap()
}

/// Ana has a key, and agents may do what their tokens allow.
fn policy(decision: &str) -> Policy {
    format!(
        "version = 1\n[[person]]\nname = \"user:ana\"\nkey = \"{ANA_PUBLIC}\"\n\
         [[person]]\nname = \"user:ben\"\nkey = \"{}\"\n\
         [[rule]]\nname = \"agents\"\n{decision}\n",
        key(MALLORY).public()
    )
    .parse()
    .unwrap()
}

const ALLOW: &str = "decision = \"allow\"";
const APPROVE: &str = "decision = \"approve\"\nby = \"user:*\"\nttl = \"15m\"";

fn gate(bench: &Workbench, decision: &str) -> Guard {
    of_gate(bench.guard(), decision)
}

fn of_gate(guard: Guard, decision: &str) -> Guard {
    let prod = Target::new("dials", "the dials").named("prod");
    let guard = guard.rules(Arc::new(policy(decision))).clusters([prod]);
    guard.only_proven()
}

fn after(minutes: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_mins(minutes)
}

fn grant(who: &str) -> TokenGrant {
    TokenGrant::new(actor(who), after(60), "prod", Risk::Medium)
}

/// A token of Ana's, and who has it.
async fn token(guard: &Guard, grant: TokenGrant) -> (String, TokenSecret, Actor) {
    let controls = guard.controls();
    let made = controls
        .make_token(grant, &actor("user:ana"), &key(ANA))
        .await;
    let (made, secret) = made.unwrap();
    let (who, _) = controls.authenticate(secret.reveal()).await.unwrap();
    (made.id, secret, who)
}

fn turn(dial: &str, who: &Actor) -> Request {
    Request::new("turn_dial", json!({"dial": dial, "value": 1}), who)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, GuardError>, why: &str) {
    let error = result.unwrap_err();
    assert!(
        matches!(error, GuardError::Refused(Refusal::Token { .. })),
        "{error:?}"
    );
    assert!(error.to_string().contains(why), "{error}");
}

#[tokio::test]
async fn who_has_a_token_is_its_agent_and_its_secret_is_nowhere() {
    let bench = Workbench::new().await;
    let gate = gate(&bench, ALLOW);
    let (id, secret, who) = token(&gate, grant("agent:night")).await;
    assert_eq!(who, actor("agent:night"));
    let made_by = "user:ana".to_owned();
    assert_eq!(who.proven_by(), &ProvenBy::Token { id, made_by });
    let done = done(&gate, turn("x", &who)).await;
    assert_eq!(done.outcome.result, OutcomeKind::Applied);
    let journal = FileJournal::open(bench.directory.path()).unwrap();
    let entries = journal.entries(0, usize::MAX).await.unwrap();
    let written = format!("{entries:?}{:?}", journal.state().await.unwrap());
    let random = &secret.reveal()[5..69];
    assert!(
        !written.contains(random) && !written.contains("[redacted]"),
        "{written}"
    );
    // Another gate on the same journal knows it too.
    let other = Guard::over(action_core::ActionRegistry::new(), Arc::new(journal));
    let other = of_gate(other, ALLOW).controls();
    let (same, _) = other.authenticate(secret.reveal()).await.unwrap();
    assert_eq!(same.proven_by(), who.proven_by());
    let state = gate.state().await.unwrap();
    let kept: State = serde_json::from_value(serde_json::to_value(&*state).unwrap()).unwrap();
    assert_eq!(kept.tokens, state.tokens);
}

#[tokio::test]
async fn what_is_no_token_that_counts_proves_nobody() {
    let bench = Workbench::new().await;
    let gate = gate(&bench, ALLOW);
    let (id, secret, _) = token(&gate, grant("agent:night")).await;
    let controls = gate.controls();
    let why = async |text: &str| controls.authenticate(text).await.unwrap_err();
    let text = secret.reveal();
    for other in [
        "",
        "agent:night",
        &text[1..],
        &text[..76],
        &format!("{text} "),
        &text.to_uppercase(),
    ] {
        assert!(matches!(why(other).await, TokenError::Malformed), "{other}");
    }
    // One that another journal has.
    let elsewhere = Workbench::new().await;
    let (_, other, _) = token(&self::gate(&elsewhere, ALLOW), grant("agent:night")).await;
    assert!(matches!(why(other.reveal()).await, TokenError::Unknown));
    controls
        .revoke_token(
            &id,
            &actor("user:ben").proven(ProvenBy::Signature),
            "leaked",
        )
        .await
        .unwrap();
    let over = why(text).await;
    assert_eq!(over.to_string(), format!("token `{id}`: it was revoked"));
    let ana = actor("user:ana").proven(ProvenBy::Signature);
    let again = controls.revoke_token(&id, &ana, "again").await.unwrap_err();
    assert!(again.to_string().contains("already revoked"), "{again}");
    let mut short = grant("agent:night");
    short.expires_at = Timestamp::now() + SignedDuration::from_millis(30);
    let made = controls
        .make_token(short, &actor("user:ana"), &key(ANA))
        .await;
    let (made, secret) = made.unwrap();
    while Timestamp::now() < made.grant.expires_at {
        tokio::task::yield_now().await;
    }
    let over = why(secret.reveal()).await;
    assert!(over.to_string().contains("it has expired"), "{over}");
}

#[tokio::test]
async fn only_people_make_tokens_and_only_for_agents() {
    let bench = Workbench::new().await;
    let controls = gate(&bench, ALLOW).controls();
    let check = async |grant: TokenGrant, by: &str, pem: &str, why: &str| {
        let made = controls.make_token(grant, &actor(by), &key(pem)).await;
        let Err(MakeTokenError::Commit(error)) = made else {
            unreachable!("{made:?}");
        };
        assert!(error.to_string().contains(why), "{error}");
    };
    check(grant("user:ana"), "user:ana", ANA, "not an agent").await;
    check(grant("system"), "user:ana", ANA, "not an agent").await;
    check(grant("agent:night"), "agent:day", ANA, "not proven").await;
    check(grant("agent:night"), "user:carl", ANA, "lists no key").await;
    check(
        grant("agent:night"),
        "user:ana",
        MALLORY,
        "does not match the key",
    )
    .await;
    let mut nowhere = grant("agent:night");
    nowhere.clusters.clear();
    check(nowhere, "user:ana", ANA, "names no cluster").await;
    let mut long = grant("agent:night");
    long.expires_at = after(367 * 24 * 60);
    check(long, "user:ana", ANA, "366 days").await;
    let mut past = grant("agent:night");
    past.expires_at = after(-1);
    check(past, "user:ana", ANA, "has expired").await;
    assert_eq!(bench.records("token_made").await, 0);
    let none = controls
        .revoke_token("no", &actor("user:ana").proven(ProvenBy::Signature), "x")
        .await;
    assert!(none.unwrap_err().to_string().contains("unknown token"));
    let night = actor("agent:night").proven(ProvenBy::Signature);
    assert!(controls.revoke_token("no", &night, "x").await.is_err());
}

/// Whoever can write the journal can write a token, and not sign it.
#[tokio::test]
async fn a_token_that_was_written_by_hand_proves_nobody() {
    let (journal, now) = (Arc::new(MemoryJournal::new()), Timestamp::now());
    let controls = Controls::new(journal.clone(), Arc::new(policy(ALLOW))).only_proven();
    let bench = Workbench::new().await;
    let right = token(&gate(&bench, ALLOW), grant("agent:night")).await;
    let state = gate(&bench, ALLOW).state().await.unwrap();
    let made = &state.tokens[&right.0].made;
    let signature = |proof: &Proof| -> StatementSignature { proof.signature.clone() };
    let secret = right.1.reveal();
    let mut altered = made.clone();
    altered.grant.up_to = Risk::High;
    let mut longer = made.clone();
    longer.grant.expires_at += SignedDuration::from_hours(1);
    let mut of_another = made.clone();
    of_another.grant.actor = actor("agent:day");
    let mut by_another = made.clone();
    by_another.by = actor("user:ben");
    let hash = Hash::of(b"another secret").to_string();
    let mut copied = AgentToken::new(
        hash,
        made.grant.clone(),
        made.by.clone(),
        made.proof.clone(),
    );
    copied.proof.signature = signature(&made.proof);
    for forged in [altered, longer, of_another, by_another] {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
        let controls = Controls::new(Arc::clone(&journal), Arc::new(policy(ALLOW)));
        let made = Box::new(forged);
        write(&*journal, [Record::TokenMade { made }])
            .await
            .unwrap();
        let error = controls.authenticate(secret).await.unwrap_err();
        assert!(
            matches!(error, TokenError::Over(Refusal::Token { .. })),
            "{error:?}"
        );
        assert!(
            error.to_string().contains("does not match the key"),
            "{error}"
        );
    }
    let mut renamed = made.clone();
    renamed.id = "0".repeat(12);
    let made = Box::new(renamed);
    refusal(write(&*journal, [Record::TokenMade { made }]).await);
    assert!(controls.authenticate(secret).await.is_err(), "at {now}");
}

#[tokio::test]
async fn a_token_is_for_its_agent_its_clusters_and_its_risk() {
    let bench = Workbench::new().await;
    let gate = gate(&bench, ALLOW);
    let (_, _, night) = token(&gate, grant("agent:night")).await;
    let day = actor("agent:day").proven(night.proven_by().clone());
    refused(
        gate.propose(turn("x", &day)).await,
        "it does not belong to `agent:day`",
    );
    let hold = Request::new("hold_dial", json!({"dial": "x"}), &night);
    refused(
        gate.propose(hold).await,
        "`hold_dial` has a higher risk than it allows",
    );
    let mut elsewhere = grant("agent:night");
    elsewhere.clusters = vec!["spare".to_owned()];
    let (_, _, spare) = token(&gate, elsewhere).await;
    refused(
        gate.propose(turn("x", &spare)).await,
        "not valid for the cluster `prod`",
    );
    let ProvenBy::Token { id, .. } = night.proven_by() else {
        unreachable!("{night:?}");
    };
    let (id, made_by) = (id.clone(), "user:ben".to_owned());
    let other = actor("agent:night").proven(ProvenBy::Token { id, made_by });
    refused(gate.propose(turn("x", &other)).await, "does not belong");
    let (id, made_by) = ("0123456789ab".to_owned(), "user:ana".to_owned());
    let none = actor("agent:night").proven(ProvenBy::Token { id, made_by });
    refused(gate.propose(turn("x", &none)).await, "unknown token");
    // Who goes along with somebody else's request brings no more than their token allows.
    let mut elsewhere = grant("agent:day");
    elsewhere.clusters = vec!["spare".to_owned()];
    let (_, _, day) = token(&gate, elsewhere).await;
    let beside = turn("x", &night).carried_out_by(&day);
    refused(
        gate.propose(beside).await,
        "not valid for the cluster `prod`",
    );
    assert_eq!(bench.records("proposed").await, 0);
    assert!(bench.server.senders("x").is_empty());
}

#[tokio::test]
async fn who_made_the_token_does_not_approve_what_is_asked_for_with_it() {
    let bench = Workbench::new().await;
    let gate = gate(&bench, APPROVE);
    let (_, _, night) = token(&gate, grant("agent:night")).await;
    let asked = gate.propose(turn("x", &night)).await.unwrap().asked();
    let controls = gate.controls();
    let approval = |who: &str, pem: &str| {
        let approval = Approval::new(actor(who), asked.plan_hash.clone(), after(5));
        approval.signed(&asked.id, &key(pem))
    };
    for name in ["user:ana", "user:Ana"] {
        let refused = controls
            .approve_as_signed(&asked.id, approval(name, ANA))
            .await;
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("somebody else must approve")
        );
    }
    controls
        .approve_as_signed(&asked.id, approval("user:ben", MALLORY))
        .await
        .unwrap();
    let report = execute(&gate, &asked).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
}

/// An agent has two tokens of two people; what one of them approves is not carried out with theirs.
#[tokio::test]
async fn who_made_the_token_that_carries_it_out_has_not_approved_it() {
    let bench = Workbench::new().await;
    let gate = gate(&bench, APPROVE);
    let (_, _, of_ana) = token(&gate, grant("agent:night")).await;
    let controls = gate.controls();
    let (ben, own) = (actor("user:ben"), key(MALLORY));
    let made = controls.make_token(grant("agent:night"), &ben, &own);
    let (_, secret) = made.await.unwrap();
    let (of_ben, _) = controls.authenticate(secret.reveal()).await.unwrap();
    let asked = gate.propose(turn("x", &of_ana)).await.unwrap().asked();
    let approval = Approval::new(actor("user:ben"), asked.plan_hash.clone(), after(5));
    let approval = approval.signed(&asked.id, &key(MALLORY));
    controls
        .approve_as_signed(&asked.id, approval)
        .await
        .unwrap();
    refused(
        gate.execute(&asked, &of_ben, &mut |_| {}).await,
        "`user:ben` created it and also approved",
    );
    assert_eq!(bench.records("intent").await, 0);
    let done = gate.execute(&asked, &of_ana, &mut |_| {}).await.unwrap();
    assert!(matches!(done, Standing::Applied(_)), "{done:?}");
}

#[tokio::test]
async fn what_was_asked_for_with_a_token_that_was_revoked_is_not_sent() {
    let bench = Workbench::new().await;
    let gate = gate(&bench, ALLOW);
    let (id, _, night) = token(&gate, grant("agent:night")).await;
    let asked = gate.propose(turn("x", &night)).await.unwrap().asked();
    let local = bench.guard().controls();
    local
        .revoke_token(&id, &actor("user:carl"), "leaked")
        .await
        .unwrap();
    refused(
        gate.execute(&asked, &night, &mut |_| {}).await,
        "it was revoked",
    );
    refused(gate.propose(turn("x", &night)).await, "it was revoked");
    assert_eq!(bench.records("intent").await, 0);
    assert!(bench.server.senders("x").is_empty());
}

/// The last look is right before the first byte.
#[tokio::test]
async fn a_token_that_is_revoked_after_the_intent_keeps_it_from_being_sent() {
    let bench = Workbench::new().await;
    let hold = Hold::new();
    let sends = Sends {
        before_permit: Some(Arc::clone(&hold)),
        ..Sends::default()
    };
    let gate = of_gate(bench.guard_that(sends), ALLOW);
    let (id, _, night) = token(&gate, grant("agent:night")).await;
    let asked = gate.propose(turn("x", &night)).await.unwrap().asked();
    let sending = tokio::spawn({
        let (gate, night) = (gate.clone(), night.clone());
        async move { gate.execute(&asked, &night, &mut |_| {}).await }
    });
    hold.is_reached().await;
    let local = bench.guard().controls();
    local
        .revoke_token(&id, &actor("user:carl"), "leaked")
        .await
        .unwrap();
    hold.let_go();
    let standing = sending.await.unwrap().unwrap();
    let Standing::NotApplied(report) = &standing else {
        unreachable!("{standing:?}");
    };
    assert_eq!(report.outcome.code.as_deref(), Some("denied"));
    assert!(
        report.outcome.summary.contains("it was revoked"),
        "{report:?}"
    );
    assert!(bench.server.senders("x").is_empty());
}

/// Whose key a policy lists no more has made no token.
#[tokio::test]
async fn the_tokens_of_who_is_no_longer_listed_count_no_more() {
    let bench = Workbench::new().await;
    let first = gate(&bench, ALLOW);
    let (_, secret, night) = token(&first, grant("agent:night")).await;
    let asked = first.propose(turn("x", &night)).await.unwrap().asked();
    let nobody: Policy = "version = 1\n[[rule]]\nname = \"all\"\ndecision = \"allow\"\n"
        .parse()
        .unwrap();
    let later = first.clone().rules(Arc::new(nobody));
    let error = later
        .controls()
        .authenticate(secret.reveal())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("lists no key"), "{error}");
    refused(
        later.execute(&asked, &night, &mut |_| {}).await,
        "lists no key",
    );
    assert!(bench.server.senders("x").is_empty());
}

/// Whoever carries it on acts with the authority of who started it, which is looked at for each step.
#[tokio::test]
async fn the_workflow_of_a_token_that_was_revoked_stops() {
    let plant = Plant::new();
    let guard = Guard::new(plant.registry(), MemoryJournal::new()).settle_for(Duration::ZERO);
    workflow_fixtures::execute(&guard).await;
    let prod = Target::new("plant", "plant 1").named("prod");
    let guard = guard
        .rules(Arc::new(policy(ALLOW)))
        .clusters([prod])
        .only_proven();
    let (id, _, night) = token(&guard, grant("agent:night")).await;
    let workflows = Workflows::new(guard.clone());
    let document = json!({"title": "two", "steps": [
        {"id": "open-a", "action": "open_valve", "parameters": {"valve": "a"}},
        {"id": "look", "confirm": "Look."},
        {"id": "open-b", "action": "open_valve", "parameters": {"valve": "b"}},
    ]});
    let workflow = Workflow::read(&document).unwrap();
    let flow = workflows
        .start(&workflow, &night, StartOptions::default())
        .await
        .unwrap();
    let carrier = Actor::system().proven(ProvenBy::Gate);
    let run = async || {
        let mut watch = |_| {};
        let run = workflows.run(&flow.id, &carrier, WaitPolicy::UntilPeople, &mut watch);
        run.await.unwrap()
    };
    run().await;
    assert_eq!(plant.open(), ["a"]);
    let ana = actor("user:ana").proven(ProvenBy::Signature);
    guard
        .controls()
        .revoke_token(&id, &ana, "leaked")
        .await
        .unwrap();
    let signed = Proof::of_confirmation(
        &Confirmed::new(&flow.id, "look", None),
        &ana,
        Timestamp::now(),
        &key(ANA),
    );
    let by = Decider::with_proof(&ana, &signed);
    workflows.confirm(&flow.id, "look", by, None).await.unwrap();
    let stopped = run().await.next_steps.stopped.unwrap();
    assert_eq!(stopped.code, StopCode::Failed);
    assert!(stopped.reason.contains("it was revoked"), "{stopped:?}");
    assert_eq!(plant.open(), ["a"]);
}
