//! How a mutation stands: what a loop is answered, and in which words a model is told.

use std::sync::Arc;
use std::time::Duration;

use action_core::{FailureKind, OutcomeKind, Settled};
use action_guard::{
    Decider, Event, Guard, GuardError, Mode, OutdatedBy, Policy, Proposal, Refusal, Request,
    Standing,
};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

use crate::fixtures::actor;
use crate::guard_fixture::{Asked as _, Workbench, ana, done, executed, hold, proposed, turn};
use crate::test_subject::{Behaviour, Dial};

/// Turns are allowed, holds wait for two people, and nobody releases dial `locked`.
const RULES: &str = r#"
version = 1

[[rule]]
name = "turns"
action = "turn_dial"
decision = "allow"

[[rule]]
name = "holds"
action = "hold_dial"
decision = "approve"
by = ["user:*"]
count = 2
ttl = "15m"

[[rule]]
name = "no releases by agents"
action = "release_dial"
actor = "agent:*"
decision = "deny"
reason = "people release dials"

[[rule]]
name = "releases"
action = "release_dial"
decision = "allow"
"#;

fn under_rules(bench: &Workbench) -> Guard {
    let policy: Policy = RULES.parse().unwrap();
    bench.guard().rules(Arc::new(policy))
}

fn release(dial: &str, by: &str) -> Request {
    Request::new("release_dial", json!({"dial": dial}), by)
}

/// The standing by its words, in which the proposal is called `ID`.
#[track_caller]
fn says(standing: &Standing, proposal: &Proposal, words: &str) {
    let said = standing.to_string().replace(&proposal.id, "ID");
    assert_eq!(said, words, "{standing:?}");
}

#[tokio::test]
async fn propose_answers_what_the_rules_and_the_plan_say() {
    let bench = Workbench::new().await;
    let guard = under_rules(&bench);

    let allowed = guard.propose(turn("x", 4)).await.unwrap();
    assert!(matches!(allowed, Standing::Allowed(_)), "{allowed:?}");
    let proposal = allowed.clone().asked();
    says(
        &allowed,
        &proposal,
        "proposal `ID` is allowed; nothing was sent",
    );
    assert_eq!(guard.standing(&proposal.id).await.unwrap(), allowed);

    let waits = guard.propose(hold("x")).await.unwrap();
    let Standing::Waits(for_people) = &waits else {
        unreachable!("{waits:?}");
    };
    assert_eq!(
        (&for_people.by[..], for_people.missing),
        (&["user:*".to_owned()][..], 2)
    );
    let words =
        "not sent: proposal `ID` needs 2 more approvals from user:* (rule `holds (rule, line 9)`)";
    says(&waits, &for_people.proposal, words);

    let denied = guard.propose(release("x", "agent:night")).await.unwrap();
    let Standing::Denied { rule, reason, .. } = &denied else {
        unreachable!("{denied:?}");
    };
    assert!(rule.starts_with("no releases by agents"), "{rule}");
    assert_eq!(reason, "people release dials");

    let nothing = guard.propose(release("x", "user:ben")).await.unwrap();
    assert!(
        matches!(nothing, Standing::RefusedByPlan { .. }),
        "{nothing:?}"
    );
    let proposal = nothing.clone().asked();
    says(
        &nothing,
        &proposal,
        "not sent: nothing to do: nobody holds it",
    );

    // Whoever asks for them later is answered the same, and nothing of it can be carried out.
    for standing in [denied, nothing] {
        let proposal = standing.clone().asked();
        assert_eq!(guard.standing(&proposal.id).await.unwrap(), standing);
        assert_eq!(executed(&guard, &proposal).await.unwrap(), standing);
    }
    let unknown = guard.standing("no such").await;
    assert!(
        matches!(
            unknown,
            Err(GuardError::Refused(Refusal::UnknownProposal { .. }))
        ),
        "{unknown:?}"
    );
    assert!(bench.server.senders("x").is_empty());
}

/// Before people agree, nothing is read of the system: it waits, however often somebody tries.
#[tokio::test]
async fn who_executes_before_people_agree_is_told_that_it_waits() {
    let bench = Workbench::new().await;
    let guard = under_rules(&bench);
    let proposal = proposed(&guard, hold("x")).await;
    let controls = guard.controls();
    for (missing, by) in [(2, "user:ana"), (1, "user:ben")] {
        let by = actor(by);
        for _ in 0..2 {
            let standing = executed(&guard, &proposal).await.unwrap();
            let Standing::Waits(waits) = &standing else {
                unreachable!("{standing:?}");
            };
            assert_eq!(waits.missing, missing);
        }
        let approved = controls.approve(
            &proposal.id,
            &proposal.plan_hash,
            Decider::claimed(&by),
            None,
        );
        approved.await.unwrap();
    }
    assert!(bench.server.senders("x").is_empty());
    let standing = guard.standing(&proposal.id).await.unwrap();
    assert_eq!(standing, Standing::Allowed(proposal.clone()));
    let applied = executed(&guard, &proposal).await.unwrap();
    assert!(matches!(applied, Standing::Applied(_)), "{applied:?}");
}

