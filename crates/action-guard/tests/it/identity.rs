//! Who it is, is proven where a policy lists keys.

use action_guard::policy::Confirmed;
use action_guard::{
    Actor, Approval, Journal, MemoryJournal, Mode, Policy, PrivateKey, Proof, Proposal, Record,
    Refusal, Rules, Ruling, State, Unrestricted,
};
use jiff::{SignedDuration, Timestamp};

use crate::fixtures::{actor, mode, proposal, refusal, write};
use crate::policy::action;

/// Keys that OpenSSL made for these tests.
const ALICE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----";
const ALICE_PUBLIC: &str = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo=";
const MALLORY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH
-----END PRIVATE KEY-----";

fn policy(top: &str) -> Policy {
    let text = format!(
        "version = 1\n{top}\n[[person]]\nname = \"user:alice\"\nkey = \"{ALICE_PUBLIC}\"\n\
         [[rule]]\nname = \"all\"\ndecision = \"approve\"\nby = \"user:*\"\nttl = \"15m\"\n"
    );
    text.parse().unwrap()
}

fn key(pem: &str) -> PrivateKey {
    PrivateKey::parse_pem(pem).unwrap()
}

fn agreement(by: &str) -> Approval {
    agreement_to(&proposal("a", "x"), by)
}

fn agreement_to(proposal: &Proposal, by: &str) -> Approval {
    let soon = Timestamp::now() + SignedDuration::from_mins(10);
    Approval::new(actor(by), proposal.plan_hash.clone(), soon)
}

#[track_caller]
fn not_proven(result: Result<(), Refusal>, why: &str) {
    let refusal = result.unwrap_err();
    assert!(matches!(refusal, Refusal::NotProven { .. }), "{refusal}");
    assert!(refusal.to_string().contains(why), "{refusal}");
}

#[test]
fn a_person_whose_key_is_listed_approves_with_that_key_only() {
    let policy = policy("");
    let vouch = |approval: &Approval| policy.vouch_for_approval("a", approval);
    vouch(&agreement("user:alice").signed("a", &key(ALICE))).unwrap();
    not_proven(vouch(&agreement("user:alice")), "a signature is required");
    not_proven(vouch(&agreement("user:ALICE")), "a signature is required");
    let forged = agreement("user:alice").signed("a", &key(MALLORY));
    not_proven(vouch(&forged), "does not match the key");
    vouch(&agreement("user:bob")).unwrap();
    not_proven(
        vouch(&agreement("user:bob").signed("a", &key(MALLORY))),
        "lists no key",
    );
}

#[test]
fn an_unsigned_approval_is_refused_where_signatures_are_required() {
    let policy = policy("require_signed = [\"approve\"]");
    not_proven(
        policy.vouch_for_approval("a", &agreement("user:bob")),
        "requires a signature",
    );
}

#[test]
fn a_signature_is_for_one_proposal_one_plan_and_one_expiry() {
    let policy = policy("");
    let signed = agreement("user:alice").signed("a", &key(ALICE));
    not_proven(
        policy.vouch_for_approval("b", &signed),
        "does not match the key",
    );
    let mut later = signed.clone();
    later.expires_at += SignedDuration::from_secs(1);
    not_proven(
        policy.vouch_for_approval("a", &later),
        "does not match the key",
    );
    let mut other = signed;
    other.plan_hash = proposal("a", "y").plan_hash;
    not_proven(
        policy.vouch_for_approval("a", &other),
        "does not match the key",
    );
}

