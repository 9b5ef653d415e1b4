//! Operators: accepted, refused, displaced, executed, timed out, forgotten.

use std::time::Duration;

use pd_sim::{ForeignOperator, Role, Sim, StoreState};
use serde_json::json;

use crate::http::{CREATED, HAS_ONE, delete, get, operator, post, start, start_with, status_of};

async fn transfer(sim: &Sim, region: u64, to: u64) -> (u16, String) {
    let body = json!({"name": "transfer-leader", "region_id": region, "to_store_id": to});
    operator(sim, &body).await
}

fn ok() -> (u16, String) {
    (200, CREATED.to_owned())
}

fn refused(text: &str) -> (u16, String) {
    (500, text.to_owned())
}

#[tokio::test]
async fn a_transfer_is_accepted_first_and_done_later() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    assert_eq!(transfer(&sim, region, 2).await, ok());
    assert_eq!(sim.leader_of(region), Some(1));
    sim.advance(Duration::from_millis(200));
    assert_eq!(sim.leader_of(region), Some(2));
    let (status, desc) = status_of(&sim, region).await;
    assert_eq!((&*status, &*desc), ("SUCCESS", "admin-transfer-leader"));
}

#[tokio::test]
async fn a_peer_moves_through_a_joint_state() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let body = json!({
        "name": "transfer-peer", "region_id": region, "from_store_id": 3, "to_store_id": 4
    });
    assert_eq!(operator(&sim, &body).await, ok());
    let conf_ver = || sim.epoch(region).map(|epoch| epoch.conf_ver);
    let mut seen = vec![conf_ver()];
    for _ in 0..4 {
        sim.advance(Duration::from_millis(200));
        seen.push(conf_ver());
    }
    assert_eq!(seen, [1, 2, 4, 6, 7].map(Some));
    let peers: Vec<(u64, Role)> = sim
        .peers(region)
        .iter()
        .map(|peer| (peer.store_id, peer.role))
        .collect();
    assert_eq!(peers, [1, 2, 4].map(|store| (store, Role::Voter)));
}

#[tokio::test]
async fn without_joint_consensus_a_peer_moves_in_single_steps() {
    let sim = start().await;
    assert!(sim.set_schedule("enable-joint-consensus", "false"));
    let region = sim.region_ids()[0];
    let body = json!({
        "name": "transfer-peer", "region_id": region, "from_store_id": 3, "to_store_id": 4
    });
    assert_eq!(operator(&sim, &body).await, ok());
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.extend(sim.epoch(region).map(|epoch| epoch.conf_ver));
        sim.advance(Duration::from_millis(200));
    }
    assert_eq!(seen, [1, 2, 3, 4]);
    let stores: Vec<u64> = sim.peers(region).iter().map(|peer| peer.store_id).collect();
    assert_eq!(stores, [1, 2, 4]);
}

#[tokio::test]
async fn moving_the_leaders_peer_moves_the_leader_first() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let body = json!({
        "name": "transfer-peer", "region_id": region, "from_store_id": 1, "to_store_id": 5
    });
    assert_eq!(operator(&sim, &body).await, ok());
    sim.advance(Duration::from_secs(2));
    let stores: Vec<u64> = sim.peers(region).iter().map(|peer| peer.store_id).collect();
    assert_eq!(stores, [2, 3, 5]);
    assert_eq!(sim.leader_of(region), Some(2));
}

#[tokio::test]
async fn an_administrator_displaces_a_scheduler() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let foreign = ForeignOperator::transfer_leader("balance-leader-scheduler", region, 3);
    sim.insert_operator(foreign).expect("a foreign operator");
    assert_eq!(transfer(&sim, region, 2).await, ok());
    assert!(
        sim.operator(region)
            .is_some_and(|text| text.starts_with("admin-transfer-leader"))
    );
    // The displaced one is the last that ended.
    assert_eq!(
        delete(&sim, &format!("/operators/{region}")).await.status,
        200
    );
    let (status, desc) = status_of(&sim, region).await;
    assert_eq!((&*status, &*desc), ("CANCEL", "admin-transfer-leader"));
}

#[tokio::test]
async fn a_displaced_operator_is_recorded_as_replaced() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let foreign = ForeignOperator::transfer_leader("balance-leader-scheduler", region, 3);
    sim.insert_operator(foreign).expect("a foreign operator");
    transfer(&sim, region, 2).await;
    let records = get(&sim, "/operators/records").await.text();
    assert!(records.contains("balance-leader-scheduler"), "{records}");
    assert!(!records.contains("finished"), "{records}");
}