/// A caller that lost the answer asks again, as after a time-out.
#[tokio::test]
async fn executed_again_it_is_told_how_it_ended_and_not_sent_again() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let first = executed(&guard, &proposal).await.unwrap();
    let Standing::Applied(report) = &first else {
        unreachable!("{first:?}");
    };
    says(
        &first,
        &proposal,
        &format!("applied: {}", report.outcome.summary),
    );
    for guard in [guard, bench.guard()] {
        assert_eq!(executed(&guard, &proposal).await.unwrap(), first);
        assert_eq!(guard.standing(&proposal.id).await.unwrap(), first);
    }
    assert_eq!(bench.server.senders("x").len(), 1);

    bench.server.behave(Behaviour {
        refuses: true,
        ..Behaviour::default()
    });
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 5)).await;
    let first = executed(&guard, &proposal).await.unwrap();
    assert!(matches!(first, Standing::NotApplied(_)), "{first:?}");
    says(&first, &proposal, "not applied: the dials do not want to");
    assert_eq!(executed(&guard, &proposal).await.unwrap(), first);
    assert_eq!(bench.server.senders("x").len(), 2);
}

#[tokio::test]
async fn while_one_carries_it_out_the_others_are_told_so() {
    let bench = Workbench::new().await;
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let (accepted, mut is_accepted) = unbounded_channel();
    let (task, mine) = (guard.clone(), proposal.clone());
    let running = tokio::spawn(async move {
        let mut watch = |event| {
            if matches!(event, Event::Accepted(_)) {
                accepted.send(()).unwrap();
            }
        };
        let by = mine.requester().unwrap();
        task.execute(&mine, &by, &mut watch).await
    });
    is_accepted.recv().await.unwrap();
    for guard in [guard, bench.guard()] {
        let standing = executed(&guard, &proposal).await.unwrap();
        assert!(matches!(standing, Standing::InProgress(_)), "{standing:?}");
        says(&standing, &proposal, "proposal `ID` is in progress");
        // Whoever can only take a report is told the same, as something to wait for.
        let error = standing.into_report().unwrap_err();
        assert_eq!(error.kind(), FailureKind::Busy, "{error}");
    }
    bench.server.finish();
    let standing = running.await.unwrap().unwrap();
    assert!(matches!(standing, Standing::Applied(_)), "{standing:?}");
    assert_eq!(bench.server.senders("x").len(), 1);
}

#[tokio::test]
async fn what_people_say_no_to_is_cancelled_and_says_by_whom() {
    let bench = Workbench::new().await;
    let guard = under_rules(&bench);
    let (rejected, cancelled) = (
        proposed(&guard, hold("x")).await,
        proposed(&guard, turn("y", 4)).await,
    );
    let controls = guard.controls();
    controls
        .reject(&rejected.id, &ana(), "not today")
        .await
        .unwrap();
    guard
        .cancel(&cancelled.id, &ana(), "never mind")
        .await
        .unwrap();
    for (proposal, was_rejected, words) in [
        (
            rejected,
            true,
            "not sent: proposal `ID` was rejected by `user:ana`: not today",
        ),
        (
            cancelled,
            false,
            "not sent: proposal `ID` was cancelled by `user:ana`: never mind",
        ),
    ] {
        let standing = executed(&guard, &proposal).await.unwrap();
        let Standing::Cancelled { rejected, .. } = &standing else {
            unreachable!("{standing:?}");
        };
        assert_eq!(*rejected, was_rejected);
        says(&standing, &proposal, words);
        let error = standing.into_report().unwrap_err();
        assert_eq!(error.kind(), FailureKind::Refused, "{error}");
    }
}

#[tokio::test]
async fn what_is_not_as_it_was_planned_on_is_outdated() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let turned = Dial {
        value: 9,
        ..Dial::default()
    };
    bench.server.turn_by_hand("x", turned);
    let standing = executed(&guard, &proposal).await.unwrap();
    let Standing::Outdated {
        by: OutdatedBy::Facts(changes),
        ..
    } = &standing
    else {
        unreachable!("{standing:?}");
    };
    assert_eq!(changes.len(), 1);
    let words = "not sent: the state changed since it was planned: `value` was 0 and is now 9";
    says(&standing, &proposal, words);
    // It is over: asked for again, it is planned anew.
    let standing = guard.standing(&proposal.id).await.unwrap();
    assert!(
        matches!(standing, Standing::Cancelled { .. }),
        "{standing:?}"
    );
    done(&guard, turn("x", 4)).await;
}