#[test]
fn a_signed_switch_is_good_once_and_for_minutes() {
    let policy = policy("require_signed = [\"mode\", \"kill_reset\"]");
    let (alice, now) = (actor("user:alice"), Timestamp::now());
    let mut state = State::default();
    let proof = Proof::of_mode(Mode::Execute, None, &alice, 0, now, &key(ALICE));
    let vouch = |proof: Option<&Proof>, state: &State, now| {
        policy.vouch_for_mode(Mode::Execute, None, &alice, proof, state, now)
    };
    vouch(Some(&proof), &state, now).unwrap();
    not_proven(vouch(None, &state, now), "a signature is required");
    not_proven(
        vouch(Some(&proof), &state, now + SignedDuration::from_mins(6)),
        "five minutes",
    );
    not_proven(
        vouch(Some(&proof), &state, now - SignedDuration::from_mins(6)),
        "five minutes",
    );
    let reset = Proof::of_reset(None, &alice, 0, now, &key(ALICE));
    policy
        .vouch_for_reset(None, &alice, Some(&reset), &state, now)
        .unwrap();
    not_proven(vouch(Some(&reset), &state, now), "does not match the key");
    state.last_switch = 4;
    not_proven(vouch(Some(&proof), &state, now), "does not match the key");
    not_proven(
        policy.vouch_for_reset(None, &alice, Some(&reset), &state, now),
        "does not match the key",
    );
    policy
        .vouch_for_mode(
            Mode::Observe,
            None,
            &actor("agent:night"),
            None,
            &state,
            now,
        )
        .unwrap();
}

/// By whoever wants it signed: a step, and what is said of it.
#[test]
fn a_signed_confirmation_is_for_one_step_and_its_words() {
    let policy = policy("require_signed = [\"approve\"]");
    let (alice, now) = (actor("user:alice"), Timestamp::now());
    let signed = Confirmed::new("flow", "look", Some("fine"));
    let proof = Proof::of_confirmation(&signed, &alice, now, &key(ALICE));
    let vouch = |confirmed: Confirmed<'_>, proof: Option<&Proof>| {
        policy.vouch_for_confirmation(&confirmed, &alice, proof, now)
    };
    vouch(signed, Some(&proof)).unwrap();
    not_proven(vouch(signed, None), "a signature is required");
    for other in [
        Confirmed::new("other", "look", Some("fine")),
        Confirmed::new("flow", "leap", Some("fine")),
        Confirmed::new("flow", "look", None),
    ] {
        not_proven(vouch(other, Some(&proof)), "does not match the key");
    }
}

#[test]
fn who_confirms_the_time_is_proven_as_who_sets_the_mode() {
    let policy = policy("require_signed = [\"mode\"]");
    let (alice, now) = (actor("user:alice"), Timestamp::now());
    let mut state = State::default();
    let proof = Proof::of_clock(&alice, 0, now, &key(ALICE));
    let vouch = |by: &Actor, proof: Option<&Proof>, state: &State| {
        policy.vouch_for_clock(by, proof, state, now)
    };
    vouch(&alice, Some(&proof), &state).unwrap();
    not_proven(vouch(&alice, None, &state), "a signature is required");
    let bob = actor("user:bob");
    not_proven(vouch(&bob, None, &state), "requires a signature");
    let reset = Proof::of_reset(None, &alice, 0, now, &key(ALICE));
    not_proven(
        vouch(&alice, Some(&reset), &state),
        "does not match the key",
    );
    state.last_switch = 1;
    not_proven(
        vouch(&alice, Some(&proof), &state),
        "does not match the key",
    );
}

/// Where no policy lists keys, a signature is no proof of anything.
#[test]
fn a_signature_without_a_policy_is_refused() {
    let signed = agreement("user:alice").signed("a", &key(ALICE));
    not_proven(
        Unrestricted.vouch_for_approval("a", &signed),
        "no policy lists a key",
    );
    Unrestricted
        .vouch_for_approval("a", &agreement("user:alice"))
        .unwrap();
}

#[tokio::test]
async fn every_switch_is_numbered_so_that_a_signature_fits_once() {
    let journal = MemoryJournal::new();
    write(&journal, [mode(Mode::Execute)]).await.unwrap();
    assert_eq!(journal.state().await.unwrap().last_switch, 1);
    let killed = Record::Killed {
        target: None,
        by: actor("user:ana"),
        reason: "a test".to_owned(),
    };
    write(&journal, [killed]).await.unwrap();
    assert_eq!(journal.state().await.unwrap().last_switch, 2);
}

