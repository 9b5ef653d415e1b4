//! What was refused, is outdated or would come to nothing is over; and who may carry out what.

use action_core::OutcomeKind;
use action_guard::{
    Decider, Event, GuardError, Mode, OutdatedBy, Phase, Policy, Proposal, Refusal, Ruling,
    Standing,
};
use tokio::task::JoinSet;

use crate::fixtures::actor;
use crate::guard_fixture::{
    Asked as _, Workbench, ana, done, execute, executed, hold, proposed, turn,
};
use crate::test_subject::Dial;
use crate::workflow_fixtures::{PEOPLE, fixture_under};

async fn phase(bench: &Workbench, proposal: &Proposal) -> Phase {
    let status = bench.guard().proposal_status(&proposal.id).await;
    status.unwrap().phase
}

#[track_caller]
fn is_outdated(standing: &Standing, other: &str) {
    let Standing::Outdated { by, .. } = standing else {
        unreachable!("{standing:?}");
    };
    assert_eq!(*by, OutdatedBy::Proposal(other.to_owned()));
}

#[tokio::test]
async fn what_was_allowed_to_one_is_carried_out_by_nobody_else() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    for other in [ana(), actor("agent:day")] {
        let error = guard.execute(&proposal, &other, &mut |_| {}).await;
        let error = error.unwrap_err();
        assert!(
            matches!(&error, GuardError::Refused(Refusal::NotRequester { .. })),
            "{error}"
        );
    }
    // Nor does it end for that.
    assert_eq!(phase(&bench, &proposal).await, Phase::Approved);
    // Whatever a caller makes of the proposal, the journal knows who asked.
    let mut forged = proposal.clone();
    forged.request.actor = "agent:day".to_owned();
    let error = execute(&guard, &forged).await.unwrap_err();
    assert!(
        matches!(&error, GuardError::Refused(Refusal::NotRequester { .. })),
        "{error}"
    );
    assert!(bench.server.senders("x").is_empty());
    let by = actor("agent:Night");
    guard
        .execute(&proposal, &by, &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    let status = guard.proposal_status(&proposal.id).await.unwrap();
    assert_eq!(status.intent.as_ref().unwrap().by.as_ref(), Some(&by));
}

#[tokio::test]
async fn what_a_refusal_ended_is_ended() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let by = ana();
    let observed = proposed(&guard, turn("x", 4)).await;
    let drifted = proposed(&guard, turn("y", 4)).await;
    let controls = guard.controls();
    let mode = |mode| controls.set_mode(mode, Decider::claimed(&by), "night");
    mode(Mode::Observe).await.unwrap();
    assert!(execute(&guard, &observed).await.is_err());
    mode(Mode::Execute).await.unwrap();
    let dial = Dial {
        value: 9,
        ..Dial::default()
    };
    bench.server.turn_by_hand("y", dial);
    assert!(execute(&guard, &drifted).await.is_err());
    for (ended, why) in [(&observed, "observe"), (&drifted, "changed")] {
        let status = guard.proposal_status(&ended.id).await.unwrap();
        assert_eq!(status.phase, Phase::Cancelled);
        let cancel = status.cancel.as_ref().unwrap();
        assert!(cancel.reason.contains(why), "{}", cancel.reason);
        assert_eq!(cancel.by, actor("agent:night"));
        // Nobody carries it out later.
        assert!(execute(&bench.guard(), ended).await.is_err());
    }
    assert!(bench.server.senders("x").is_empty());
    assert!(bench.server.senders("y").is_empty());
}

/// Planned before another change was proven, it is not sent, whatever it would find.
#[tokio::test]
async fn a_plan_from_before_another_change_is_outdated() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let stale = proposed(&guard, turn("x", 7)).await;
    let newer = done(&guard, turn("x", 11)).await;
    // By hand it is as it was planned on: only the journal knows.
    bench.server.turn_by_hand("x", Dial::default());
    let standing = executed(&guard, &stale).await.unwrap();
    is_outdated(&standing, &newer.id);
    assert_eq!(phase(&bench, &stale).await, Phase::Cancelled);
    assert_eq!(bench.server.senders("x").len(), 1);
    // Planned again, it is sent.
    done(&guard, turn("x", 7)).await;
    assert_eq!(bench.server.dial("x").value, 7);
}