#[tokio::test]
async fn what_nobody_answered_is_unknown_until_it_is_known() {
    let bench = Workbench::new().await;
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let (task, mine) = (guard.clone(), proposal.clone());
    let (accepted, mut is_accepted) = unbounded_channel();
    let running = tokio::spawn(async move {
        let mut watch = |event| {
            if matches!(event, Event::Accepted(_)) {
                accepted.send(()).unwrap();
            }
        };
        let by = mine.requester().unwrap();
        task.execute(&mine, &by, &mut watch).await
    });
    is_accepted.recv().await.unwrap();
    guard.cancel(&proposal.id, &ana(), "not now").await.unwrap();
    let standing = running.await.unwrap().unwrap();
    assert!(matches!(standing, Standing::Unknown(_)), "{standing:?}");
    assert!(
        standing.to_string().starts_with("outcome unknown: "),
        "{standing}"
    );
    assert_eq!(executed(&guard, &proposal).await.unwrap(), standing);
    assert_eq!(bench.server.senders("x").len(), 1);
    bench.server.finish();
    guard.recover(&mut |_| {}).await.unwrap();
    let standing = guard.standing(&proposal.id).await.unwrap();
    assert!(matches!(standing, Standing::Applied(_)), "{standing:?}");
}

#[tokio::test]
async fn what_an_undo_took_back_names_the_undo() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let first = proposed(&guard, turn("x", 4)).await;
    executed(&guard, &first).await.unwrap();
    let undo = guard.propose_undo(&first.id, &ana(), "back").await.unwrap();
    let undo = undo.into_proposal().unwrap();
    let undone = executed(&guard, &undo).await.unwrap();
    assert!(matches!(undone, Standing::Applied(_)), "{undone:?}");
    let standing = guard.standing(&first.id).await.unwrap();
    let Standing::TakenBack { by, report } = &standing else {
        unreachable!("{standing:?}");
    };
    assert_eq!(*by, undo.id);
    // What it was before stays what the evidence showed.
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    let words = format!("taken back by proposal `{by}`: {}", report.outcome.summary);
    assert_eq!(standing.to_string(), words);
}

#[tokio::test]
async fn what_was_changed_right_after_is_applied_and_reversed() {
    let bench = Workbench::new().await;
    let guard = bench.guard().settle_for(Duration::from_millis(1));
    let proposal = proposed(&guard, turn("x", 4)).await;
    let by = proposal.requester().unwrap();
    let mut watch = |event| {
        if matches!(
            event,
            Event::Progress(action_core::Progress::Applied { .. })
        ) {
            bench.server.turn_by_hand(
                "x",
                Dial {
                    value: 9,
                    by: "ben".to_owned(),
                    ..Dial::default()
                },
            );
        }
    };
    let standing = guard.execute(&proposal, &by, &mut watch).await.unwrap();
    let Standing::Reversed(report) = &standing else {
        unreachable!("{standing:?}");
    };
    let Settled { cause, .. } = report.outcome.settled.as_ref().unwrap();
    let words = format!(
        "applied, then reversed: {}; {}",
        report.outcome.summary,
        cause.as_ref().unwrap().text
    );
    assert_eq!(standing.to_string(), words);
    assert_eq!(guard.standing(&proposal.id).await.unwrap(), standing);
}

/// What stops all sends is no state of one proposal: it is an error, for who runs the loop.
#[tokio::test]
async fn a_stop_and_the_mode_are_errors() {
    let bench = Workbench::new().await;
    let guard = bench.guard();
    let proposal = proposed(&guard, turn("x", 4)).await;
    let by = ana();
    let observe = guard.controls();
    observe
        .set_mode(Mode::Observe, Decider::claimed(&by), "night")
        .await
        .unwrap();
    let error = executed(&guard, &proposal).await.unwrap_err();
    assert!(
        matches!(error, GuardError::Refused(Refusal::Observing)),
        "{error}"
    );
    guard.controls().stop(&by, "smoke").await.unwrap();
    let error = guard.propose(turn("x", 4)).await.unwrap_err();
    assert!(
        matches!(error, GuardError::Refused(Refusal::Killed { .. })),
        "{error}"
    );
}
