//! What happened is told from what PD shows, not from what it answered.

use std::time::Duration;

use action_core::{Attribution, Progress};
use pd_sim::{Fault, ForeignOperator, Sim, Version};
use serde_json::json;

use crate::harness::{Run, applied, code, not_known, pending};
use crate::{Sending, VERSIONS, region, stepped};

/// Moves the leader of a region; gives the region and the store that led it as well.
async fn transfer(sim: &Sim) -> (Run<'_>, u64, u64) {
    let (id, leader, other, _) = region(sim);
    let parameters = json!({"region_id": id, "to_store_id": other});
    let run = Run::begin(sim, "transfer_leader", parameters).await;
    (run, id, leader)
}

#[tokio::test]
async fn a_transfer_is_pending_then_ours() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (run, id, leader) = transfer(&sim).await;
        let progress = run.probe().await;
        pending(&progress, "");
        sim.advance(Duration::from_secs(1));
        let progress = run.probe().await;
        assert_eq!(applied(&progress, ""), Attribution::Ours);
        // Moved on by a scheduler: it happened all the same.
        sim.set_leader(id, leader);
        let progress = run.probe().await;
        assert_eq!(applied(&progress, ""), Attribution::Ours);
    }
}

#[tokio::test]
async fn a_lost_reply_is_found_applied() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.fault(Fault::reply_lost_after_apply("POST", "/operators"));
    let (run, ..) = transfer(&sim).await;
    assert_eq!(run.sending.accepted, None);
    sim.advance(Duration::from_secs(1));
    let progress = run.probe().await;
    assert_eq!(applied(&progress, ""), Attribution::Undecided);
}

#[tokio::test]
async fn no_trace_is_no_answer_before_it_settled() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.fault(Fault::dropped_before_apply("POST", "/operators"));
    let (run, ..) = transfer(&sim).await;
    for _ in 0..14 {
        sim.advance(Duration::from_secs(1));
        let progress = run.probe().await;
        pending(&progress, "");
    }
    sim.advance(Duration::from_secs(2));
    let progress = run.probe().await;
    assert_eq!(code(&progress), "no_trace");
}

#[tokio::test]
async fn a_cancelled_transfer_is_not_applied_once_nothing_can_come_of_it() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    for store in 1..=5 {
        sim.set_ignores_operators(store, true);
    }
    let (run, id, _) = transfer(&sim).await;
    sim.advance(Duration::from_secs(20));
    let pd = pd_client::Client::new(sim.endpoint()).unwrap();
    pd.cancel_operator(pd_client::RegionId::new(id).unwrap())
        .await
        .unwrap();
    let progress = run.probe().await;
    pending(&progress, "what TiKV was told may still happen");
    sim.advance(Duration::from_secs(16));
    let progress = run.probe().await;
    assert_eq!(code(&progress), "operator_cancelled");
}

#[tokio::test]
async fn anothers_success_is_not_ours() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.fault(Fault::dropped_before_apply("POST", "/operators"));
    let (run, id, _) = transfer(&sim).await;
    let third = sim
        .peers(id)
        .iter()
        .map(|peer| peer.store_id)
        .find(|store| {
            Some(*store) != sim.leader_of(id) && json!(*store) != run.parameters["to_store_id"]
        });
    let foreign = ForeignOperator::transfer_leader("balance-leader", id, third.unwrap());
    sim.insert_operator(foreign).unwrap();
    sim.advance(Duration::from_secs(1));
    assert!(sim.operator_status(id).unwrap().contains("SUCCESS"));
    let progress = run.probe().await;
    pending(&progress, "");
    sim.advance(Duration::from_secs(20));
    let progress = run.probe().await;
    // Nor does it say that ours did not come before it.
    assert_eq!(not_known(&progress), "operator_superseded");
}

/// The same request of somebody else, an hour ago.
#[tokio::test]
async fn an_older_operator_that_did_the_same_is_not_ours() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (mut run, id, leader) = transfer(&sim).await;
    sim.advance(Duration::from_secs(60));
    assert!(sim.operator_status(id).unwrap().contains("SUCCESS"));
    sim.set_leader(id, leader);
    // Planned before it, where it is told by its time.
    run.sending = Sending::now(&sim);
    sim.advance(Duration::from_secs(20));
    let progress = run.probe().await;
    assert_eq!(not_known(&progress), "operator_superseded");
    // Planned after it, where it is known: none was made since.
    let run = Run::planned(&sim, "transfer_leader", run.parameters.clone()).await;
    sim.advance(Duration::from_secs(20));
    let progress = run.probe().await;
    assert_eq!(code(&progress), "no_trace");
}

#[tokio::test]
async fn a_move_is_proven_by_the_region() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, from, to) = region(&sim);
        let parameters = json!({"region_id": id, "from_store_id": from, "to_store_id": to});
        let run = Run::begin(&sim, "transfer_peer", parameters).await;
        let mut probes = 0;
        let mut progress = run.probe().await;
        while probes < 100 && matches!(progress, Progress::Pending { .. }) {
            probes += 1;
            sim.advance(Duration::from_millis(100));
            progress = run.probe().await;
        }
        assert_eq!(applied(&progress, probes), Attribution::Ours);
        assert!(probes >= 3, "{probes}");
        assert!(sim.peers(id).iter().any(|peer| peer.store_id == to));
        assert!(sim.peers(id).iter().all(|peer| peer.store_id != from));
        // Taken back by its own undo.
        let undo = serde_json::to_value(run.undo(&progress)).unwrap();
        assert_eq!(undo["name"], "transfer_peer");
        assert_eq!(undo["parameters"]["from_store_id"], to.to_string());
    }
}
