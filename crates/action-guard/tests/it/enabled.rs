//! Who enabled sends is verified before each of them, by a guard that takes nobody's word.

use action_guard::{
    Actor, Controls, Decider, Guard, GuardError, Mode, Policy, PrivateKey, Proof, ProvenBy, Record,
    Refusal, Request, Standing, Target,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::fixtures::{ANA, actor, lists_ana, write};
use crate::guard_fixture::{Asked as _, Workbench, done, executed};

/// Made by OpenSSL for these tests.
const GATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH
-----END PRIVATE KEY-----";

fn key(pem: &str) -> PrivateKey {
    PrivateKey::parse_pem(pem).unwrap()
}

/// Lists Ana and the gate, and allows everything.
fn policy() -> Policy {
    let gate = format!(
        "[[gate]]\nname = \"one\"\nkey = \"{}\"\n",
        key(GATE).public()
    );
    let all = "[[rule]]\nname = \"all\"\ndecision = \"allow\"\n";
    (lists_ana() + &gate + all).parse().unwrap()
}

/// Where Ana has set the mode to execute, by a signature.
async fn bench() -> (Workbench, Guard, Controls) {
    let bench = Workbench::new().await;
    let gate = bench.guard_under(policy()).only_proven();
    // A process on the same journal that is under no policy.
    let local = bench.guard().controls();
    (bench, gate, local)
}

fn night() -> Actor {
    actor("agent:night").proven(ProvenBy::Signature)
}

fn turn(dial: &str) -> Request {
    Request::new("turn_dial", json!({"dial": dial, "value": 1}), &night())
}

/// What is refused, and nothing was sent.
#[track_caller]
fn is_not_enabled(bench: &Workbench, ran: Result<impl std::fmt::Debug, GuardError>, why: &str) {
    let error = ran.unwrap_err();
    let is_it = matches!(&error, GuardError::Refused(Refusal::NotEnabled { .. }));
    assert!(is_it, "{error:?}");
    assert!(error.report().contains(why), "{}", error.report());
    assert!(bench.server.senders("x").is_empty());
}

#[tokio::test]
async fn a_local_process_that_ends_a_stop_and_sets_execute_lets_nothing_be_sent() {
    let (bench, gate, local) = bench().await;
    let asked = gate.propose(turn("x")).await.unwrap().asked();
    gate.controls().stop(&night(), "wait").await.unwrap();
    let mallory = actor("user:mallory");
    local.reset(Decider::claimed(&mallory), "go").await.unwrap();
    let set = local.set_mode(Mode::Execute, Decider::claimed(&mallory), "go");
    set.await.unwrap();
    // A stop cancels what waits.
    let cancelled = executed(&gate, &asked).await;
    assert!(
        matches!(cancelled, Ok(Standing::Cancelled { .. })),
        "{cancelled:?}"
    );
    let asked = gate.propose(turn("x")).await.unwrap().asked();
    is_not_enabled(&bench, executed(&gate, &asked).await, "user:mallory");
    // A person sets it anew.
    let (ana, key) = (actor("user:ana"), key(ANA));
    let by = Decider::with_key(&ana, &key);
    gate.controls()
        .set_mode(Mode::Execute, by, "go")
        .await
        .unwrap();
    done(&gate, turn("x")).await;
}

/// Whoever writes records by hand says anything of who they are, and repeats what was signed.
#[tokio::test]
async fn no_record_by_hand_enables_sends() {
    let (bench, gate, local) = bench().await;
    let ana = actor("user:ana");
    let state = gate.state().await.unwrap();
    let signed = state.enabled.clone().unwrap().proof;
    let by_certificate = ana.clone().proven(ProvenBy::Signature);
    let forged = |by: &Actor, proof, attested| Record::Mode {
        target: None,
        mode: Mode::Execute,
        by: by.clone(),
        reason: "a test".to_owned(),
        proof,
        attested,
    };
    let carl = actor("user:carl");
    let records = [
        // A signature of before, a claim, and what no gate signed.
        forged(&ana, signed.clone(), None),
        forged(&carl, None, None),
        forged(&carl.clone().proven(ProvenBy::Signature), None, None),
        forged(&by_certificate, None, signed.clone()),
        forged(&carl.proven(ProvenBy::Signature), None, signed),
    ];
    for record in records {
        local
            .set_mode(Mode::Observe, Decider::claimed(&ana), "x")
            .await
            .unwrap();
        write(gate.journal(), [record.clone()]).await.unwrap();
        let asked = gate.propose(turn("x")).await.unwrap().asked();
        is_not_enabled(&bench, executed(&gate, &asked).await, "not proven");
    }
}

#[tokio::test]
async fn what_a_gate_signed_of_whom_it_knows_enables_sends() {
    let (bench, gate, _) = bench().await;
    let (carl, key_of_gate) = (actor("user:carl").proven(ProvenBy::Signature), key(GATE));
    let observe = gate.controls();
    observe
        .set_mode(Mode::Observe, Decider::claimed(&carl), "x")
        .await
        .unwrap();
    let execute = |by| {
        let controls = gate.controls();
        async move { controls.set_mode(Mode::Execute, by, "x").await }
    };
    // Without a key of the gate it is said at once, and not when something is to be sent.
    let refused = execute(Decider::claimed(&carl)).await.unwrap_err();
    assert!(refused.to_string().contains("session_key"), "{refused}");
    let other = key(ANA);
    execute(Decider::claimed(&carl).known_to(Some(&other)))
        .await
        .unwrap_err();
    let by = Decider::claimed(&carl).known_to(Some(&key_of_gate));
    execute(by).await.unwrap();
    done(&gate, turn("x")).await;
    // While the gate is listed.
    let all = "[[rule]]\nname = \"all\"\ndecision = \"allow\"\n";
    let unlisted: Policy = (lists_ana() + all).parse().unwrap();
    let gate = bench.guard_under(unlisted).only_proven();
    let asked = gate.propose(turn("y")).await.unwrap().asked();
    let ran = executed(&gate, &asked).await.unwrap_err();
    assert!(ran.report().contains("lists no gate"), "{}", ran.report());
}

#[tokio::test]
async fn the_mode_of_one_cluster_is_verified_too() {
    let (bench, gate, local) = bench().await;
    let dials = Target::new("dials", "the dials").named("prod");
    let gate = gate.clusters([dials.clone()]);
    let (mallory, local) = (actor("user:mallory"), local.of_cluster(dials));
    let by = Decider::claimed(&mallory);
    local.set_mode(Mode::Observe, by, "x").await.unwrap();
    local.set_mode(Mode::Execute, by, "x").await.unwrap();
    let asked = gate.propose(turn("x")).await.unwrap().asked();
    is_not_enabled(&bench, executed(&gate, &asked).await, "to cluster `prod`");
}

#[tokio::test]
async fn a_local_process_that_resumes_an_agent_resumes_nobody_here() {
    let (bench, gate, local) = bench().await;
    let (ana, key) = (actor("user:ana"), key(ANA));
    let asked = gate.propose(turn("x")).await.unwrap().asked();
    let signed = Decider::with_key(&ana, &key);
    let known = ana.clone().proven(ProvenBy::Signature);
    let pause = gate.controls();
    pause
        .pause(&night(), &known, None, "it runs wild")
        .await
        .unwrap();
    let mallory = actor("user:mallory");
    local
        .resume(&night(), Decider::claimed(&mallory), "well")
        .await
        .unwrap();
    for ran in [gate.propose(turn("y")).await, executed(&gate, &asked).await] {
        let error = ran.unwrap_err();
        let GuardError::Refused(refusal @ Refusal::Paused { .. }) = &error else {
            unreachable!("{error:?}");
        };
        assert!(refusal.to_string().contains("cannot verify"), "{refusal}");
    }
    assert!(bench.server.senders("x").is_empty());
    // It is paused and resumed by who can.
    pause.pause(&night(), &known, None, "again").await.unwrap();
    pause.resume(&night(), signed, "well").await.unwrap();
    done(&gate, turn("y")).await;
}

/// A pause after a resumption that does not count ends nothing, however short it is.
#[tokio::test]
async fn a_further_pause_does_not_end_one_that_nobody_proven_ended() {
    let (bench, gate, local) = bench().await;
    let (ana, key, mallory) = (actor("user:ana"), key(ANA), actor("user:mallory"));
    let known = ana.clone().proven(ProvenBy::Signature);
    let controls = gate.controls();
    controls
        .pause(&night(), &known, None, "it runs wild")
        .await
        .unwrap();
    for _ in 0..2 {
        let by = Decider::claimed(&mallory);
        local.resume(&night(), by, "well").await.unwrap();
        let soon = Timestamp::now() + SignedDuration::from_millis(1);
        local
            .pause(&night(), &mallory, Some(soon), "x")
            .await
            .unwrap();
        let over = async || {
            let state = gate.state().await.unwrap();
            state.paused_at("agent:night", Timestamp::now()).is_none()
        };
        while !over().await {
            tokio::task::yield_now().await;
        }
        let error = gate.propose(turn("x")).await.unwrap_err();
        let is_paused = matches!(error, GuardError::Refused(Refusal::Paused { .. }));
        assert!(is_paused, "{error:?}");
        let soon = Timestamp::now() + SignedDuration::from_hours(1);
        local
            .pause(&night(), &mallory, Some(soon), "x")
            .await
            .unwrap();
    }
    assert!(bench.server.senders("x").is_empty());
    // Who can end it ends all of it.
    let by = Decider::with_key(&ana, &key);
    controls.resume(&night(), by, "well").await.unwrap();
    done(&gate, turn("x")).await;
}

/// A signature is for the record that is made within five minutes, and for no later one in this or another journal.
#[tokio::test]
async fn what_was_signed_long_before_its_record_enables_nothing() {
    let bench = Workbench::new().await;
    let gate = bench.guard_under(policy()).only_proven();
    let (ana, key) = (actor("user:ana"), key(ANA));
    let state = gate.state().await.unwrap();
    let before = Timestamp::now() - SignedDuration::from_mins(6);
    let proof = Proof::of_mode(Mode::Execute, None, &ana, state.last_switch, before, &key);
    let record = Record::Mode {
        target: None,
        mode: Mode::Execute,
        by: ana,
        reason: "a test".to_owned(),
        proof: Some(proof),
        attested: None,
    };
    write(gate.journal(), [record]).await.unwrap();
    let asked = gate.propose(turn("x")).await.unwrap().asked();
    is_not_enabled(&bench, executed(&gate, &asked).await, "five minutes");
}
