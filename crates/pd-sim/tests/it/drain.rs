//! Draining stores of leaders with evict-leader.

use std::time::Duration;

use pd_sim::{Sim, Version};
use serde_json::json;

use crate::http::{delete, get, operator, post, start, start_with, status_of};

async fn drain(sim: &Sim, store: u64) -> String {
    let body = json!({"name": "evict-leader-scheduler", "store_id": store});
    post(sim, "/schedulers", &body.to_string()).await.text()
}

#[tokio::test]
async fn a_drain_empties_a_store_and_stays_in_force() {
    let sim = start().await;
    assert_eq!(sim.leader_count(3), 12);
    assert_eq!(drain(&sim, 3).await, "\"The scheduler is created.\"\n");
    sim.advance(Duration::from_secs(3));
    assert_eq!((sim.leader_count(3), sim.evicting()), (0, vec![3]));

    let answer = delete(&sim, "/schedulers/evict-leader-scheduler-3").await;
    assert_eq!((answer.status, &*answer.text()), (200, "null\n"));
    assert!(sim.evicting().is_empty());
    sim.advance(Duration::from_secs(60));
    assert_eq!(sim.leader_count(3), 0);
}

#[tokio::test]
async fn leaders_leave_a_batch_at_a_time() {
    let sim = start_with(|builder| {
        builder
            .evict_interval(Duration::from_secs(2))
            .step_latency(Duration::from_secs(1))
    })
    .await;
    drain(&sim, 3).await;
    let mut left = Vec::new();
    for _ in 0..5 {
        sim.advance(Duration::from_secs(2));
        left.push(sim.leader_count(3));
    }
    assert_eq!(left, [12, 9, 6, 3, 0]);
}

#[tokio::test]
async fn a_drained_store_takes_no_leaders() {
    let sim = start().await;
    drain(&sim, 3).await;
    let led_by_2 = |region: &&u64| sim.leader_of(**region) == Some(2);
    let regions = sim.region_ids();
    let region = regions.iter().find(led_by_2).expect("a region");
    let body = json!({"name": "transfer-leader", "region_id": region, "to_store_id": 3});
    let refusal = "cannot create operator: target leader is not allowed".to_owned();
    assert_eq!(operator(&sim, &body).await, (500, refusal));
}

#[tokio::test]
async fn the_unsuffixed_delete_removes_everybodys_drains() {
    let sim = start().await;
    drain(&sim, 3).await;
    drain(&sim, 4).await;
    assert_eq!(sim.evicting(), [3, 4]);
    let answer = delete(&sim, "/schedulers/evict-leader-scheduler").await;
    assert_eq!(answer.text(), "\"The scheduler is removed.\"\n");
    assert!(sim.evicting().is_empty());
    let list = get(&sim, "/scheduler-config/evict-leader-scheduler/list").await;
    assert_eq!((list.status, &*list.text()), (404, "404 page not found\n"));
}

#[tokio::test]
async fn a_limit_of_zero_stops_a_drain() {
    let sim = start().await;
    assert!(sim.set_schedule("leader-schedule-limit", 0));
    drain(&sim, 3).await;
    sim.advance(Duration::from_secs(10));
    assert_eq!(sim.leader_count(3), 12);
    // A temporary value is in force without being shown.
    let body = json!({"schedule.leader-schedule-limit": 4}).to_string();
    assert_eq!(post(&sim, "/config?ttlSecond=60", &body).await.status, 200);
    let shown = get(&sim, "/config/schedule").await.text();
    assert!(shown.contains("\"leader-schedule-limit\": 0"));
    assert_eq!(sim.limit_in_force("leader-schedule-limit"), 4);
    sim.advance(Duration::from_secs(10));
    assert_eq!(sim.leader_count(3), 0);
    sim.advance(Duration::from_secs(60));
    assert_eq!(sim.limit_in_force("leader-schedule-limit"), 0);
}

