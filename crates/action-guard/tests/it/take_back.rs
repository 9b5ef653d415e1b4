//! Taking back what is still in flight.

use std::sync::Arc;
use std::time::{Duration, Instant};

use action_core::{Accepted, OutcomeKind, Progress};
use action_guard::{
    Answer, Decider, Event, FileJournal, Guard, GuardError, Mode, Phase, Proposal, Record, Refusal,
    Report, Request,
};
use jiff::SignedDuration;
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;

use crate::fixtures::{actor, write};
use crate::guard_fixture::{Asked as _, Workbench, ana, execute, hold, proposed, summary};
use crate::recovery::begun;
use crate::test_subject::{Behaviour, Dial, Hold, SETTLE_MS, Sends};

/// A hold that is accepted, and followed by another process, and does not end.
async fn in_flight(
    bench: &Workbench,
    behaviour: Behaviour,
    dial: &str,
) -> (Proposal, JoinHandle<Report>) {
    followed(bench, &bench.guard(), behaviour, hold(dial)).await
}

async fn followed(
    bench: &Workbench,
    guard: &Guard,
    behaviour: Behaviour,
    request: Request,
) -> (Proposal, JoinHandle<Report>) {
    bench.server.behave(Behaviour {
        held_back: true,
        ..behaviour
    });
    let proposal = proposed(guard, request).await;
    let (task, first) = (guard.clone(), proposal.clone());
    let follower = tokio::spawn(async move { execute(&task, &first).await.unwrap() });
    wait_until(guard, &proposal.id, |answered| answered).await;
    bench.server.behave(Behaviour::default());
    (proposal, follower)
}

