//! A cancelled move is not a move undone: where it ends depends on how far the stores had got.

use std::time::Duration;

use pd_sim::{Role, Sim};
use serde_json::json;

use crate::http::{CREATED, delete, operator, start_with, status_of};

/// Begins to move a peer from store 2 to store 4, and cancels after a while.
async fn cancelled_after(sim: &Sim, region: u64, millis: u64) {
    let body = json!({
        "name": "transfer-peer", "region_id": region, "from_store_id": 2, "to_store_id": 4
    });
    let answer = operator(sim, &body).await;
    assert_eq!(answer, (200, CREATED.to_owned()));
    sim.advance(Duration::from_millis(millis));
    let answer = delete(sim, &format!("/operators/{region}")).await;
    assert_eq!(answer.text(), "\"The pending operator is canceled.\"\n");
    assert_eq!(status_of(sim, region).await.0, "CANCEL");
}

fn roles(sim: &Sim, region: u64) -> Vec<(u64, Role)> {
    sim.peers(region)
        .iter()
        .map(|peer| (peer.store_id, peer.role))
        .collect()
}

async fn sim() -> Sim {
    start_with(|builder| builder).await
}

#[tokio::test]
async fn cancelled_in_the_middle_it_moves_all_the_same() {
    let sim = sim().await;
    let region = sim.region_ids()[0];
    cancelled_after(&sim, region, 300).await;
    let with_learner = [1, 2, 3].map(|store| (store, Role::Voter));
    assert_eq!(roles(&sim, region)[..3], with_learner);
    assert_eq!(roles(&sim, region)[3], (4, Role::Learner));

    sim.advance(Duration::from_secs(12));
    assert_eq!(
        roles(&sim, region),
        [1, 3, 4].map(|store| (store, Role::Voter))
    );
    assert_eq!(sim.epoch(region).map(|epoch| epoch.conf_ver), Some(7));
    let last = sim.operator_status(region).unwrap_or_default();
    let expected =
        "status: SUCCESS, operator: remove-orphan-peer {rm peer: store [2]} (kind:region,";
    assert!(last.starts_with(expected), "{last}");
}

#[tokio::test]
async fn cancelled_before_the_joint_state_it_is_undone() {
    let sim = sim().await;
    let region = sim.region_ids()[0];
    cancelled_after(&sim, region, 100).await;
    sim.advance(Duration::from_secs(12));
    assert_eq!(
        roles(&sim, region),
        [1, 2, 3].map(|store| (store, Role::Voter))
    );
    let last = sim.operator_status(region).unwrap_or_default();
    let expected = "status: SUCCESS, operator: remove-orphan-peer {rm peer: store [4]}";
    assert!(last.starts_with(expected), "{last}");
}

#[tokio::test]
async fn a_repeat_meets_the_learner() {
    let sim = sim().await;
    let region = sim.region_ids()[0];
    cancelled_after(&sim, region, 300).await;
    let learner = sim.peers(region)[3].id;
    let body = json!({
        "name": "transfer-peer", "region_id": region, "from_store_id": 2, "to_store_id": 4
    });
    let refusal = format!(
        "cannot add peer store_id:4 : already have peer id:{learner} store_id:4 role:Learner "
    );
    assert_eq!(operator(&sim, &body).await, (500, refusal));
}

#[tokio::test]
async fn behind_a_split_nobody_executes_it_stays_half_moved() {
    let keys = ["7200000000000000FB"];
    let sim = start_with(|b| b.executes_splits(false).labeler_split_keys(keys)).await;
    let region = sim.region_ids()[0];
    sim.advance(Duration::from_secs(2));
    assert_eq!(status_of(&sim, region).await.1, "labeler-split-region");

    cancelled_after(&sim, region, 300).await;
    let half_moved = [
        (1, Role::Voter),
        (2, Role::Learner),
        (3, Role::Voter),
        (4, Role::Voter),
    ];
    for _ in 0..3 {
        sim.advance(Duration::from_secs(12));
        assert_eq!(roles(&sim, region), half_moved);
        let (status, desc) = status_of(&sim, region).await;
        assert_eq!((&*status, &*desc), ("RUNNING", "labeler-split-region"));
    }

    // The labels are gone and the split times out: the orphan goes.
    sim.clear_labeler_split_keys();
    sim.advance(Duration::from_secs(60));
    assert_eq!(
        roles(&sim, region),
        [1, 3, 4].map(|store| (store, Role::Voter))
    );
}
