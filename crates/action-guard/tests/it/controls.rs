//! What people decide, and what no number of processes can decide twice.

use std::sync::Arc;

use action_core::Accepted;
use action_guard::{
    Answer, CommitError, Controls, Decider, Journal, MemoryJournal, Mode, ModeError, Phase,
    PlanHash, Policy, PrivateKey, Proposal, Record, Refusal, Rules, Ruling, Unrestricted,
};

use crate::fixtures::{actor, allow, intent, mode, proposal, proposed, refusal, write};

/// Controls over a journal in memory with one proposal that waits for one person.
async fn controls() -> (Controls, Arc<MemoryJournal>, Proposal) {
    let journal = Arc::new(MemoryJournal::new());
    let asked = proposal("a", "x");
    let waits = Record::Proposed {
        proposal: Box::new(asked.clone()),
        ruling: Ruling::Approve {
            rule: "all".to_owned(),
            by: vec!["user:*".to_owned()],
            count: 1,
            ttl_ms: 60_000,
            signed: false,
            proven_by: Vec::new(),
        },
    };
    write(&*journal, [mode(Mode::Execute), waits])
        .await
        .unwrap();
    let controls = Controls::new(
        Arc::clone(&journal) as Arc<dyn Journal>,
        Arc::new(Unrestricted),
    );
    (controls, journal, asked)
}

fn refused<T: std::fmt::Debug>(result: Result<T, CommitError>) -> Refusal {
    refusal(result.map(|_| ()))
}

#[tokio::test]
async fn an_approval_lasts_as_long_as_its_rule_says_and_no_longer_than_its_proposal() {
    let (controls, _, asked) = controls().await;
    let ana = actor("user:ana");
    let status = controls
        .approve("a", &asked.plan_hash, Decider::claimed(&ana), None)
        .await
        .unwrap();
    assert_eq!(status.phase, Phase::Approved);
    let lasts = status.approvals[0]
        .expires_at
        .duration_since(status.proposed_at);
    assert!(lasts.as_secs() >= 59 && lasts.as_secs() <= 70, "{lasts}");
    assert!(status.approvals[0].expires_at < asked.expires_at);
}

#[tokio::test]
async fn only_the_plan_that_was_seen_is_approved() {
    let (controls, _, _) = controls().await;
    let ana = actor("user:ana");
    let other: PlanHash = "0".repeat(64).parse().unwrap();
    let refused = refused(
        controls
            .approve("a", &other, Decider::claimed(&ana), None)
            .await,
    );
    assert!(matches!(refused, Refusal::OtherPlan { .. }), "{refused}");
}

#[tokio::test]
async fn what_was_rejected_or_cancelled_is_over() {
    let (controls, journal, asked) = controls().await;
    let ana = actor("user:ana");
    assert_eq!(
        controls.reject("a", &ana, "no").await.unwrap().phase,
        Phase::Rejected
    );
    let again = controls.approve("a", &asked.plan_hash, Decider::claimed(&ana), None);
    assert!(matches!(
        refused(again.await),
        Refusal::Phase {
            phase: Phase::Rejected,
            ..
        }
    ));
    write(&*journal, [proposed("b", "y", allow())])
        .await
        .unwrap();
    assert_eq!(
        controls.cancel("b", &ana, "no").await.unwrap().phase,
        Phase::Cancelled
    );
    let sent = refusal(write(&*journal, [intent("b")]).await);
    assert!(
        matches!(
            sent,
            Refusal::Phase {
                phase: Phase::Cancelled,
                ..
            }
        ),
        "{sent}"
    );
    let nothing = refused(controls.cancel("c", &ana, "no").await);
    assert!(
        matches!(nothing, Refusal::UnknownProposal { .. }),
        "{nothing}"
    );
}

#[tokio::test]
async fn a_stop_cancels_what_waits_lists_what_goes_on_and_ends_by_a_person() {
    let (controls, journal, _) = controls().await;
    write(&*journal, [proposed("b", "y", allow()), intent("b")])
        .await
        .unwrap();
    let stop = controls
        .stop(&actor("agent:night"), "something is wrong")
        .await
        .unwrap();
    assert!(stop.unrecorded.is_none());
    let ids = |statuses: &[Arc<action_guard::ProposalStatus>]| -> Vec<String> {
        statuses
            .iter()
            .map(|status| status.proposal.id.clone())
            .collect()
    };
    assert_eq!(
        (ids(&stop.cancelled), ids(&stop.in_motion)),
        (vec!["a".to_owned()], vec!["b".to_owned()])
    );
    assert!(journal.is_stopped().await.unwrap());
    let propose = refusal(write(&*journal, [proposed("c", "z", allow())]).await);
    assert!(matches!(propose, Refusal::Killed { .. }), "{propose}");
    let (ana, night) = (actor("user:ana"), actor("agent:night"));
    let by_agent = refused(controls.reset(Decider::claimed(&night), "go on").await);
    assert!(matches!(by_agent, Refusal::NotAPerson { .. }), "{by_agent}");
    assert!(journal.is_stopped().await.unwrap());
    controls
        .reset(Decider::claimed(&ana), "it is right again")
        .await
        .unwrap();
    assert!(!journal.is_stopped().await.unwrap());
    let state = journal.state().await.unwrap();
    assert_eq!((state.mode, state.killed.is_none()), (Mode::Observe, true));
    let nothing = refused(controls.reset(Decider::claimed(&ana), "again").await);
    assert_eq!(nothing, Refusal::NotKilled);
}

