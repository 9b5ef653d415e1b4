//! Stores: heartbeats, states, and being emptied.

use std::time::Duration;

use pd_sim::{Clock, HotFlow, Role, Sim, StoreState};

use crate::http::{delete, get, post, start, start_with};

#[tokio::test]
async fn a_stuck_store_is_disconnected_and_then_down() {
    let sim = start().await;
    sim.set_stuck(2, true);
    let mut seen = Vec::new();
    for seconds in [15, 10, 1_800] {
        sim.advance(Duration::from_secs(seconds));
        seen.push(sim.state_name(2).expect("a store"));
    }
    assert_eq!(seen, ["Up", "Disconnected", "Down"]);
    sim.set_stuck(2, false);
    sim.advance(Duration::from_secs(10));
    assert_eq!(sim.state_name(2), Some("Up"));
}

#[tokio::test]
async fn a_silent_stores_regions_are_led_by_others() {
    let sim = start().await;
    sim.set_stuck(2, true);
    sim.advance(Duration::from_secs(40));
    assert_eq!(sim.leader_count(2), 0);
    let down = || async { get(&sim, "/regions/check/down-peer").await.text() };
    assert!(down().await.starts_with(r#"{"count":0"#));
    sim.advance(Duration::from_secs(700));
    assert!(down().await.starts_with(r#"{"count":36"#));
    // After half an hour the peers are moved to the stores that live.
    sim.advance(Duration::from_secs(1_500));
    assert_eq!(sim.region_count(2), 0);
}

#[tokio::test]
async fn a_store_that_is_heard_of_again_has_no_down_peers() {
    let sim = start().await;
    sim.set_stuck(2, true);
    sim.advance(Duration::from_secs(700));
    sim.set_stuck(2, false);
    sim.advance(Duration::from_secs(20));
    let down = get(&sim, "/regions/check/down-peer").await.text();
    assert!(down.starts_with(r#"{"count":0"#), "{down}");
}

#[tokio::test]
async fn what_is_hot_is_told_by_store() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let hot = HotFlow {
        is_read: false,
        bytes: 1 << 20,
        keys: 500,
        queries: 30,
        degree: 7,
    };
    sim.set_hot(region, Some(hot));
    let body = get(&sim, "/hotspot/regions/write").await.text();
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["as_leader"]["1"]["statistics"][0]["region_id"], region);
    assert_eq!(body["as_peer"]["2"]["regions_count"], 1);
    assert_eq!(body["as_leader"]["2"]["regions_count"], 0);
}

#[tokio::test]
async fn an_emptied_store_is_gone() {
    let sim = start().await;
    let answer = delete(&sim, "/store/5").await;
    assert_eq!(answer.text(), "\"The store is set as Offline.\"\n");
    assert_eq!(delete(&sim, "/store/5").await.status, 200);
    assert_eq!(get(&sim, "/stores/progress?id=5").await.status, 200);
    sim.advance(Duration::from_secs(120));
    assert_eq!(sim.region_count(5), 0);
    assert_eq!(sim.state_name(5), Some("Tombstone"));
    assert_eq!(delete(&sim, "/store/5").await.status, 410);
    assert!(
        get(&sim, "/stores")
            .await
            .text()
            .starts_with("{\n  \"count\": 4,")
    );
    for region in sim.region_ids() {
        let peers = sim.peers(region);
        assert!(peers.len() == 3 && peers.iter().all(|peer| peer.role == Role::Voter));
    }
}

#[tokio::test]
async fn the_last_stores_stay() {
    let sim = start_with(|builder| builder.stores(3)).await;
    let answer = delete(&sim, "/store/3").await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.text(),
        "\"[PD:core:ErrStoresNotEnough]can not remove store 3 since the number of up stores would be 2 while need 3\"\n"
    );
}

#[tokio::test]
async fn a_store_comes_back_before_it_is_gone() {
    let sim = start().await;
    sim.set_store_state(4, StoreState::Offline);
    let answer = post(&sim, "/store/4/state?state=Up", "").await;
    assert_eq!(answer.text(), "\"The store's state is updated.\"\n");
    assert_eq!(sim.state_name(4), Some("Up"));
}

#[tokio::test]
async fn a_missing_replica_is_made_up() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    sim.remove_peer(region, 3);
    sim.advance(Duration::from_secs(3));
    assert_eq!(sim.peers(region).len(), 3);
}

#[tokio::test]
async fn labels_are_merged_and_shown() {
    let sim = start().await;
    assert_eq!(get(&sim, "/labels").await.text(), "null\n");
    sim.set_labels(1, [("zone", "z1")]);
    let answer = post(&sim, "/store/1/label", r#"{"host":"h1"}"#).await;
    assert_eq!(answer.text(), "\"The store's label is updated.\"\n");
    let labels: serde_json::Value =
        serde_json::from_str(&get(&sim, "/store/1").await.text()).expect("JSON");
    assert_eq!(
        labels["store"]["labels"],
        serde_json::json!([{"key": "zone", "value": "z1"}, {"key": "host", "value": "h1"}])
    );
}

#[tokio::test]
async fn a_real_clock_moves_by_itself() {
    let sim = Sim::builder()
        .clock(Clock::Real)
        .step_latency(Duration::ZERO)
        .start()
        .await
        .expect("the simulator starts");
    let region = sim.region_ids()[0];
    let body = format!(r#"{{"name":"transfer-leader","region_id":{region},"to_store_id":2}}"#);
    assert_eq!(post(&sim, "/operators", &body).await.status, 200);
    assert_eq!(sim.leader_of(region), Some(2));
}