#[tokio::test]
async fn an_equal_is_refused_and_buried() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let foreign = ForeignOperator::transfer_leader("admin-transfer-leader", region, 3).admin();
    sim.insert_operator(foreign).expect("a foreign operator");
    assert_eq!(transfer(&sim, region, 2).await, refused(HAS_ONE));
    // While the first runs it is the one shown; its end overwrites the refused one's record.
    assert_eq!(status_of(&sim, region).await.0, "RUNNING");
    sim.advance(Duration::from_secs(1));
    assert_eq!(status_of(&sim, region).await.0, "SUCCESS");
    assert_eq!(sim.leader_of(region), Some(3));
}

#[tokio::test]
async fn a_retry_after_the_end_has_nothing_to_do() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    transfer(&sim, region, 2).await;
    sim.advance(Duration::from_secs(1));
    let answer = transfer(&sim, region, 2).await;
    assert_eq!(answer, refused("no operator step is built"));
    assert_eq!(status_of(&sim, region).await.0, "SUCCESS");
}

#[tokio::test]
async fn bad_leaders_are_refused_in_pds_words() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    sim.set_pending(region, 2, true);
    assert_eq!(
        transfer(&sim, region, 2).await,
        refused("cannot transfer leader to 2: unhealthy")
    );
    sim.set_heartbeat_age(3, Duration::from_secs(21));
    assert_eq!(
        transfer(&sim, region, 3).await,
        refused("cannot create operator: target leader is not allowed")
    );
    sim.set_leader(region, 0);
    assert_eq!(
        transfer(&sim, region, 3).await,
        refused("cannot build operator for region with no leader")
    );
}

#[tokio::test]
async fn bad_targets_are_refused_in_pds_words() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let add = json!({"name": "add-peer", "region_id": region, "store_id": 4});
    sim.set_heartbeat_age(4, Duration::from_secs(601));
    assert_eq!(
        operator(&sim, &add).await,
        refused("[PD:core:ErrStoreUnhealthy]store 4 is unhealthy")
    );
    sim.set_store_state(4, StoreState::Tombstone);
    assert_eq!(
        operator(&sim, &add).await,
        refused("[PD:core:ErrStoreRemoved]store 4 has been removed")
    );
    let add = json!({"name": "add-peer", "region_id": region, "store_id": 3});
    assert_eq!(
        operator(&sim, &add).await,
        refused("region already has peer in store 3")
    );
}

#[tokio::test]
async fn a_store_that_ignores_its_orders_lets_operators_time_out() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    sim.set_ignores_operators(1, true);
    assert_eq!(transfer(&sim, region, 2).await, ok());
    sim.advance(Duration::from_secs(59));
    assert_eq!(status_of(&sim, region).await.0, "RUNNING");
    sim.advance(Duration::from_secs(2));
    assert_eq!(status_of(&sim, region).await.0, "TIMEOUT");
    assert_eq!(sim.leader_of(region), Some(1));
    let text = sim.operator_status(region).unwrap_or_default();
    assert!(text.ends_with("timeout:[1m0s]) timeout"), "{text}");
}

#[tokio::test]
async fn a_store_that_obeys_again_is_told_again() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    sim.set_ignores_operators(1, true);
    transfer(&sim, region, 2).await;
    sim.advance(Duration::from_secs(10));
    sim.set_ignores_operators(1, false);
    sim.advance(Duration::from_secs(10));
    assert_eq!(sim.leader_of(region), Some(2));
}

#[tokio::test]
async fn a_learner_on_a_stuck_store_stays_pending() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    sim.set_stuck(4, true);
    let body = json!({
        "name": "transfer-peer", "region_id": region, "from_store_id": 3, "to_store_id": 4
    });
    assert_eq!(operator(&sim, &body).await, ok());
    sim.advance(Duration::from_secs(300));
    assert_eq!(status_of(&sim, region).await.0, "RUNNING");
    assert_eq!(sim.peers(region)[3].role, Role::Learner);
    sim.set_stuck(4, false);
    sim.advance(Duration::from_secs(20));
    assert_eq!(status_of(&sim, region).await.0, "SUCCESS");
}

#[tokio::test]
async fn records_are_kept_for_ten_minutes() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    transfer(&sim, region, 2).await;
    sim.advance(Duration::from_secs(599));
    assert_eq!(get(&sim, "/operators/records").await.status, 200);
    sim.advance(Duration::from_secs(2));
    assert_eq!(get(&sim, "/operators/records").await.status, 500);
    assert_eq!(get(&sim, &format!("/operators/{region}")).await.status, 500);
}

