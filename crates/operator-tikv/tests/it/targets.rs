//! Which stores PD takes for a target of an operator by request: a table, state by state.
//!
//! For replicas PD looks at two things (`checkStoreState` of `pkg/schedule/handler/handler.go`, the
//! same for `add-peer`, `transfer-peer` and `transfer-region`): whether the store is removed, and
//! whether it was silent for ten minutes. For leaders it applies the row `LeaderTarget` of the table
//! in `pkg/schedule/filter/filters.go`. Busy, slow, Offline and Disconnected were seen on PD 8.5.7.

use std::time::Duration;

use action_core::Verdict;
use pd_sim::{Sim, StoreState, Version};
use serde_json::json;

use crate::harness::{Run, pending};
use crate::{VERSIONS, altered_store, region, request, stepped};

/// What a plan says: that it proceeds, or the code of why not.
fn answer(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::WouldProceed => "proceeds",
        Verdict::WouldReject { code, .. } => code,
        Verdict::AcceptedButWillNotProgress { causes } => &causes[0].code,
        other => unreachable!("{other:?}"),
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    Up,
    Busy,
    Offline,
    Disconnected,
    /// Silent for longer than `max-store-down-time`, which is shorter than ten minutes.
    Down,
    /// Silent for longer than ten minutes.
    Unhealthy,
    Tombstone,
}

impl State {
    async fn set(self, sim: &Sim, store: u64) {
        let silent = |seconds| sim.set_heartbeat_age(store, Duration::from_secs(seconds));
        match self {
            Self::Up => {}
            Self::Busy => {
                altered_store(sim, store, |store| store["status"]["is_busy"] = true.into()).await;
            }
            Self::Offline => sim.set_store_state(store, StoreState::Offline),
            Self::Disconnected => silent(60),
            Self::Down => {
                assert!(sim.set_schedule("max-store-down-time", "5m"));
                silent(400);
            }
            Self::Unhealthy => silent(700),
            Self::Tombstone => sim.set_store_state(store, StoreState::Tombstone),
        }
    }
}

/// What is answered to a replica that is to go there, and to a leader.
const TABLE: [(State, &str, &str); 7] = [
    (State::Up, "proceeds", "proceeds"),
    (State::Busy, "proceeds", "target_not_allowed"),
    (State::Offline, "proceeds", "target_not_allowed"),
    (State::Disconnected, "target_not_up", "target_not_allowed"),
    (State::Down, "target_not_up", "target_not_allowed"),
    (
        State::Unhealthy,
        "PD:core:ErrStoreUnhealthy",
        "target_not_allowed",
    ),
    (
        State::Tombstone,
        "PD:core:ErrStoreRemoved",
        "target_not_allowed",
    ),
];

#[tokio::test]
async fn each_state_of_a_target_is_answered_as_pd_does() {
    for version in VERSIONS {
        for (state, replica, leader) in TABLE {
            let sim = stepped(version).start().await.unwrap();
            let (id, _, other, free) = region(&sim);
            state.set(&sim, free).await;
            let add = json!({"region_id": id, "store_id": free});
            let moves = json!({"region_id": id, "from_store_id": other, "to_store_id": free});
            for (name, parameters) in [("add_peer", add), ("transfer_peer", moves)] {
                let run = Run::planned(&sim, name, parameters).await;
                let verdict = &run.plan.verdict;
                assert_eq!(answer(verdict), replica, "{version:?} {state:?} {name}");
            }
            let sim = stepped(version).start().await.unwrap();
            let (id, _, other, _) = region(&sim);
            state.set(&sim, other).await;
            let lead = json!({"region_id": id, "to_store_id": other});
            let run = Run::planned(&sim, "transfer_leader", lead).await;
            let verdict = &run.plan.verdict;
            assert_eq!(answer(verdict), leader, "{version:?} {state:?} leader");
        }
    }
}

/// Of the voters that stay PD has the one on the lowest store lead, lagging or not.
#[tokio::test]
async fn a_leader_does_not_leave_while_the_next_one_lags() {
    for version in VERSIONS {
        for lagging in [0, 1] {
            let sim = stepped(version).start().await.unwrap();
            let (id, leader, _, free) = region(&sim);
            let others = sim.peers(id).into_iter().map(|peer| peer.store_id);
            let mut others: Vec<u64> = others.filter(|store| *store != leader).collect();
            others.sort_unstable();
            sim.set_pending(id, others[lagging], true);
            let moves = json!({"region_id": id, "from_store_id": leader, "to_store_id": free});
            let removes = json!({"region_id": id, "store_id": leader});
            for (name, parameters) in [("transfer_peer", moves), ("remove_peer", removes)] {
                let run = Run::planned(&sim, name, parameters.clone()).await;
                let expected = ["next_leader_lags", "proceeds"][lagging];
                assert_eq!(answer(&run.plan.verdict), expected, "{version:?} {name}");
            }
            if lagging == 0 {
                let body = format!(
                    r#"{{"name": "remove-peer", "region_id": {id}, "store_id": {leader}}}"#
                );
                assert_eq!(request(&sim, "POST", "/operators", &body).await, 200);
                sim.advance(Duration::from_secs(30));
                assert_eq!(sim.leader_of(id), Some(leader), "{version:?}");
            }
        }
    }
}

/// Something does come of it, and the plan says what.
#[tokio::test]
async fn a_silent_store_is_given_a_learner_and_no_more() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, _, other, free) = region(&sim);
    sim.set_stuck(free, true);
    sim.advance(Duration::from_secs(60));
    let moves = json!({"region_id": id, "from_store_id": other, "to_store_id": free});
    let run = Run::begin(&sim, "transfer_peer", moves).await;
    let Verdict::AcceptedButWillNotProgress { causes } = &run.plan.verdict else {
        unreachable!("{:?}", run.plan.verdict);
    };
    assert!(causes[0].text.contains("a learner"), "{causes:?}");
    sim.advance(Duration::from_secs(60));
    let peers = sim.peers(id);
    assert!(peers.iter().any(|peer| peer.store_id == free), "{peers:?}");
    assert!(peers.iter().any(|peer| peer.store_id == other), "{peers:?}");
    pending(&run.probe().await, "silent");
}

/// An operator of a scheduler gives way, and a silent store stays what it is.
#[tokio::test]
async fn what_gives_way_does_not_hide_a_silent_store() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, _, other, free) = region(&sim);
    sim.set_heartbeat_age(free, Duration::from_secs(60));
    let balancing = pd_sim::ForeignOperator::transfer_leader("balance-leader", id, other);
    sim.insert_operator(balancing).unwrap();
    let add = json!({"region_id": id, "store_id": free});
    let run = Run::planned(&sim, "add_peer", add).await;
    assert_eq!(answer(&run.plan.verdict), "target_not_up");
}