fn waiting(asked: &Proposal, signed: bool) -> Record {
    Record::Proposed {
        proposal: Box::new(asked.clone()),
        ruling: Ruling::Approve {
            rule: "all".to_owned(),
            by: vec!["user:al*".to_owned()],
            count: 1,
            ttl_ms: 60_000,
            signed,
            proven_by: Vec::new(),
        },
    }
}

fn approved(approval: Approval) -> Record {
    Record::Approved {
        id: "a".to_owned(),
        approval,
    }
}

#[tokio::test]
async fn only_those_whom_the_rule_names_can_approve_and_no_agent() {
    let (journal, asked) = (MemoryJournal::new(), proposal("a", "x"));
    write(&journal, [waiting(&asked, false)]).await.unwrap();
    let refused = refusal(write(&journal, [approved(agreement_to(&asked, "user:bob"))]).await);
    assert!(
        matches!(refused, Refusal::NotAmongApprovers { .. }),
        "{refused}"
    );
    let refused = refusal(write(&journal, [approved(agreement_to(&asked, "agent:alice"))]).await);
    assert!(matches!(refused, Refusal::NotAPerson { .. }), "{refused}");
    write(&journal, [approved(agreement_to(&asked, "user:Alice"))])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_forged_record_of_an_approval_lets_nothing_be_sent() {
    let (journal, asked) = (MemoryJournal::new(), proposal("a", "x"));
    write(&journal, [waiting(&asked, true)]).await.unwrap();
    let unsigned = refusal(write(&journal, [approved(agreement_to(&asked, "user:alice"))]).await);
    not_proven(Err(unsigned), "requires a signed approval");
    // Whoever writes the journal can write this; the rules are asked again before the send.
    let forged = agreement_to(&asked, "user:alice").signed("a", &key(MALLORY));
    write(&journal, [approved(forged)]).await.unwrap();
    let policy = policy("require_signed = [\"approve\"]");
    let state = journal.state().await.unwrap();
    let status = state.proposal_status("a").unwrap();
    let definition = action("turn", "low", "one_shot");
    let plan = &status.proposal.plan;
    let refused = policy.allow_send(status, &definition, plan, &state, Timestamp::now());
    let refused = refused.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "denied by rule `all (rule, line 6)`: needs 1 approval from user:* (0 so far)"
    );
}

/// Whoever can write the journal can write an approval: each part is looked at again before the
/// send, and each alone is enough to make it count for nothing.
#[tokio::test]
async fn each_part_of_an_approval_alone_makes_it_count_for_nothing() {
    let (journal, asked) = (MemoryJournal::new(), proposal("a", "x"));
    write(&journal, [waiting(&asked, false)]).await.unwrap();
    let state = journal.state().await.unwrap();
    let mut status = (**state.proposal_status("a").unwrap()).clone();
    status.proposal.request.actor = "user:alan".to_owned();
    let policy: Policy = format!(
        "version = 1\n[[person]]\nname = \"user:alice\"\nkey = \"{ALICE_PUBLIC}\"\n\
         [[rule]]\nname = \"all\"\ndecision = \"approve\"\nby = \"user:al*\"\nttl = \"15m\"\n"
    )
    .parse()
    .unwrap();
    let definition = action("turn", "low", "one_shot");
    let now = Timestamp::now();
    let counts = |approval: Approval| {
        let mut status = status.clone();
        status.approvals = vec![approval];
        let plan = &status.proposal.plan;
        policy
            .allow_send(&status, &definition, plan, &state, now)
            .is_ok()
    };
    let right = || agreement_to(&asked, "user:alfred");
    assert!(counts(right()));
    let mut over = right();
    over.expires_at = now;
    assert!(!counts(over));
    let mut of_another_plan = right();
    of_another_plan.plan_hash = proposal("a", "y").plan_hash;
    assert!(!counts(of_another_plan));
    assert!(!counts(agreement_to(&asked, "user:Alan")), "their own");
    assert!(!counts(agreement_to(&asked, "user:bob")), "not asked for");
    let forged = agreement_to(&asked, "user:alice").signed("a", &key(MALLORY));
    assert!(!counts(forged));
    let signed = agreement_to(&asked, "user:alice").signed("a", &key(ALICE));
    assert!(counts(signed));
}
