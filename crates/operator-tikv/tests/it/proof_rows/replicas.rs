//! Replicas are told apart by their own ids, which no other ever gets.

use std::time::Duration;

use action_core::{Attribution, Progress, SettledState};
use pd_sim::{ForeignOperator, Role};
use serde_json::Value;

use super::Fate::{AnswerLost, Answered, NeverArrived};
use super::{End, Fate, Fixture, ended, not_applied, undecided, unknown};
use crate::harness::applied;
use crate::{altered, get};

const ORPHAN: &str = "remove-orphan-peer";
const MADE_UP: &str = "add-rule-peer";
const BETTER: &str = "move-to-better-location";

async fn check(fate: Fate, name: &str, then: fn(&Fixture), end: End) {
    let fixture = Fixture::start().await;
    let run = fixture.begin(fate, name).await;
    then(&fixture);
    assert_eq!(ended(&run).await, end, "{fate:?}: {name}");
    if let End::Applied(_, by) = end {
        let settled = run.look_again().await;
        assert_eq!(settled.state, SettledState::Reversed, "{fate:?}: {name}");
        let cause = settled.cause.unwrap();
        assert_eq!(cause.code, "changed_by_operator", "{fate:?}: {name}");
        assert!(cause.text.contains(&by), "{name}: {}", cause.text);
    }
}

fn orphaned(fixture: &Fixture) {
    fixture.done();
    let (id, free) = (fixture.id, fixture.free);
    fixture.foreign(ForeignOperator::remove_peer(ORPHAN, id, free));
}

fn made_up(fixture: &Fixture) {
    fixture.done();
    let (id, other) = (fixture.id, fixture.other);
    let operator = ForeignOperator::add_peer(MADE_UP, id, other, Role::Voter);
    fixture.foreign(operator);
}

fn moved_to_better(fixture: &Fixture) {
    fixture.sim.advance(Duration::from_secs(5));
    let (id, from, to) = (fixture.id, fixture.third, fixture.other);
    fixture.foreign(ForeignOperator::move_peer(BETTER, id, from, to));
}

#[tokio::test]
async fn replicas_are_proven_by_their_own_ids() {
    for fate in [Answered, AnswerLost] {
        check(fate, "add_peer", orphaned, undecided(ORPHAN)).await;
        check(fate, "remove_peer", made_up, undecided(MADE_UP)).await;
        check(fate, "transfer_peer", moved_to_better, undecided(BETTER)).await;
        // Gone from both: that it had come as a voter is shown by nothing.
        let superseded = unknown("operator_superseded");
        check(fate, "transfer_peer", orphaned, superseded).await;
    }
    for name in ["add_peer", "remove_peer", "transfer_peer"] {
        let elsewhere = Fixture::balanced_elsewhere;
        let superseded = not_applied("operator_superseded");
        check(NeverArrived, name, elsewhere, superseded).await;
        let forgot = Fixture::lost_memory;
        check(NeverArrived, name, forgot, not_applied("no_trace")).await;
    }
}

/// A learner that was taken away again was never the voter that was asked for.
#[tokio::test]
async fn a_replica_that_never_voted_was_not_added_as_a_voter() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(Answered, "add_peer").await;
    fixture.copying();
    fixture.cancel().await;
    fixture.sim.advance(Duration::from_millis(500));
    let learner = fixture.sim.peers(fixture.id).pop().unwrap();
    let operator = ForeignOperator::remove_peer(ORPHAN, fixture.id, fixture.free);
    fixture.foreign(operator);
    let expected = if learner.role == Role::Learner {
        not_applied("operator_superseded")
    } else {
        undecided(ORPHAN)
    };
    assert_eq!(ended(&run).await, expected);
}

/// The end is told by the first probe that sees it, not at the end of a time-out.
#[tokio::test]
async fn what_was_applied_and_changed_is_told_at_once() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(Answered, "remove_peer").await;
    fixture.sim.advance(Duration::from_millis(500));
    let (id, other) = (fixture.id, fixture.other);
    let made_up = ForeignOperator::add_peer(MADE_UP, id, other, Role::Voter);
    fixture.sim.insert_operator(made_up).unwrap();
    // While the other still runs, ours is on record.
    assert_eq!(applied(&run.probe().await, ""), Attribution::Ours);
    fixture.sim.advance(Duration::from_millis(600));
    applied(&run.probe().await, "");
}

/// What is half done is waited for while ours is at work, and no reason is given.
#[tokio::test]
async fn what_is_half_done_by_ours_at_work_is_in_progress() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(Answered, "add_peer").await;
    fixture.copying();
    let Progress::Pending {
        summary, stalled, ..
    } = run.probe().await
    else {
        unreachable!("at work");
    };
    assert!(summary.starts_with("half added"), "{summary}");
    assert!(stalled.is_empty(), "{stalled:?}");
}

/// PD says success of ours after it saw it done, whatever the region shows by then.
#[tokio::test]
async fn success_of_ours_proves_it_whatever_the_region_shows_by_then() {
    let ours = || End::Applied(Attribution::Ours, String::new());
    // The new replica lags.
    let fixture = Fixture::start().await;
    let run = fixture.begin(Answered, "add_peer").await;
    fixture.sim.advance(Duration::from_secs(5));
    fixture.sim.set_pending(fixture.id, fixture.free, true);
    assert_eq!(ended(&run).await, ours());

    // The region is read as it was before, and is gone.
    for is_gone in [false, true] {
        let fixture = Fixture::start().await;
        let path = format!("/region/id/{}", fixture.id);
        let before = get(&fixture.sim, &path).await;
        let run = fixture.begin(Answered, "add_peer").await;
        fixture.sim.advance(Duration::from_secs(5));
        let shown = if is_gone { Value::Null } else { before };
        altered(&fixture.sim, &path, |region| *region = shown).await;
        assert_eq!(ended(&run).await, ours(), "{is_gone}");
    }
}

#[tokio::test]
async fn of_a_region_that_is_gone_nothing_is_known() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(NeverArrived, "add_peer").await;
    let path = format!("/region/id/{}", fixture.id);
    altered(&fixture.sim, &path, |region| *region = Value::Null).await;
    assert_eq!(ended(&run).await, unknown("region_gone"));
}