/// Waits until what came back is written down.
async fn wait_until(guard: &Guard, id: &str, is_so: impl Fn(bool) -> bool) {
    loop {
        let status = guard.proposal_status(id).await.unwrap();
        if is_so(status.answer.is_some()) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn undone(guard: &Guard, first: &Proposal) -> Report {
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    execute(guard, &undo).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_takes_over_what_is_in_flight() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    let undo = undone(&guard, &first).await;
    assert_eq!(undo.outcome.result, OutcomeKind::Applied, "{undo:?}");

    // Whoever followed it stops, and has written nothing.
    let seen = follower.await.unwrap();
    assert_eq!(summary(&seen), (json!("unknown"), Some("taken_over")));
    assert!(seen.outcome.summary.contains(&undo.id), "{seen:?}");

    let status = guard.proposal_status(&first.id).await.unwrap();
    assert_eq!(status.phase, Phase::NotApplied, "{status:?}");
    let outcome = status.outcome.as_ref().unwrap();
    assert_eq!(outcome.code.as_deref(), Some("taken_back"));
    assert_eq!(status.taken_back.as_ref().unwrap().by, undo.id);
    assert!(guard.state().await.unwrap().effects.is_empty());
    assert_eq!(bench.server.senders("x"), [first.id, undo.id]);
    assert_eq!(bench.records("outcome").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_by_hand_in_flight_is_taken_over_too() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    let by_hand = Request::new("release_dial", json!({"dial": "x"}), "user:ben");
    let proposal = proposed(&guard, by_hand).await;
    assert_eq!(proposal.undoes.as_ref(), Some(&first.id));
    let report = execute(&guard, &proposal).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert_eq!(summary(&follower.await.unwrap()).1, Some("taken_over"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_is_taken_back_by_its_owner_or_a_person() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    let other = actor("agent:other");
    let refused = guard.propose_undo(&first.id, &other, "mine now").await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(
            refused,
            GuardError::Refused(Refusal::UndoNotTheirs { ref id, .. }) if *id == first.id
        ),
        "{refused}"
    );
    assert_eq!(bench.server.senders("x").len(), 1);
    let own = actor("agent:night");
    let undo = guard
        .propose_undo(&first.id, &own, "mine")
        .await
        .unwrap()
        .asked();
    let report = execute(&guard, &undo).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    follower.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_is_taken_back_under_the_kill_switch() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    guard.controls().stop(&ana(), "smoke").await.unwrap();
    let report = undone(&guard, &first).await;
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    let status = guard.proposal_status(&first.id).await.unwrap();
    assert!(status.taken_back.is_some());
    follower.await.unwrap();
}

/// The first is on its way when the undo is done, and arrives after it.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_was_overtaken_says_so_and_sends_nothing_again() {
    // On a slow machine the time in which the first may arrive can be over before the undo is.
    for attempt in 0.. {
        let bench = Workbench::new().await;
        let silent = Behaviour {
            silent: true,
            ..Behaviour::default()
        };
        let (first, follower) = in_flight(&bench, silent, "x").await;
        let guard = bench.guard();
        let undo = guard
            .propose_undo(&first.id, &ana(), "back")
            .await
            .unwrap()
            .asked();
        let mut waited = false;
        let report = guard
            .execute(&undo, &ana(), &mut |event| {
                if let Event::Progress(Progress::Pending { summary, .. }) = &event
                    && summary.contains("may still arrive")
                    && !waited
                {
                    waited = true;
                    bench.server.finish();
                }
            })
            .await
            .unwrap()
            .into_report()
            .unwrap();
        follower.await.unwrap();
        assert_eq!(bench.server.senders("x"), [&*first.id, &*undo.id]);
        if !waited && attempt < 20 {
            continue;
        }
        assert_eq!(summary(&report), (json!("not_applied"), Some("overtaken")));
        let next = report.outcome.next.unwrap();
        assert!(next.contains(&first.id), "{next}");
        assert!(bench.server.dial("x").held);
        let state = guard.state().await.unwrap();
        assert!(
            state.effects.contains_key(&first.id),
            "it is in force, and ours"
        );
        let status = guard.proposal_status(&first.id).await.unwrap();
        assert_eq!((status.phase, &status.taken_back), (Phase::Applied, &None));

        // And it can be repeated.
        let again = undone(&guard, &first).await;
        assert_eq!(again.outcome.result, OutcomeKind::Applied);
        assert!(!bench.server.dial("x").held);
        return;
    }
}

/// The first arrives between the undo and its first look, so that nothing ever showed the undo: it
/// was our own request that changed it, and nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_the_first_overtook_at_once_says_so_too() {
    let bench = Workbench::new().await;
    let (guard, first, _sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let arrived = Dial {
        held: true,
        by: first.id.clone(),
        ..Dial::default()
    };
    bench.server.turn_by_hand("x", arrived);
    bench.server.behave(Behaviour {
        forgets: true,
        ..Behaviour::default()
    });
    let report = execute(&guard, &undo).await.unwrap();
    assert_eq!(summary(&report), (json!("not_applied"), Some("overtaken")));
    let next = report.outcome.next.unwrap();
    assert!(next.contains(&first.id), "{next}");
    let state = guard.state().await.unwrap();
    assert!(state.effects.contains_key(&first.id), "it is in force");
}

/// An undo that was refused left what it had taken over to whoever still follows that: what they
/// tell is what the journal says.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_refused_undo_had_taken_over_is_concluded_by_its_follower() {
    let bench = Workbench::new().await;
    let looks = Hold::new();
    let slow = bench.guard_that(Sends {
        after_look: Some(Arc::clone(&looks)),
        ..Sends::default()
    });
    let (first, follower) = followed(&bench, &slow, Behaviour::default(), hold("x")).await;
    looks.is_reached().await;
    let guard = bench.guard();
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    bench.server.behave(Behaviour {
        refuses: true,
        ..Behaviour::default()
    });
    let refused = execute(&guard, &undo).await.unwrap();
    assert_eq!(refused.outcome.result, OutcomeKind::NotApplied);
    let status = guard.proposal_status(&first.id).await.unwrap();
    assert_eq!(status.phase, Phase::Unknown);
    bench.server.finish();
    for _ in 0..10_000 {
        looks.let_go();
    }
    let told = follower.await.unwrap();
    assert_eq!(told.outcome.result, OutcomeKind::Applied, "{told:?}");
    let status = guard.proposal_status(&first.id).await.unwrap();
    assert_eq!(status.outcome.as_ref(), Some(&told.outcome));
    assert_eq!(status.phase, Phase::Applied);
    let state = guard.state().await.unwrap();
    assert!(state.effects[&first.id].confirmed);
}

/// The first arrives and is answered while the undo reads how it is: what was read is from before.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_is_not_proven_by_readings_from_before_the_first_arrived() {
    let bench = Workbench::new().await;
    let (guard, first, sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let looks = Hold::new();
    let slow = bench.guard_that(Sends {
        after_look: Some(Arc::clone(&looks)),
        ..Sends::default()
    });
    let proposal = undo.clone();
    let undoing = tokio::spawn(async move { execute(&slow, &proposal).await });
    looks.is_reached().await;
    arrives(&bench, &sender, &first).await;
    for _ in 0..10_000 {
        looks.let_go();
    }
    let report = undoing.await.unwrap().unwrap();
    assert_eq!(summary(&report), (json!("not_applied"), Some("overtaken")));
    // Which is said once.
    let said = "the request that it takes back arrived after it: it would show by now";
    assert_eq!(report.outcome.summary, said);
    let state = guard.state().await.unwrap();
    assert!(state.effects.contains_key(&first.id), "it is in force");
}

/// Nothing ever showed the undo, and the first was answered: after it was sent, so that it overtook
/// it, or before, so that the undo itself came to nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_an_undo_was_sent_did_not_overtake_it() {
    for (is_answered_before, code) in [(false, "overtaken"), (true, "no_trace")] {
        let bench = Workbench::new().await;
        let (guard, first, sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
        let undo = guard
            .propose_undo(&first.id, &ana(), "back")
            .await
            .unwrap()
            .asked();
        bench.server.behave(Behaviour {
            forgets: true,
            ..Behaviour::default()
        });
        if is_answered_before {
            arrives(&bench, &sender, &first).await;
        }
        let looks = Hold::new();
        let slow = bench.guard_that(Sends {
            after_look: Some(Arc::clone(&looks)),
            ..Sends::default()
        });
        let undoing = tokio::spawn(async move { execute(&slow, &undo).await });
        looks.is_reached().await;
        if !is_answered_before {
            arrives(&bench, &sender, &first).await;
        }
        for _ in 0..10_000 {
            looks.let_go();
        }
        let report = undoing.await.unwrap().unwrap();
        assert_eq!(summary(&report), (json!("not_applied"), Some(code)));
    }
}

/// A guard whose plans of a release stay between what they read and what they make of it.
fn slow_to_plan(bench: &Workbench) -> (Guard, Arc<Hold>) {
    let plans = Hold::new();
    let slow = bench.guard_that(Sends {
        after_plans_look: Some(Arc::clone(&plans)),
        ..Sends::default()
    });
    (slow, plans)
}

/// What was on its way arrives and is answered.
async fn arrives(bench: &Workbench, sender: &FileJournal, first: &Proposal) {
    let arrived = Dial {
        held: true,
        by: first.id.clone(),
        ..Dial::default()
    };
    bench.server.turn_by_hand("x", arrived);
    let (accepted, code) = (Accepted::new("will do"), None);
    let (id, answer) = (first.id.clone(), Answer::Accepted { accepted, code });
    write(sender, [Record::Answer { id, answer }])
        .await
        .unwrap();
}

/// The first arrives and is answered while its undo is planned: that there is nothing to take back
/// was read before.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_is_not_said_by_readings_from_before_the_first_arrived() {
    let bench = Workbench::new().await;
    let (guard, first, sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
    let (slow, plans) = slow_to_plan(&bench);
    let id = first.id.clone();
    let planning = tokio::spawn(async move { slow.propose_undo(&id, &ana(), "back").await });
    plans.is_reached().await;
    arrives(&bench, &sender, &first).await;
    for _ in 0..100 {
        plans.let_go();
    }
    let undo = planning.await.unwrap().unwrap().asked();
    assert!(undo.plan.verdict.may_be_sent(), "{:?}", undo.plan.verdict);
    let report = execute(&guard, &undo).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert!(!bench.server.dial("x").held);
}

/// The same while it is planned again, right before it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_any_more_is_not_said_by_them_either() {
    let bench = Workbench::new().await;
    let (guard, first, sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let (slow, plans) = slow_to_plan(&bench);
    let undoing = tokio::spawn(async move { execute(&slow, &undo).await });
    plans.is_reached().await;
    arrives(&bench, &sender, &first).await;
    for _ in 0..100 {
        plans.let_go();
    }
    let report = undoing.await.unwrap().unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert!(!bench.server.dial("x").held);
}

/// The first arrives while somebody looks at the plan of its undo.
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_from_before_the_first_arrived_is_made_again() {
    let bench = Workbench::new().await;
    let (guard, first, sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
    let draft = guard.draft_undo(&first.id, &ana(), "back").await.unwrap();
    assert!(!draft.proposal().plan.verdict.may_be_sent());
    arrives(&bench, &sender, &first).await;
    let error = guard.propose_draft(draft.clone()).await.unwrap_err();
    assert!(
        matches!(&error, GuardError::Refused(Refusal::PlanOutdated { by, .. }) if *by == first.id),
        "{error}"
    );
    let draft = guard.draft_again(draft).await.unwrap();
    let undo = guard.propose_draft(draft).await.unwrap().asked();
    assert_eq!(undo.undoes.as_ref(), Some(&first.id));
    let report = execute(&guard, &undo).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert!(!bench.server.dial("x").held);
}

/// Also where it is no undo: what is done while it is planned is not passed over.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_is_not_said_of_what_was_done_meanwhile() {
    let bench = Workbench::new().await;
    let (slow, plans) = slow_to_plan(&bench);
    let by_hand = Request::new("release_dial", json!({"dial": "x"}), "user:ben");
    let planning = tokio::spawn(async move { slow.propose(by_hand).await });
    plans.is_reached().await;
    let guard = bench.guard();
    let held = proposed(&guard, hold("x")).await;
    let report = execute(&guard, &held).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    for _ in 0..100 {
        plans.let_go();
    }
    let release = planning.await.unwrap().unwrap().asked();
    assert!(release.plan.verdict.may_be_sent());
}

/// What was proposed before it was planned, and is sent and answered while it is, is as new as what
/// was proposed meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_is_not_said_of_what_was_sent_meanwhile() {
    for is_proposed_before in [true, false] {
        let bench = Workbench::new().await;
        let guard = bench.guard();
        let before = match is_proposed_before {
            true => Some(proposed(&guard, hold("x")).await),
            false => None,
        };
        let (slow, plans) = slow_to_plan(&bench);
        let by_hand = Request::new("release_dial", json!({"dial": "x"}), "user:ben");
        let planning = tokio::spawn(async move { slow.propose(by_hand).await });
        plans.is_reached().await;
        let held = match before {
            Some(held) => held,
            None => proposed(&guard, hold("x")).await,
        };
        bench.server.behave(Behaviour {
            held_back: true,
            ..Behaviour::default()
        });
        let (task, first) = (guard.clone(), held.clone());
        let follower = tokio::spawn(async move { execute(&task, &first).await });
        wait_until(&guard, &held.id, |answered| answered).await;
        for _ in 0..100 {
            plans.let_go();
        }
        let release = planning.await.unwrap().unwrap().asked();
        assert_eq!(release.undoes.as_ref(), Some(&held.id));
        let said = &release.plan.verdict;
        assert!(said.may_be_sent(), "{said:?}");
        bench.server.finish();
        follower.await.unwrap().unwrap();
    }
}

/// An undo that was refused while the first was on its way leaves that to who recovers it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_refused_undo_had_taken_over_is_recovered() {
    let bench = Workbench::new().await;
    let (guard, first, sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    bench.server.behave(Behaviour {
        refuses: true,
        ..Behaviour::default()
    });
    let report = execute(&guard, &undo).await.unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::NotApplied);
    let next = report.outcome.next.unwrap();
    assert!(
        next.contains(&first.id) && next.contains("recover"),
        "{next}"
    );
    let arrived = Dial {
        held: true,
        by: first.id.clone(),
        ..Dial::default()
    };
    bench.server.turn_by_hand("x", arrived);
    drop(sender);
    let reports = guard.recover(&mut |_| {}).await.unwrap();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let status = guard.proposal_status(&first.id).await.unwrap();
    assert_eq!(status.phase, Phase::Applied, "{status:?}");
    let state = guard.state().await.unwrap();
    assert!(state.effects.contains_key(&first.id), "it is in force");
}

