//! `/stores` and `/config` grow with the stores, and are read where nothing narrower shows what decides.

use std::time::Duration;

use action_core::Progress;
use pd_sim::{Sim, Version};
use serde_json::{Value, json};

use crate::harness::Run;
use crate::{VERSIONS, region, stepped};

/// How often all stores were read.
fn all_stores(sim: &Sim) -> usize {
    sim.received("GET", "/stores") - sim.received("GET", "/stores/progress")
}

async fn begin<'a>(sim: &'a Sim, name: &str, store: u64) -> Run<'a> {
    Run::begin(sim, name, json!({ "store_id": store })).await
}

#[tokio::test]
async fn what_is_asked_of_a_region_reads_only_the_stores_that_matter() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, other, free) = region(&sim);
        let next = sim.region_ids()[3];
        let cases: [(&str, Value); 6] = [
            (
                "transfer_leader",
                json!({"region_id": id, "to_store_id": other}),
            ),
            (
                "transfer_peer",
                json!({"region_id": id, "from_store_id": other, "to_store_id": free}),
            ),
            ("add_peer", json!({"region_id": id, "store_id": free})),
            ("remove_peer", json!({"region_id": id, "store_id": leader})),
            ("split_region", json!({"region_id": id, "policy": "scan"})),
            (
                "merge_regions",
                json!({"source_region_id": id, "target_region_id": next}),
            ),
        ];
        for (name, parameters) in cases {
            let before = all_stores(&sim);
            Run::planned(&sim, name, parameters).await;
            assert_eq!(all_stores(&sim) - before, 0, "{version:?} {name}");
        }
    }
}

/// What moves is not held up: why it would be is not looked for. What is held up is looked at anew
/// after ten seconds, and this test takes no such time.
#[tokio::test]
async fn what_moves_is_followed_by_what_is_small() {
    for version in VERSIONS {
        let sim = stepped(version).regions(60);
        let sim = sim.evict_interval(Duration::from_secs(1)).start();
        let sim = sim.await.unwrap();
        let run = begin(&sim, "drain_store", 2).await;
        run.probe().await;
        let before = (all_stores(&sim), sim.received("GET", "/config"));
        let mut looks = 0;
        while sim.leader_count(2) > 4 {
            sim.advance(Duration::from_secs(1));
            let progress = run.probe().await;
            assert!(matches!(progress, Progress::Pending { .. }), "{progress:?}");
            looks += 1;
        }
        assert!(looks > 1, "{looks}");
        let after = (all_stores(&sim), sim.received("GET", "/config"));
        assert_eq!(after, before, "{version:?}");
    }
}

#[tokio::test]
async fn what_is_held_up_is_not_read_at_each_look() {
    let sim = stepped(Version::V8_5).regions(60).start().await.unwrap();
    for (name, store) in [("drain_store", 2), ("offline_store", 3)] {
        let run = begin(&sim, name, store).await;
        run.probe().await;
        let before = all_stores(&sim);
        for _ in 0..3 {
            run.probe().await;
        }
        assert_eq!(all_stores(&sim) - before, 0, "{name}");
    }
}
