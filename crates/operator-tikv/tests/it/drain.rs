//! Drains: how they get on, when they are done, and what stays.

use std::time::Duration;

use action_core::{Attribution, Observation, Progress, Undo, Verdict};
use operator_tikv::{GetRegion, ListDrains, ListStores};
use pd_sim::{Fault, Sim, Version};
use serde_json::json;

use crate::harness::{Run, applied, code, pending, stalled};
use crate::{VERSIONS, altered_store, get, region, region_id, request, stepped, store_id, tikv};

async fn drain(sim: &Sim) -> Run<'_> {
    Run::begin(sim, "drain_store", json!({"store_id": "2"})).await
}

#[tokio::test]
async fn a_drain_counts_down_and_stays_in_force() {
    for version in VERSIONS {
        let sim = stepped(version)
            .regions(60)
            .evict_interval(Duration::from_secs(1))
            .start()
            .await
            .unwrap();
        let run = drain(&sim).await;
        assert!(run.plan.before["leaders"].as_u64() > Some(3));
        let mut counts = Vec::new();
        let mut applied = None;
        for _ in 0..60 {
            match run.probe().await {
                Progress::Pending {
                    done: Some(done),
                    stalled,
                    summary,
                    ..
                } => {
                    assert!(stalled.is_empty(), "{stalled:?}");
                    let moved = format!("{} of {} leaders moved", done.done, done.total);
                    let is_told = summary.starts_with(&moved) || done.done == done.total;
                    assert!(is_told, "{moved}: {summary}");
                    counts.push(done.done);
                }
                Progress::Applied { by, summary, .. } => {
                    applied = Some((by, summary));
                    break;
                }
                other => unreachable!("{other:?}"),
            }
            sim.advance(Duration::from_secs(1));
        }
        assert!(counts.is_sorted() && counts.len() > 2, "{counts:?}");
        let (by, summary) = applied.unwrap();
        assert_eq!(by, Attribution::Ours);
        assert!(summary.contains("stays in force"), "{summary}");
        assert!(
            summary.contains("it is safe to stop now: each of the 36 regions"),
            "{summary}"
        );
        assert_eq!((sim.leader_count(2), sim.evicting()), (0, vec![2]));
    }
}

#[tokio::test]
async fn a_drain_that_stalls_says_why() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let run = drain(&sim).await;
    sim.set_schedule("leader-schedule-limit", 0);
    sim.advance(Duration::from_secs(3));
    let progress = run.probe().await;
    assert_eq!(stalled(&progress), "leader_schedule_limit_zero");
}

/// PD adds a store to the drains of a paused scheduler, and moves nothing.
#[tokio::test]
async fn a_drain_by_a_paused_scheduler_moves_nothing() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let pause = async |delay: u64| {
            let path = "/schedulers/evict-leader-scheduler";
            let body = json!({ "delay": delay }).to_string();
            assert_eq!(request(&sim, "POST", path, &body).await, 200);
        };
        sim.set_evicting(3, true);
        let run = drain(&sim).await;
        assert_eq!(run.plan.verdict, Verdict::WouldProceed, "{version:?}");
        pause(3_600).await;
        let held = sim.leader_count(2);
        let other = Run::planned(&sim, "drain_store", json!({"store_id": 4})).await;
        let Verdict::AcceptedButWillNotProgress { causes } = &other.plan.verdict else {
            unreachable!("{version:?}: {:?}", other.plan.verdict);
        };
        assert_eq!(causes[0].code, "scheduler_paused", "{version:?}");
        sim.advance(Duration::from_secs(3));
        assert_eq!(stalled(&run.probe().await), "scheduler_paused");
        pause(0).await;
        assert!(held > 0);
        sim.advance(Duration::from_secs(60));
        assert_eq!(sim.leader_count(2), 0, "{version:?}");
    }
}

#[tokio::test]
async fn a_drain_that_somebody_ended_is_not_applied() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let run = drain(&sim).await;
    sim.set_evicting(2, false);
    sim.advance(Duration::from_secs(5));
    let progress = run.probe().await;
    pending(&progress, "");
    sim.advance(Duration::from_secs(11));
    let progress = run.probe().await;
    assert_eq!(code(&progress), "not_draining");
}

#[tokio::test]
async fn a_drain_is_taken_back_unless_it_was_there_before() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let run = drain(&sim).await;
    let stop = run.take_back(&run.probe().await).await;
    assert_eq!(stop.name, "stop_drain");
    assert_eq!(applied(&stop.probe().await, ""), Attribution::Ours);
    assert!(sim.evicting().is_empty());

    sim.set_evicting(2, true);
    let run = Run::planned(&sim, "drain_store", json!({"store_id": "2"})).await;
    let undo = run.undo(&run.probe().await);
    assert!(matches!(undo, Undo::None { .. }), "{undo:?}");
}

#[tokio::test]
async fn observations_show_what_is() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let tikv = tikv(&sim);
        assert!(
            ListDrains::default()
                .observe(&tikv)
                .await
                .unwrap()
                .drains
                .is_empty()
        );
        sim.set_evicting(2, true);
        let drains = ListDrains::default().observe(&tikv).await.unwrap().drains;
        assert_eq!((drains.len(), drains[0].store_id), (1, store_id(2)));
        assert!(!drains[0].partial, "{version:?}");

        let stores = ListStores::default().observe(&tikv).await.unwrap().stores;
        let draining = stores.iter().filter_map(|store| store.draining);
        let draining: Vec<bool> = draining.collect();
        assert_eq!(draining, [false, true, false, false, false]);

        let (id, leader, _, _) = region(&sim);
        let view = GetRegion {
            region_id: region_id(id),
        }
        .observe(&tikv)
        .await
        .unwrap();
        assert_eq!(view.leader_store_id, Some(store_id(leader)));
        assert_eq!((view.exists, view.peers.len()), (true, 3));
        let none = GetRegion {
            region_id: region_id(9_007_199_254_740_991),
        };
        assert!(!none.observe(&tikv).await.unwrap().exists, "{version:?}");
    }
}

/// A drain that has moved all leaders, and is about to be looked at.
async fn emptied(sim: &Sim) -> Run<'_> {
    let run = drain(sim).await;
    for _ in 0..60 {
        if sim.leader_count(2) == 0 {
            break;
        }
        sim.advance(Duration::from_secs(1));
    }
    // The store's next reports.
    sim.advance(Duration::from_secs(20));
    run
}

/// No leaders in one reading prove nothing: the second may show one, or be by another leader of PD.
#[tokio::test]
async fn a_drain_is_proven_by_two_readings_of_one_leader_of_pd() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let run = emptied(&sim).await;
    altered_store(&sim, 2, |store| store["status"]["leader_count"] = json!(1)).await;
    pending(&run.probe().await, "one leader in the second reading");
    sim.clear_faults();
    let mut other = get(&sim, "/leader").await;
    other["name"] = json!("pd9");
    let other = other.to_string();
    let changed = Fault::answer("GET", "/leader", 200, "application/json", &other);
    sim.fault(changed.after(1));
    pending(
        &run.probe().await,
        "another leader of PD at the second reading",
    );
    sim.clear_faults();
    assert_eq!(applied(&run.probe().await, ""), Attribution::Ours);
}