/// The one that takes back dies right after its intent; another process finishes both.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_finishes_both() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let undoing = bench.guard();
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let undo = undoing
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let (task, proposal) = (undoing.clone(), undo.clone());
    let dying = tokio::spawn(async move { execute(&task, &proposal).await });
    wait_until(&undoing, &undo.id, |answered| answered).await;
    assert_eq!(summary(&follower.await.unwrap()).1, Some("taken_over"));
    undoing.cancel(&undo.id, &ana(), "leave it").await.unwrap();
    let left = dying.await.unwrap().unwrap();
    assert_eq!(left.outcome.result, OutcomeKind::Unknown, "{left:?}");

    bench.server.finish();
    let reports = undoing.recover(&mut |_| {}).await.unwrap();
    assert!(!reports.is_empty());
    let status = undoing.proposal_status(&undo.id).await.unwrap();
    assert_eq!(status.phase, Phase::Applied, "{status:?}");
    let status = undoing.proposal_status(&first.id).await.unwrap();
    assert!(status.phase.is_end(), "{status:?}");
    assert_eq!(status.taken_back.as_ref().unwrap().by, undo.id);
    assert_eq!(bench.server.senders("x").len(), 2);
}

/// Nothing shows yet, and the request may still arrive: it is taken back all the same. What comes
/// back then says how it ended.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_show_yet_is_taken_back_while_it_may_arrive() {
    let bench = Workbench::new().await;
    let (guard, first, sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    assert!(!undo.plan.verdict.may_be_sent(), "nobody holds it");
    assert!(guard.may_be_sent(&undo).await.unwrap());
    let (task, proposal) = (guard.clone(), undo.clone());
    let undoing = tokio::spawn(async move { execute(&task, &proposal).await });
    wait_until(&guard, &undo.id, |answered| answered).await;
    let refused = Answer::Refused {
        code: "refused".to_owned(),
        error: "the dials do not want to".to_owned(),
        retryable: false,
    };
    let (id, answer) = (first.id.clone(), refused);
    write(&sender, [Record::Answer { id, answer }])
        .await
        .unwrap();
    let report = undoing.await.unwrap().unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    let status = guard.proposal_status(&first.id).await.unwrap();
    assert_eq!(status.phase, Phase::NotApplied);
    let outcome = status.outcome.as_ref().unwrap();
    assert_eq!(outcome.code.as_deref(), Some("refused"));
    assert_eq!(bench.server.senders("x"), [undo.id]);
}

