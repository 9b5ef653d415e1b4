//! Which record may follow which.

use action_core::OutcomeKind;
use action_guard::{Approval, Journal, MemoryJournal, Mode, Phase, Record, Refusal, Ruling};
use jiff::{SignedDuration, Timestamp};

use crate::fixtures::{
    actor, allow, applied, intent, mode, proposal, proposed, refusal, unknown, write,
};

fn two_must_agree() -> Ruling {
    Ruling::Approve {
        rule: "high risk".to_owned(),
        by: Vec::new(),
        count: 2,
        ttl_ms: 60_000,
        signed: false,
        proven_by: Vec::new(),
    }
}

fn approval(id: &str, by: &str, plan_of: &action_guard::Proposal) -> Record {
    let soon = Timestamp::now() + SignedDuration::from_mins(1);
    Record::Approved {
        id: id.to_owned(),
        approval: Approval::new(actor(by), plan_of.plan_hash.clone(), soon),
    }
}

async fn phase(journal: &dyn Journal, id: &str) -> Phase {
    journal
        .state()
        .await
        .unwrap()
        .proposal_status(id)
        .unwrap()
        .phase
}

#[tokio::test]
async fn nothing_is_sent_in_a_new_journal_until_a_person_sets_the_mode() {
    let journal = MemoryJournal::new();
    write(&journal, [proposed("a", "x", allow())])
        .await
        .unwrap();
    let refused = refusal(write(&journal, [intent("a")]).await);
    assert_eq!(refused, Refusal::Observing);
    let by_an_agent = Record::Mode {
        target: None,
        mode: Mode::Execute,
        by: actor("agent:night"),
        reason: "now".to_owned(),
        proof: None,
        attested: None,
    };
    let refused = refusal(write(&journal, [by_an_agent]).await);
    assert!(matches!(refused, Refusal::NotAPerson { .. }), "{refused}");
    write(&journal, [mode(Mode::Execute), intent("a")])
        .await
        .unwrap();
    assert_eq!(phase(&journal, "a").await, Phase::Executing);
}