#[tokio::test]
async fn halting_and_pausing_stop_a_drain() {
    let sim = start().await;
    let halt = |halt: &str| json!({"schedule.halt-scheduling": halt}).to_string();
    assert_eq!(post(&sim, "/config", &halt("true")).await.status, 200);
    drain(&sim, 3).await;
    sim.advance(Duration::from_secs(5));
    assert_eq!(sim.leader_count(3), 12);
    assert_eq!(post(&sim, "/config", &halt("false")).await.status, 200);

    let path = "/schedulers/evict-leader-scheduler";
    assert_eq!(post(&sim, path, r#"{"delay":30}"#).await.status, 200);
    sim.advance(Duration::from_secs(20));
    assert_eq!(sim.leader_count(3), 12);
    let paused = get(&sim, "/schedulers?status=paused").await.text();
    assert_eq!(paused, "[\n  \"evict-leader-scheduler\"\n]\n");
    sim.advance(Duration::from_secs(15));
    assert_eq!(sim.leader_count(3), 0);
}

#[tokio::test]
async fn regions_without_another_live_voter_stay() {
    let sim = start().await;
    for store in [4, 5] {
        sim.set_stuck(store, true);
    }
    sim.advance(Duration::from_secs(30));
    drain(&sim, 3).await;
    sim.advance(Duration::from_secs(30));
    // All that store 3 leads has its other voters on 4 and 5.
    assert_eq!(sim.leader_count(3), 12);
    for store in [4, 5] {
        sim.set_stuck(store, false);
    }
    sim.advance(Duration::from_secs(30));
    assert_eq!(sim.leader_count(3), 0);
}

#[tokio::test]
async fn a_drain_goes_around_an_administrators_operator() {
    let sim = start().await;
    let led_by_3 = |region: &&u64| sim.leader_of(**region) == Some(3);
    let regions = sim.region_ids();
    let region = *regions.iter().find(led_by_3).expect("a region");
    sim.set_ignores_operators(3, true);
    let body = json!({"name": "transfer-leader", "region_id": region, "to_store_id": 4});
    assert_eq!(operator(&sim, &body).await.0, 200);
    drain(&sim, 3).await;
    sim.advance(Duration::from_secs(5));
    let (status, desc) = status_of(&sim, region).await;
    assert_eq!((&*status, &*desc), ("RUNNING", "admin-transfer-leader"));
}

#[tokio::test]
async fn balance_leader_brings_leaders_back() {
    let sim = start_with(|builder| builder.balance_leader(true)).await;
    drain(&sim, 3).await;
    sim.advance(Duration::from_secs(5));
    assert_eq!(sim.leader_count(3), 0);
    delete(&sim, "/schedulers/evict-leader-scheduler-3").await;
    sim.advance(Duration::from_secs(30));
    // Counts that differ by ten or less are let be, unless it is set otherwise.
    let most = (1..=5).map(|store| sim.leader_count(store)).max();
    assert!(sim.leader_count(3) > 0 && most <= Some(sim.leader_count(3) + 10));
    assert!(sim.leader_count(3) < 11, "{}", sim.leader_count(3));
    assert!(sim.set_schedule("tolerant-size-ratio", 1.0));
    sim.advance(Duration::from_secs(30));
    assert!(sim.leader_count(3) >= 11, "{}", sim.leader_count(3));
}

#[tokio::test]
async fn somebody_elses_drain_looks_like_any_other() {
    let sim = start().await;
    sim.set_evicting(2, true);
    assert_eq!(
        drain(&sim, 3).await,
        "\"The scheduler has been applied to the store.\"\n"
    );
    sim.set_evicting(3, false);
    sim.set_evicting(2, false);
    let list = get(&sim, "/scheduler-config/evict-leader-scheduler/list").await;
    assert_eq!(list.status, 404);
}

#[tokio::test]
async fn a_text_as_store_id_changes_nothing_but_the_batch() {
    let sim = start().await;
    drain(&sim, 3).await;
    let path = "/scheduler-config/evict-leader-scheduler/config";
    let answer = post(&sim, path, r#"{"store_id":"4","batch":5}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(sim.evicting(), [3]);
    let answer = post(&sim, path, r#"{"store_id":4,"batch":11}"#).await;
    assert_eq!(
        answer.text(),
        "\"batch is invalid, it should be in [1, 10]\"\n"
    );
}

#[tokio::test]
async fn an_unknown_store_is_refused_by_version() {
    for (version, status) in [(Version::V8_5, 500), (Version::V9_0, 400)] {
        let sim = start_with(|builder| builder.version(version)).await;
        let body = json!({"name": "evict-leader-scheduler", "store_id": 99}).to_string();
        assert_eq!(post(&sim, "/schedulers", &body).await.status, status);
    }
}

#[tokio::test]
async fn a_seed_decides_every_choice() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let sim = start_with(|builder| builder.seed(seed)).await;
        drain(&sim, 3).await;
        sim.advance(Duration::from_secs(3));
        let leaders: Vec<Option<u64>> = sim
            .region_ids()
            .iter()
            .map(|region| sim.leader_of(*region))
            .collect();
        runs.push(leaders);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