/// It is overtaken only when the first can no longer arrive: until then it may be done yet.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_is_not_called_overtaken_while_the_first_may_arrive() {
    let bench = Workbench::new().await;
    let silent = Behaviour {
        silent: true,
        ..Behaviour::default()
    };
    let held = bench.guard().held_for(Duration::from_hours(1));
    let (first, follower) = followed(&bench, &held, silent, hold("x")).await;
    let guard = bench.guard();
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let (task, proposal, server) = (guard.clone(), undo.clone(), bench.server.clone());
    let (tell, mut told) = unbounded_channel();
    let undoing = tokio::spawn(async move {
        let mut watch = |event| {
            if let Event::Progress(Progress::Pending { summary, .. }) = event {
                if summary.contains("x shows it") {
                    server.finish();
                }
                let _ = tell.send(summary);
            }
        };
        task.execute(&proposal, &ana(), &mut watch)
            .await?
            .into_report()
    });
    let still = "it would show by now; the request that it takes back may still arrive";
    while told.recv().await.expect("it goes on") != still {}
    guard.cancel(&undo.id, &ana(), "later").await.unwrap();
    let report = undoing.await.unwrap().unwrap();
    assert_eq!(summary(&report), (json!("unknown"), Some("cancelled")));
    follower.await.unwrap();
}

