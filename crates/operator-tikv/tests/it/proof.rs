//! What happened is told from what PD shows, not from what it answered.

use std::time::Duration;

use action_core::{Attribution, Mutation, Progress};
use operator_tikv::{Tikv, TransferLeader, TransferPeer};
use pd_sim::{Fault, ForeignOperator, Sim, Version};

use crate::{Sending, VERSIONS, region, region_id, stepped, store_id, tikv};

async fn probe<M: Mutation<Tikv>>(
    sim: &Sim,
    action: &M,
    before: &M::Before,
    sending: &Sending,
) -> Progress {
    action
        .probe(&tikv(sim), before, &sending.sent(sim))
        .await
        .unwrap()
}

fn code(progress: &Progress) -> Option<&str> {
    match progress {
        Progress::NotApplied { cause, .. } => Some(&cause.code),
        _ => None,
    }
}

fn by(progress: &Progress) -> Option<Attribution> {
    match progress {
        Progress::Applied { by, .. } => Some(*by),
        _ => None,
    }
}

async fn transfer(
    sim: &Sim,
) -> (
    TransferLeader,
    operator_tikv::RegionFacts,
    Sending,
    u64,
    u64,
) {
    let (id, leader, other, _) = region(sim);
    let action = TransferLeader {
        region_id: region_id(id),
        to_store_id: store_id(other),
    };
    let before = action.plan(&tikv(sim)).await.unwrap().before;
    let mut sending = Sending::now(sim);
    sending.accepted = action
        .send(&tikv(sim), &before, &sending.attempt)
        .await
        .ok();
    (action, before, sending, id, leader)
}

#[tokio::test]
async fn a_transfer_is_pending_then_ours() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (action, before, sending, id, leader) = transfer(&sim).await;
        let progress = probe(&sim, &action, &before, &sending).await;
        assert!(matches!(progress, Progress::Pending { .. }), "{progress:?}");
        sim.advance(Duration::from_secs(1));
        let progress = probe(&sim, &action, &before, &sending).await;
        assert_eq!(by(&progress), Some(Attribution::Ours), "{progress:?}");
        // Moved on by a scheduler: it happened all the same.
        sim.set_leader(id, leader);
        let progress = probe(&sim, &action, &before, &sending).await;
        assert_eq!(by(&progress), Some(Attribution::Ours), "{progress:?}");
    }
}

#[tokio::test]
async fn a_lost_reply_is_found_applied() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.fault(Fault::reply_lost_after_apply("POST", "/operators"));
    let (action, before, sending, _, _) = transfer(&sim).await;
    assert_eq!(sending.accepted, None);
    sim.advance(Duration::from_secs(1));
    let progress = probe(&sim, &action, &before, &sending).await;
    assert_eq!(by(&progress), Some(Attribution::Ours), "{progress:?}");
}

#[tokio::test]
async fn no_trace_is_no_answer_before_it_settled() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.fault(Fault::dropped_before_apply("POST", "/operators"));
    let (action, before, sending, _, _) = transfer(&sim).await;
    for _ in 0..14 {
        sim.advance(Duration::from_secs(1));
        let progress = probe(&sim, &action, &before, &sending).await;
        assert!(matches!(progress, Progress::Pending { .. }), "{progress:?}");
    }
    sim.advance(Duration::from_secs(2));
    let progress = probe(&sim, &action, &before, &sending).await;
    assert_eq!(code(&progress), Some("no_trace"), "{progress:?}");
}

#[tokio::test]
async fn a_cancelled_transfer_is_not_applied_once_nothing_can_come_of_it() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, _, _, _) = region(&sim);
    for store in 1..=5 {
        sim.set_ignores_operators(store, true);
    }
    let (action, before, sending, _, _) = transfer(&sim).await;
    sim.advance(Duration::from_secs(20));
    let pd = pd_client::Client::new(sim.endpoint()).unwrap();
    pd.cancel_operator(pd_client::RegionId::new(id).unwrap())
        .await
        .unwrap();
    let progress = probe(&sim, &action, &before, &sending).await;
    assert!(
        matches!(progress, Progress::Pending { .. }),
        "what TiKV was told may still happen: {progress:?}"
    );
    sim.advance(Duration::from_secs(16));
    let progress = probe(&sim, &action, &before, &sending).await;
    assert_eq!(code(&progress), Some("operator_cancelled"), "{progress:?}");
}

