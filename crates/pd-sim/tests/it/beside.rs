//! What lies beside PD's first API: stores' metrics, the maintenance lock, counts after an election.

use std::time::Duration;

use pd_sim::{Outage, Sim, StoreLoad, Version};
use serde_json::{Value as Json, json};

use crate::http::{Answer, ask, get, says, start, start_with};

/// The value of a sample.
async fn sample(sim: &Sim, store_id: u64, name: &str) -> f64 {
    let path = format!("/sim/stores/{store_id}/metrics");
    let answer = ask(sim.endpoint(), "GET", &path, &[], "").await;
    let text = answer.expect("an answer").text();
    let line = text.lines().find(|line| line.starts_with(name));
    let (_, value) = line
        .and_then(|line| line.rsplit_once(' '))
        .unwrap_or_else(|| panic!("no {name} in {text}"));
    value.parse().expect("a number")
}

#[tokio::test]
async fn a_stores_metrics_count_its_load() {
    let sim = start().await;
    let load = StoreLoad {
        queries_per_second: 1_000.0,
        p99: Duration::from_millis(20),
        raft_log_lag: 50.0,
        cpu_cores: 2.5,
    };
    sim.set_store_load(2, load);
    sim.advance(Duration::from_secs(60));
    let count = "tikv_grpc_msg_duration_seconds_count";
    assert_eq!(sample(&sim, 2, count).await, 60_000.0);
    assert_eq!(sample(&sim, 2, "process_cpu_seconds_total").await, 150.0);
    // One in a hundred is in the bucket that 20 ms fall into, and not in the one before.
    let bucket =
        |le: &str| format!("tikv_grpc_msg_duration_seconds_bucket{{type=\"kv_get\",le=\"{le}\"}}");
    let within_12_8_ms = sample(&sim, 2, &bucket("0.0128")).await;
    let within_25_6_ms = sample(&sim, 2, &bucket("0.0256")).await;
    assert!(within_12_8_ms < 60_000.0 * 0.99, "{within_12_8_ms}");
    assert_eq!(within_25_6_ms, 60_000.0);
    assert_eq!(
        sample(&sim, 2, count).await,
        sample(&sim, 2, &bucket("+Inf")).await
    );
    let leaders = "tikv_raftstore_region_count{type=\"leader\"}";
    assert_eq!(sample(&sim, 2, leaders).await, sim.leader_count(2) as f64);
    let lag = sample(&sim, 2, "tikv_raftstore_log_lag_sum").await;
    assert_eq!(
        lag / sample(&sim, 2, "tikv_raftstore_log_lag_count").await,
        50.0
    );
    assert_eq!(sample(&sim, 1, count).await, 0.0);
}

#[tokio::test]
async fn a_stuck_store_has_no_metrics() {
    let sim = start().await;
    sim.set_stuck(2, true);
    let path = "/sim/stores/2/metrics";
    let answer = ask(sim.endpoint(), "GET", path, &[], "").await;
    assert_eq!(answer.expect("an answer").status, 404);
    assert!(sim.metrics_url(2).ends_with(path));
}

async fn v2(sim: &Sim, method: &str, path: &str, body: &str) -> Answer {
    let path = format!("/pd/api/v2{path}");
    let answer = ask(sim.endpoint(), method, &path, &[], body).await;
    answer.expect("an answer")
}

#[tokio::test]
async fn one_maintenance_task_at_a_time() {
    let sim = start_with(|builder| builder.version(Version::V9_0).members(2)).await;
    let none = "\"No maintenance task is running\"";
    says(&v2(&sim, "GET", "/maintenance", "").await, 404, none);
    let path = "/maintenance/upgrade/7";
    says(
        &v2(&sim, "PUT", path, "to 9.0").await,
        200,
        "\"Maintenance task started successfully.\"",
    );
    let other = v2(&sim, "PUT", "/maintenance/scale/8", "").await;
    let body: Json = serde_json::from_str(&other.text()).expect("JSON");
    assert_eq!(
        (other.status, &body["existing_task"]["id"]),
        (409, &json!("7"))
    );
    // It is stored.
    sim.change_leader(Duration::ZERO, Outage::NoLeader);
    let listed = v2(&sim, "GET", "/maintenance", "").await.text();
    let listed: Json = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed[0]["description"], "to 9.0");
    assert_eq!(
        v2(&sim, "DELETE", "/maintenance/upgrade/9", "")
            .await
            .status,
        409
    );
    says(
        &v2(&sim, "DELETE", path, "").await,
        200,
        "\"Maintenance task deleted successfully.\"",
    );
    let before = start().await;
    assert_eq!(v2(&before, "GET", "/maintenance", "").await.status, 404);
}

#[tokio::test]
async fn a_new_leader_may_show_stale_counts() {
    let sim = start_with(|builder| builder.members(3)).await;
    let shown = || async {
        let store = get(&sim, "/store/1").await.text();
        let store: Json = serde_json::from_str(&store).expect("JSON");
        store["status"]["leader_count"].as_u64().unwrap_or(0)
    };
    sim.change_leader_with_stale_counts(
        Duration::from_secs(5),
        Outage::NoLeader,
        Duration::from_secs(10),
    );
    for region in sim.region_ids() {
        if sim.leader_of(region) == Some(1) {
            sim.set_leader(region, 2);
        }
    }
    assert_eq!(sim.leader_count(1), 0);
    sim.advance(Duration::from_secs(6));
    assert_eq!(shown().await, 12);
    sim.advance(Duration::from_secs(10));
    assert_eq!(shown().await, 0);
}

#[tokio::test]
async fn a_store_may_refuse_leaders() {
    let sim = start().await;
    sim.set_refuses_leaders(2, true);
    let region = sim.region_ids()[0];
    let body = json!({"name": "transfer-leader", "region_id": region, "to_store_id": 2});
    let (status, _) = crate::http::operator(&sim, &body).await;
    assert_eq!(status, 200);
    sim.advance(Duration::from_secs(30));
    assert_eq!(sim.leader_of(region), Some(1));
    // Accepted, running, and nothing happens until it times out.
    assert!(
        sim.operator_status(region)
            .is_some_and(|text| text.starts_with("status: RUNNING"))
    );
    sim.advance(Duration::from_secs(60));
    assert!(
        sim.operator_status(region)
            .is_some_and(|text| text.starts_with("status: TIMEOUT"))
    );
}