#[tokio::test]
async fn a_stop_calls_sent_only_what_is_known_to_have_been() {
    let (controls, journal, _) = controls().await;
    let answer = Record::Answer {
        id: "b".to_owned(),
        answer: Answer::Accepted {
            accepted: Accepted::new("will do"),
            code: None,
        },
    };
    let sent = [
        proposed("b", "y", allow()),
        intent("b"),
        answer,
        proposed("c", "z", allow()),
        intent("c"),
    ];
    for record in sent {
        write(&*journal, [record]).await.unwrap();
    }
    let stop = controls.stop(&actor("agent:night"), "now").await.unwrap();
    assert_eq!(stop.in_motion.len(), 2);
    let unsure = stop.may_have_been_sent();
    let unsure: Vec<_> = unsure.map(|status| &status.proposal.id).collect();
    assert_eq!(unsure, ["c"]);
}

#[tokio::test]
async fn a_stop_that_a_person_made_by_hand_is_reset_by_a_person() {
    let (controls, journal, _) = controls().await;
    journal.stop().await.unwrap();
    let night = actor("agent:night");
    assert!(
        controls
            .reset(Decider::claimed(&night), "go on")
            .await
            .is_err()
    );
    assert!(journal.is_stopped().await.unwrap());
    controls
        .reset(Decider::claimed(&actor("user:ana")), "it is right")
        .await
        .unwrap();
    assert!(!journal.is_stopped().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_approval_is_consumed_once_however_many_want_it() {
    let (controls, journal, asked) = controls().await;
    let ana = actor("user:ana");
    controls
        .approve("a", &asked.plan_hash, Decider::claimed(&ana), None)
        .await
        .unwrap();
    let consumers = (0..64).map(|_| {
        let instance = journal.another_instance();
        tokio::spawn(async move { write(&instance, [intent("a")]).await.is_ok() })
    });
    let consumers: Vec<_> = consumers.collect();
    let mut consumed = 0;
    for consumer in consumers {
        consumed += usize::from(consumer.await.unwrap());
    }
    assert_eq!(consumed, 1);
}

fn alices_key_is_listed() -> Policy {
    "version = 1\nrequire_signed = [\"mode\"]\n[[person]]\nname = \"user:alice\"\n\
     key = \"MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo=\"\n"
        .parse()
        .unwrap()
}

fn alices_key() -> PrivateKey {
    let key = PrivateKey::parse_pem(
        "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----",
    );
    key.unwrap()
}

#[tokio::test]
async fn a_mode_that_must_be_signed_is_not_set_without() {
    let (_, journal, _) = controls().await;
    let controls = Controls::new(
        Arc::clone(&journal) as Arc<dyn Journal>,
        Arc::new(alices_key_is_listed()),
    );
    let alice = actor("user:alice");
    controls
        .set_mode(Mode::Observe, Decider::claimed(&alice), "stop")
        .await
        .unwrap();
    let unsigned = controls.set_mode(Mode::Execute, Decider::claimed(&alice), "go");
    let unsigned = unsigned.await.unwrap_err();
    assert!(
        matches!(
            unsigned,
            ModeError::Commit(CommitError::Refused(Refusal::NotProven { .. }))
        ),
        "{unsigned}"
    );
    let key = alices_key();
    controls
        .set_mode(Mode::Execute, Decider::with_key(&alice, &key), "go")
        .await
        .unwrap();
    assert_eq!(journal.state().await.unwrap().mode, Mode::Execute);
}

#[tokio::test]
async fn reasons_are_written_without_credentials_and_signatures_still_fit() {
    const GIVEN: &str = "see http://ana:pw@wiki/1";
    const WRITTEN: &str = "see http://[redacted]@wiki/1";
    let (_, journal, asked) = controls().await;
    let rules = Arc::new(alices_key_is_listed());
    let controls = Controls::new(
        Arc::clone(&journal) as Arc<dyn Journal>,
        Arc::clone(&rules) as Arc<dyn Rules>,
    );
    let (alice, key) = (actor("user:alice"), alices_key());
    let by = Decider::with_key(&alice, &key);
    let approved = controls.approve("a", &asked.plan_hash, by, Some(GIVEN.to_owned()));
    let approval = approved.await.unwrap().approvals[0].clone();
    assert_eq!(approval.reason.as_deref(), Some(WRITTEN));
    rules.vouch_for_approval("a", &approval).unwrap();
    let cancelled = controls.cancel("a", &alice, GIVEN).await.unwrap();
    assert_eq!(cancelled.cancel.as_ref().unwrap().reason, WRITTEN);
}

/// What is shown for people to compare is how the hash begins, and what is written is all of it.
#[tokio::test]
async fn a_plan_is_named_by_the_first_digits_of_its_hash() {
    let (controls, _, asked) = controls().await;
    let state = controls.state().await.unwrap();
    let hash = &state.proposal_status("a").unwrap().proposal.plan_hash;
    assert_eq!(*hash, asked.plan_hash);
    assert_eq!(hash.short().len(), 12);
    assert!(hash.as_str().starts_with(hash.short()));
    assert_eq!(hash.to_string(), hash.as_str());
}