#[tokio::test]
async fn a_decision_is_written_whole_or_not_at_all() {
    let journal = MemoryJournal::new();
    let both = [proposed("a", "x", allow()), intent("a")];
    assert_eq!(refusal(write(&journal, both).await), Refusal::Observing);
    assert!(
        journal
            .state()
            .await
            .unwrap()
            .proposal_status("a")
            .is_none()
    );
    assert!(journal.entries(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn it_takes_as_many_people_as_the_rule_says_and_none_of_them_asked() {
    let journal = MemoryJournal::new();
    let asked = proposal("a", "x");
    let record = Record::Proposed {
        proposal: Box::new(asked.clone()),
        ruling: two_must_agree(),
    };
    write(&journal, [mode(Mode::Execute), record])
        .await
        .unwrap();
    let own = approval("a", "agent:night", &asked);
    let refused = refusal(write(&journal, [own]).await);
    assert!(matches!(refused, Refusal::OwnProposal { .. }), "{refused}");
    write(&journal, [approval("a", "user:ana", &asked)])
        .await
        .unwrap();
    let again = refusal(write(&journal, [approval("a", "user:Ana", &asked)]).await);
    assert!(matches!(again, Refusal::ApprovedTwice { .. }), "{again}");
    let early = refusal(write(&journal, [intent("a")]).await);
    assert_eq!(
        early.to_string(),
        "proposal `a` is waiting for approval: it cannot be executed"
    );
    let other_plan = approval("a", "user:ben", &proposal("a", "y"));
    let refused = refusal(write(&journal, [other_plan]).await);
    assert!(matches!(refused, Refusal::OtherPlan { .. }), "{refused}");
    write(&journal, [approval("a", "user:ben", &asked)])
        .await
        .unwrap();
    assert_eq!(phase(&journal, "a").await, Phase::Approved);
    write(&journal, [intent("a")]).await.unwrap();
    let twice = refusal(write(&journal, [intent("a")]).await);
    assert!(
        matches!(
            twice,
            Refusal::Phase {
                phase: Phase::Executing,
                ..
            }
        ),
        "{twice}"
    );
}

#[tokio::test]
async fn the_kill_switch_cancels_what_is_pending_and_a_person_resets_it() {
    let journal = MemoryJournal::new();
    let begun = [
        mode(Mode::Execute),
        proposed("a", "x", allow()),
        intent("a"),
    ];
    write(&journal, begun).await.unwrap();
    let pending = [
        proposed("b", "y", allow()),
        proposed("c", "z", two_must_agree()),
    ];
    write(&journal, pending).await.unwrap();
    let kill = Record::Killed {
        target: None,
        by: actor("agent:night"),
        reason: "smoke".to_owned(),
    };
    write(&journal, [kill]).await.unwrap();
    for (id, expected) in [
        ("a", Phase::Executing),
        ("b", Phase::Cancelled),
        ("c", Phase::Cancelled),
    ] {
        assert_eq!(phase(&journal, id).await, expected, "{id}");
    }
    for record in [proposed("d", "u", allow()), mode(Mode::Execute)] {
        let refused = refusal(write(&journal, [record]).await);
        assert!(matches!(refused, Refusal::Killed { .. }), "{refused}");
    }
    write(&journal, [applied("a")]).await.unwrap();
    let reset = |by: &str| Record::Reset {
        target: None,
        by: actor(by),
        reason: "it was steam".to_owned(),
        proof: None,
    };
    let refused = refusal(write(&journal, [reset("agent:night")]).await);
    assert!(matches!(refused, Refusal::NotAPerson { .. }), "{refused}");
    write(&journal, [reset("user:ana")]).await.unwrap();
    write(&journal, [proposed("d", "u", allow())])
        .await
        .unwrap();
    let refused = refusal(write(&journal, [intent("d")]).await);
    assert_eq!(
        refused,
        Refusal::Observing,
        "a reset does not bring back the mode"
    );
}

#[tokio::test]
async fn an_unknown_outcome_keeps_its_resource_until_it_is_known_or_a_person_says() {
    let journal = MemoryJournal::new();
    let begun = [
        mode(Mode::Execute),
        proposed("a", "x", allow()),
        intent("a"),
        unknown("a"),
    ];
    write(&journal, begun).await.unwrap();
    write(
        &journal,
        [proposed("b", "x", allow()), proposed("c", "y", allow())],
    )
    .await
    .unwrap();
    let held = refusal(write(&journal, [intent("b")]).await);
    assert_eq!(
        held,
        Refusal::ResourceHeld {
            resource: "dial/x".to_owned(),
            holder: "a".to_owned()
        }
    );
    write(&journal, [intent("c")]).await.unwrap();
    let resolved = |id: &str, by: &str| Record::Resolved {
        id: id.to_owned(),
        by: actor(by),
        result: OutcomeKind::NotApplied,
        reason: "the dial was taken away".to_owned(),
    };
    let refused = refusal(write(&journal, [resolved("a", "agent:night")]).await);
    assert!(matches!(refused, Refusal::NotAPerson { .. }), "{refused}");
    let refused = refusal(write(&journal, [resolved("c", "user:ana")]).await);
    assert!(matches!(refused, Refusal::Phase { .. }), "{refused}");
    write(&journal, [resolved("a", "user:ana"), intent("b")])
        .await
        .unwrap();
}

#[tokio::test]
async fn only_its_owner_writes_an_outcome_and_another_must_adopt_it_first() {
    let first = MemoryJournal::new();
    let second = first.another_instance();
    let begun = [
        mode(Mode::Execute),
        proposed("a", "x", allow()),
        intent("a"),
    ];
    write(&first, begun).await.unwrap();
    let refused = refusal(write(&second, [applied("a")]).await);
    assert!(matches!(refused, Refusal::NotOwner { .. }), "{refused}");
    let owner = first.instance().to_owned();
    assert!(second.is_alive(&owner).await.unwrap());
    drop(first);
    assert!(!second.is_alive(&owner).await.unwrap());
    let adopted = Record::Adopted {
        id: "a".to_owned(),
        from: owner,
    };
    write(&second, [adopted, applied("a")]).await.unwrap();
    assert_eq!(phase(&second, "a").await, Phase::Applied);
    assert_eq!(second.verify().await.unwrap().head.seq, 5);
}