/// What it moves while it is under way is not held against its undo.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_no_change_by_somebody_else() {
    let bench = Workbench::new().await;
    let (guard, first, _sender) = begun(&bench, hold("x"), SignedDuration::from_mins(10)).await;
    let undo = guard
        .propose_undo(&first.id, &ana(), "back")
        .await
        .unwrap()
        .asked();
    let arrived = Dial {
        held: true,
        by: first.id.clone(),
        ..Dial::default()
    };
    bench.server.turn_by_hand("x", arrived);
    let (task, proposal) = (guard.clone(), undo.clone());
    let undoing = tokio::spawn(async move { execute(&task, &proposal).await });
    wait_until(&guard, &undo.id, |answered| answered).await;
    assert_eq!(bench.server.senders("x"), [&*undo.id]);
    guard.cancel(&undo.id, &ana(), "enough").await.unwrap();
    undoing.await.unwrap().unwrap();
}

/// As its own evidence shows it.
#[tokio::test(flavor = "multi_thread")]
async fn what_left_no_trace_is_not_called_taken_back() {
    let bench = Workbench::new().await;
    let (guard, first, sender) = begun(&bench, hold("x"), SignedDuration::ZERO).await;
    let (accepted, code) = (Accepted::new("will do"), None);
    let (id, answer) = (first.id.clone(), Answer::Accepted { accepted, code });
    write(&sender, [Record::Answer { id, answer }])
        .await
        .unwrap();
    let answered = Instant::now();
    while answered.elapsed() <= Duration::from_millis(SETTLE_MS) {
        tokio::task::yield_now().await;
    }
    // Somebody else holds it.
    let theirs = Dial {
        held: true,
        by: "ben".to_owned(),
        ..Dial::default()
    };
    bench.server.turn_by_hand("x", theirs);
    undone(&guard, &first).await;
    let status = guard.proposal_status(&first.id).await.unwrap();
    let outcome = status.outcome.as_ref().unwrap();
    assert_eq!(outcome.code.as_deref(), Some("no_trace"));
    assert!(outcome.retryable, "it was answered, so nothing holds it");
}

