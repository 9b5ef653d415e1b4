//! Who leads has no history but what operators say of it.

use std::time::Duration;

use action_core::{Accepted, Progress, SettledState};
use pd_sim::ForeignOperator;
use serde_json::json;

use super::Fate::{AnswerLost, Answered, NeverArrived};
use super::{BALANCER, End, Fate, Fixture, ended, not_applied, undecided, unknown};
use crate::harness::{code, not_known, pending};
use crate::request;

/// What happens after the send.
type Then = fn(&Fixture);

async fn check(fate: Fate, then: Then, end: End) {
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
    for name in [
        "transfer_leader",
        "add_peer",
        "remove_peer",
        "transfer_peer",
        "split_region",
        "scatter_region",
        "merge_regions",
    ] {
        let fixture = Fixture::start().await;
        // To where ours is to go, and back, in the very second of the plan.
        fixture.balanced_to(fixture.other);
        fixture.balanced_to(fixture.leader);
        let run = match name {
            "merge_regions" => {
                let source = fixture.next().await.1;
                let parameters =
                    json!({"source_region_id": source, "target_region_id": fixture.id});
                fixture.begin_with(NeverArrived, name, parameters).await
            }
            _ => fixture.begin(NeverArrived, name).await,
        };
        assert_eq!(ended(&run).await, not_applied("no_trace"), "{name}");
    }
}

/// Without what PD had in memory at planning, an operator is another's and new when it was made
/// after the send, by half a second more than the clocks may be off.
#[tokio::test]
async fn an_operator_is_new_by_the_clock_where_the_plan_has_no_memory() {
    for (after_ms, code) in [(400, "changed_since"), (600, "changed_by_operator")] {
        let fixture = Fixture::start().await;
        let mut run = fixture.begin(NeverArrived, "transfer_leader").await;
        run.plan.before.as_object_mut().unwrap().remove("traces");
        fixture.sim.advance(Duration::from_millis(after_ms));
        fixture.balanced_elsewhere();
        let settled = run.look_again().await;
        assert_eq!(settled.cause.unwrap().code, code, "{after_ms} ms");
    }
}

/// What TiKV was told may happen until 15 s after PD has let go of it: of the operator that is
/// ours, not of another that was made in the same instant.
#[tokio::test]
async fn an_operator_is_over_fifteen_seconds_after_it_ended() {
    let fixture = Fixture::start().await;
    let sim = &fixture.sim;
    let ids = sim.region_ids();
    let (sooner, later) = (ids[0], ids[1]);
    let elsewhere = |id: u64| {
        let mut stores = sim.peers(id).into_iter().map(|peer| peer.store_id);
        let to = stores.find(|store| Some(*store) != sim.leader_of(id));
        ForeignOperator::transfer_leader(BALANCER, id, to.unwrap())
    };
    for store in 1..=5 {
        sim.set_ignores_operators(store, true);
    }
    let run = fixture.begin(Answered, "transfer_leader").await;
    for id in [sooner, later] {
        sim.insert_operator(elsewhere(id)).unwrap();
    }
    let cancel = async |id: u64| {
        let path = format!("/operators/{id}");
        assert_eq!(request(sim, "DELETE", &path, "").await, 200);
    };
    sim.advance(Duration::from_secs(1));
    cancel(sooner).await;
    sim.advance(Duration::from_secs(20));
    fixture.cancel().await;
    sim.advance(Duration::from_secs(5));
    cancel(later).await;
    // Times of sending are in whole milliseconds.
    sim.advance(Duration::from_millis(9_999));
    pending(&run.probe().await, "it may still come");
    sim.advance(Duration::from_millis(2));
    assert_eq!(code(&run.probe().await), "operator_cancelled");
}

/// Whatever ours had become, it ended before the next was made: nothing comes of it 15 s later.
#[tokio::test]
async fn what_is_superseded_is_over_fifteen_seconds_after_the_next_was_made() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(NeverArrived, "remove_peer").await;
    fixture.sim.advance(Duration::from_secs(10));
    fixture.balanced_elsewhere();
    fixture.sim.advance(Duration::from_millis(12_999));
    pending(&run.probe().await, "made 14.999 s ago");
    fixture.sim.advance(Duration::from_millis(2));
    assert_eq!(code(&run.probe().await), "operator_superseded");
}

/// PD remembers for ten minutes who did what; for nine that is relied on.
#[tokio::test]
async fn that_nothing_was_done_is_proven_by_pds_memory_for_nine_minutes() {
    let fixture = Fixture::start().await;
    let run = fixture.begin(NeverArrived, "transfer_leader").await;
    fixture.sim.advance(Duration::from_millis(539_999));
    assert_eq!(code(&run.probe().await), "no_trace");
    fixture.sim.advance(Duration::from_millis(1));
    assert_eq!(not_known(&run.probe().await), "trace_lost");
}

/// PD says that it has made an operator, which none but a scattering may do without making one.
#[tokio::test]
async fn an_operator_that_pd_accepted_and_does_not_know_is_lost() {
    let fixture = Fixture::start().await;
    for (name, end) in [
        ("transfer_leader", unknown("operator_lost")),
        ("scatter_region", not_applied("nothing_moved")),
    ] {
        let mut run = fixture.begin(NeverArrived, name).await;
        run.sending.accepted = Some(Accepted::new("ok"));
        assert_eq!(ended(&run).await, end, "{name}");
    }
}

#[tokio::test]
async fn what_held_is_told_from_what_was_changed_by_somebody_and_by_nobody_that_is_known() {
    let (held, reversed) = (SettledState::Held, SettledState::Reversed);
    let set_back = |fixture: &Fixture| fixture.sim.set_leader(fixture.id, fixture.leader);
    let cases: [(Then, SettledState, &str); 3] = [
        (|_| (), held, ""),
        (set_back, reversed, "changed_since"),
        (Fixture::balanced_elsewhere, reversed, "changed_by_operator"),
    ];
    for (then, state, code) in cases {
        let fixture = Fixture::start().await;
        let run = fixture.begin(Answered, "transfer_leader").await;
        fixture.done();
        then(&fixture);
        let settled = run.look_again().await;
        assert_eq!(settled.state, state, "{settled:?}");
        let cause = settled.cause.map_or(String::new(), |cause| cause.code);
        assert_eq!(cause, code);
    }
}

#[tokio::test]
async fn the_region_is_told_by_where_it_was_read_and_whether_it_is_as_before() {
    for (then, same) in [
        ((|_| ()) as Then, true),
        (Fixture::balanced_elsewhere, false),
    ] {
        let fixture = Fixture::start().await;
        let run = fixture.begin(NeverArrived, "add_peer").await;
        then(&fixture);
        let Progress::NotApplied {
            cause, evidence, ..
        } = run.settled(40).await
        else {
            unreachable!("{same}");
        };
        assert_eq!(cause.text.contains(" as before: "), same, "{}", cause.text);
        let source = format!("GET /pd/api/v1/region/id/{}", fixture.id);
        let read = evidence.iter().filter(|one| one.source == source);
        let facts: Vec<_> = read.map(|one| one.fact.as_str()).collect();
        let expected = [
            "leader_store_id",
            "peers",
            "peer_ids",
            "conf_ver",
            "version",
        ];
        assert_eq!(facts, expected);
    }
}
