//! Who leads has no history but what operators say of it.

use std::time::Duration;

use super::Fate::{AnswerLost, Answered, NeverArrived};
use super::{BALANCER, End, Fate, Fixture, ended, not_applied, undecided, unknown};

async fn check(fate: Fate, then: fn(&Fixture), end: End) {
    let fixture = Fixture::start().await;
    let run = fixture.begin(fate, "transfer_leader").await;
    then(&fixture);
    assert_eq!(ended(&run).await, end, "{fate:?}");
}

fn moved_back(fixture: &Fixture) {
    fixture.done();
    fixture.balanced_to(fixture.leader);
}

fn moved_twice(fixture: &Fixture) {
    moved_back(fixture);
    fixture.balanced_elsewhere();
}

/// Led by the old one again, without an operator.
fn forgotten(fixture: &Fixture) {
    fixture.done();
    fixture.sim.set_leader(fixture.id, fixture.leader);
    fixture.lost_memory();
}

fn expired(fixture: &Fixture) {
    fixture.done();
    fixture.sim.set_leader(fixture.id, fixture.leader);
    fixture.sim.advance(Duration::from_secs(900));
}

#[tokio::test]
async fn a_transfer_of_the_leader_is_proven_by_who_moved_it_on() {
    for fate in [Answered, AnswerLost] {
        check(fate, moved_back, undecided(BALANCER)).await;
        check(fate, moved_twice, unknown("operator_superseded")).await;
    }
    let elsewhere = Fixture::balanced_elsewhere;
    check(NeverArrived, elsewhere, unknown("operator_superseded")).await;
    check(NeverArrived, |_| (), not_applied("no_trace")).await;
    check(Answered, forgotten, unknown("operator_lost")).await;
    check(AnswerLost, forgotten, unknown("trace_lost")).await;
    check(NeverArrived, Fixture::lost_memory, unknown("trace_lost")).await;
    check(AnswerLost, expired, unknown("trace_lost")).await;
}

/// What was there at planning tells the new from the old, without a clock.
#[tokio::test]
async fn an_operator_that_was_there_before_proves_that_none_was_made_since() {
    let fixture = Fixture::start().await;
    // To where ours is to go, and back, in the very second of the plan.
    fixture.balanced_to(fixture.other);
    fixture.balanced_to(fixture.leader);
    let run = fixture.begin(NeverArrived, "transfer_leader").await;
    assert_eq!(ended(&run).await, not_applied("no_trace"));
}