/// That another undo is at it is said of what failed for that, and of nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_fails_for_another_reason_says_that() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    let [one, other] = ["one", "other"].map(|reason| {
        let (guard, id) = (guard.clone(), first.id.clone());
        async move {
            guard
                .propose_undo(&id, &ana(), reason)
                .await
                .unwrap()
                .asked()
        }
    });
    let (one, other) = (one.await, other.await);
    bench.server.behave(Behaviour {
        held_back: true,
        ..Behaviour::default()
    });
    let (task, proposal) = (guard.clone(), one.clone());
    let undoing = tokio::spawn(async move { execute(&task, &proposal).await });
    wait_until(&guard, &one.id, |answered| answered).await;
    let (controls, by) = (bench.guard().controls(), ana());
    let observe = controls.set_mode(Mode::Observe, Decider::claimed(&by), "night");
    observe.await.unwrap();
    let error = execute(&guard, &other).await.unwrap_err();
    assert!(
        matches!(error, GuardError::Refused(Refusal::Observing)),
        "{error}"
    );
    bench.server.finish();
    undoing.await.unwrap().unwrap();
    follower.await.unwrap();
}

/// The undo ended before what it took over, and so is forgotten before it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_is_not_taken_back_again_when_its_undo_is_forgotten() {
    let bench = Workbench::new().await;
    let (first, follower) = in_flight(&bench, Behaviour::default(), "x").await;
    let guard = bench.guard();
    let undo = undone(&guard, &first).await;
    follower.await.unwrap();
    for value in 1.. {
        if guard.proposal_status(&undo.id).await.is_err() {
            break;
        }
        assert!(value < 100, "it is not forgotten");
        let turn = Request::new(
            "turn_dial",
            json!({"dial": "y", "value": value}),
            "user:ben",
        );
        let turn = proposed(&guard, turn).await;
        execute(&guard, &turn).await.unwrap();
    }
    let status = guard.proposal_status(&first.id).await.unwrap();
    assert!(status.taken_back.is_some());
    let error = guard.propose_undo(&first.id, &ana(), "again").await;
    let GuardError::NoUndo { reason, .. } = error.unwrap_err() else {
        unreachable!();
    };
    assert_eq!(reason, format!("proposal `{}` took it back", undo.id));
}