#[tokio::test]
async fn anothers_success_is_not_ours() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.fault(Fault::dropped_before_apply("POST", "/operators"));
    let (action, before, sending, id, _) = transfer(&sim).await;
    let third = sim
        .peers(id)
        .iter()
        .map(|peer| peer.store_id)
        .find(|store| Some(*store) != sim.leader_of(id) && *store != action.to_store_id.get());
    let foreign = ForeignOperator::transfer_leader("balance-leader", id, third.unwrap());
    sim.insert_operator(foreign).unwrap();
    sim.advance(Duration::from_secs(1));
    assert!(sim.operator_status(id).unwrap().contains("SUCCESS"));
    let progress = probe(&sim, &action, &before, &sending).await;
    assert!(matches!(progress, Progress::Pending { .. }), "{progress:?}");
    sim.advance(Duration::from_secs(20));
    let progress = probe(&sim, &action, &before, &sending).await;
    // Nor does it say that ours did not come before it.
    let Progress::Pending { stalled, .. } = &progress else {
        unreachable!("{progress:?}");
    };
    assert_eq!(stalled[0].code, "operator_superseded");
}

/// The same request of somebody else, an hour ago.
#[tokio::test]
async fn an_older_operator_that_did_the_same_is_not_ours() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (action, before, _, id, leader) = transfer(&sim).await;
    sim.advance(Duration::from_secs(60));
    assert!(sim.operator_status(id).unwrap().contains("SUCCESS"));
    sim.set_leader(id, leader);
    // Planned before it, where it is told by its time.
    let sending = Sending::now(&sim);
    sim.advance(Duration::from_secs(20));
    let progress = probe(&sim, &action, &before, &sending).await;
    let Progress::Pending { stalled, .. } = &progress else {
        unreachable!("{progress:?}");
    };
    assert_eq!(stalled[0].code, "operator_superseded");
    // Planned after it, where it is known: none was made since.
    let before = action.plan(&tikv(&sim)).await.unwrap().before;
    let sending = Sending::now(&sim);
    sim.advance(Duration::from_secs(20));
    let progress = probe(&sim, &action, &before, &sending).await;
    assert_eq!(code(&progress), Some("no_trace"), "{progress:?}");
}

#[tokio::test]
async fn a_move_is_proven_by_the_region() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, from, to) = region(&sim);
        let action = TransferPeer {
            region_id: region_id(id),
            from_store_id: store_id(from),
            to_store_id: store_id(to),
        };
        let before = action.plan(&tikv(&sim)).await.unwrap().before;
        let mut sending = Sending::now(&sim);
        sending.accepted = action
            .send(&tikv(&sim), &before, &sending.attempt)
            .await
            .ok();
        let mut pending = 0;
        for _ in 0..100 {
            let progress = probe(&sim, &action, &before, &sending).await;
            if let Progress::Applied { by, .. } = &progress {
                assert_eq!(*by, Attribution::Ours);
                break;
            }
            assert!(matches!(progress, Progress::Pending { .. }), "{progress:?}");
            pending += 1;
            sim.advance(Duration::from_millis(100));
        }
        assert!((3..100).contains(&pending), "{pending}");
        assert!(sim.peers(id).iter().any(|peer| peer.store_id == to));
        assert!(sim.peers(id).iter().all(|peer| peer.store_id != from));
        // Taken back by its own undo.
        let undo = serde_json::to_value(action.undo(&before, None, None)).unwrap();
        assert_eq!(undo["name"], "transfer_peer");
        assert_eq!(undo["parameters"]["from_store_id"], to.to_string());
    }
}