/// It is planned anew, and another is proven before its intent is written.
#[tokio::test]
async fn a_change_between_the_last_plan_and_the_intent_outdates_it() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let stale = proposed(&guard, turn("x", 7)).await;
    let by = stale.requester().unwrap();
    let other = bench.guard();
    let mut seen = Vec::new();
    let standing = guard
        .execute(&stale, &by, &mut |event| {
            if matches!(event, Event::Replanned(_)) {
                let other = other.clone();
                let done = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .unwrap();
                    runtime.block_on(done(&other, turn("x", 11)))
                });
                seen.push(done.join().unwrap());
            }
        })
        .await
        .unwrap();
    is_outdated(&standing, &seen[0].id);
    assert_eq!(bench.server.dial("x").value, 11);
    assert_eq!(bench.server.senders("x"), [seen[0].id.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_undos_at_once_send_one_request() {
    for request in [turn("x", 4), hold("x")] {
        let bench = Workbench::new().await;
        let first = done(&bench.guard(), request).await;
        let mut undos = Vec::new();
        for _ in 0..10 {
            let guard = bench.guard();
            let undo = guard.propose_undo(&first.id, &ana(), "back").await;
            undos.push((guard, undo.unwrap().asked()));
        }
        let mut running = JoinSet::new();
        for (guard, undo) in undos {
            running.spawn(async move { execute(&guard, &undo).await });
        }
        let ended = running.join_all().await;
        let (won, lost): (Vec<_>, Vec<_>) = ended.into_iter().partition(Result::is_ok);
        let [Ok(report)] = &won[..] else {
            unreachable!("{won:?}");
        };
        assert_eq!(report.outcome.result, OutcomeKind::Applied);
        let winner = &report.id;
        let while_it_runs = format!("is being taken back by proposal `{winner}`");
        let afterwards = format!("proposal `{winner}` took it back");
        for error in lost {
            let said = error.unwrap_err().to_string();
            assert!(
                said.ends_with(&while_it_runs) || said.ends_with(&afterwards),
                "{said}"
            );
        }
        assert_eq!(bench.server.senders("x").len(), 2);
    }
}

/// Whoever asks a person before anything is proposed leaves nothing behind when nobody answers.
#[tokio::test]
async fn a_draft_is_nowhere_and_is_proposed_as_it_was_shown() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let before = guard.journal().head().await.unwrap();
    let draft = guard.draft(turn("x", 4)).await.unwrap();
    assert!(matches!(draft.ruling(), Ruling::Allow { .. }));
    assert_eq!(guard.journal().head().await.unwrap(), before);
    let error = execute(&guard, draft.proposal()).await.unwrap_err();
    assert!(matches!(error, GuardError::Refused(_)), "{error:?}");

    done(&guard, turn("y", 1)).await;
    let shown = draft.proposal().plan_hash.clone();
    let proposal = guard.propose_draft(draft).await.unwrap().asked();
    assert_eq!(proposal.plan_hash, shown);
    execute(&guard, &proposal).await.unwrap();

    let draft = guard.draft_undo(&proposal.id, &ana(), "back").await;
    done(&guard, turn("x", 9)).await;
    let undo = guard.propose_draft(draft.unwrap()).await.unwrap().asked();
    let standing = executed(&guard, &undo).await.unwrap();
    let Standing::Outdated { by, .. } = &standing else {
        unreachable!("{standing:?}");
    };
    assert!(matches!(by, OutdatedBy::Facts(_)), "{by:?}");
    assert_eq!(bench.server.senders("x").len(), 2);

    guard.controls().stop(&ana(), "smoke").await.unwrap();
    let error = guard.draft(turn("x", 5)).await.unwrap_err();
    let GuardError::Refused(Refusal::Killed { .. }) = error else {
        unreachable!("{error:?}");
    };
}

/// What would not be sent by its plan waits for nobody.
#[tokio::test]
async fn what_would_come_to_nothing_is_closed_at_once() {
    let fixture = fixture_under(Some(PEOPLE)).await;
    let close = || {
        let parameters = serde_json::json!({"valve": "a"});
        action_guard::Request::new("close_valve", parameters, "agent:night")
    };
    let proposal = fixture.guard.propose(close()).await.unwrap().asked();
    let status = fixture.guard.proposal_status(&proposal.id).await.unwrap();
    assert_eq!(status.phase, Phase::Cancelled);
    let cancel = status.cancel.as_ref().unwrap();
    assert_eq!(cancel.reason, "nothing to do: valve a is so already");
    assert!(fixture.guard.state().await.unwrap().open.is_empty());
    assert!(!fixture.guard.may_be_sent(&proposal).await.unwrap());
    for (verdict, code, words) in [
        ("would_reject", "would_reject", "it would be rejected: "),
        (
            "not_asked_for",
            "not_asked_for",
            "blocked by a safety check: ",
        ),
        (
            "will_not_progress",
            "would_not_progress",
            "it would be accepted, but nothing would happen: ",
        ),
    ] {
        fixture.plant.lock().verdict = Some(verdict);
        let proposal = fixture.guard.propose(close()).await.unwrap().asked();
        let status = fixture.guard.proposal_status(&proposal.id).await.unwrap();
        assert_eq!(status.phase, Phase::Cancelled, "{verdict}");
        let reason = &status.cancel.as_ref().unwrap().reason;
        assert!(reason.starts_with(words), "{reason}");
        let id = fixture.start(crate::workflow_fixtures::open(&["a"])).await;
        let run = fixture.run(&id).await;
        assert_eq!(crate::workflow_fixtures::failure(&run, "open-a"), code);
        fixture.workflows.cancel(&id, &ana(), "next").await.unwrap();
    }
    assert!(fixture.plant.sent().is_empty());
}

/// A rule that closes before the first byte: the request is not sent.
#[tokio::test]
async fn rules_are_asked_once_more_with_the_permit() {
    let bench = Workbench::new().await;
    let allows: Policy = "version = 1\n[[rule]]\nname = \"all\"\ndecision = \"allow\"\n\
        [[budget]]\nname = \"one\"\nper = \"1h\"\nactions = 1\n"
        .parse()
        .unwrap();
    let guard = bench.guard_under(allows);
    // A budget of one is not used up by the very request that it allowed.
    let report = done(&guard, turn("x", 4)).await;
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
}