#[tokio::test]
async fn a_split_makes_two_regions() {
    let sim = start().await;
    let region = sim.region_ids()[1];
    let body = json!({"name": "split-region", "region_id": region, "policy": "approximate"});
    assert_eq!(operator(&sim, &body).await, ok());
    sim.advance(Duration::from_secs(1));
    assert_eq!(sim.region_ids().len(), 61);
    assert_eq!(sim.epoch(region).map(|epoch| epoch.version), Some(2));
    assert_eq!(status_of(&sim, region).await.0, "SUCCESS");
}

#[tokio::test]
async fn a_merge_leaves_one_region() {
    let sim = start().await;
    let (source, target) = (sim.region_ids()[1], sim.region_ids()[2]);
    let body = json!({
        "name": "merge-region", "source_region_id": source, "target_region_id": target
    });
    assert_eq!(operator(&sim, &body).await, ok());
    sim.advance(Duration::from_secs(10));
    assert_eq!(sim.region_ids().len(), 59);
    assert_eq!(sim.leader_of(source), None);
    assert_eq!(status_of(&sim, target).await.0, "SUCCESS");
    assert_eq!(status_of(&sim, source).await.0, "CANCEL");
}

#[tokio::test]
async fn a_pending_learner_holds_a_move_up() {
    let sim = start_with(|builder| builder.snapshot_latency(Duration::from_secs(30))).await;
    let region = sim.region_ids()[0];
    let body = json!({
        "name": "transfer-peer", "region_id": region, "from_store_id": 3, "to_store_id": 4
    });
    assert_eq!(operator(&sim, &body).await, ok());
    sim.advance(Duration::from_secs(20));
    let pending = get(&sim, "/regions/check/pending-peer").await.text();
    assert!(pending.starts_with(r#"{"count":1"#), "{pending}");
    sim.advance(Duration::from_secs(20));
    assert_eq!(status_of(&sim, region).await.0, "SUCCESS");
}

#[tokio::test]
async fn the_object_form_has_numbers_for_kind_and_status() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    transfer(&sim, region, 2).await;
    let answer = get(&sim, "/operators?object").await.text();
    let object: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(
        object[0],
        json!({
            "desc": "admin-transfer-leader",
            "brief": "transfer leader: store 1 to 2",
            "region_id": region,
            "region_epoch": {"conf_ver": 1, "version": 1},
            "kind": 257,
            "timeout": "1m0s",
            "status": 1
        })
    );
}

#[tokio::test]
async fn the_date_is_the_clusters() {
    let time = std::time::UNIX_EPOCH + Duration::from_secs(1_795_497_611);
    let sim = start_with(|builder| builder.start_time(time)).await;
    let date = || async { get(&sim, "/version").await.date.expect("a date") };
    assert_eq!(date().await, "Tue, 24 Nov 2026 05:20:11 GMT");
    sim.advance(Duration::from_secs(3600));
    assert_eq!(date().await, "Tue, 24 Nov 2026 06:20:11 GMT");
}

#[tokio::test]
async fn a_paused_checker_leaves_an_orphan_alone() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let answer = post(&sim, "/checker/rule", r#"{"delay":60}"#).await;
    assert_eq!(answer.text(), "\"Pause the checker successfully.\"\n");
    sim.add_peer(region, 4, Role::Voter);
    sim.advance(Duration::from_secs(30));
    assert_eq!(sim.peers(region).len(), 4);
    sim.advance(Duration::from_secs(40));
    assert_eq!(sim.peers(region).len(), 3);
}

#[tokio::test]
async fn bad_json_is_reported_in_gos_words() {
    let sim = start().await;
    for (body, message, offset) in [
        (
            "{\"name\":}",
            "invalid character '}' looking for beginning of value",
            9,
        ),
        (
            "{name:1}",
            "invalid character 'n' looking for beginning of object key string",
            2,
        ),
        ("{\"name\" 1}", "invalid character '1' after object key", 9),
        (
            "{\"name\":1 2}",
            "invalid character '2' after object key:value pair",
            11,
        ),
        ("{} x", "invalid character 'x' after top-level value", 4),
        ("{\"name\":\"x", "unexpected end of JSON input", 10),
    ] {
        let answer = post(&sim, "/operators", body).await;
        let object: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        let expected = json!({"code": "input", "msg": message, "data": {"Offset": offset}});
        assert_eq!((answer.status, object), (400, expected), "{body}");
        assert_eq!(answer.error_code.as_deref(), Some("input"));
    }
}
