//! The shortest way through: a transfer, a move, a drain.

use std::time::Duration;

use pd_sim::{Clock, Role, Sim};

use crate::http::{delete, get, post};

async fn sim() -> Sim {
    Sim::builder()
        .clock(Clock::Stepped)
        .seed(7)
        .start()
        .await
        .expect("the simulator starts")
}

#[tokio::test]
async fn a_transfer_is_accepted_first_and_done_later() {
    let sim = sim().await;
    let region = sim.region_ids()[0];
    let body = format!(r#"{{"name":"transfer-leader","region_id":{region},"to_store_id":2}}"#);

    let answer = post(&sim, "/operators", &body).await;
    assert_eq!(answer.text(), "\"The operator is created.\"\n");
    assert_eq!(sim.leader_of(region), Some(1));

    sim.advance(Duration::from_millis(200));
    assert_eq!(sim.leader_of(region), Some(2));
    let answer = get(&sim, &format!("/operators/{region}")).await;
    assert!(
        answer.text().contains("status: SUCCESS"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_peer_moves_through_a_joint_state() {
    let sim = sim().await;
    let region = sim.region_ids()[0];
    let body = format!(
        r#"{{"name":"transfer-peer","region_id":{region},"from_store_id":3,"to_store_id":4}}"#
    );
    assert_eq!(post(&sim, "/operators", &body).await.status, 200);

    let conf_ver = || sim.epoch(region).map(|epoch| epoch.conf_ver);
    let mut seen = vec![conf_ver()];
    for _ in 0..4 {
        sim.advance(Duration::from_millis(200));
        seen.push(conf_ver());
    }
    assert_eq!(seen, [1, 2, 4, 6, 7].map(Some));
    let stores: Vec<(u64, Role)> = sim
        .peers(region)
        .iter()
        .map(|peer| (peer.store_id, peer.role))
        .collect();
    assert_eq!(
        stores,
        [(1, Role::Voter), (2, Role::Voter), (4, Role::Voter)]
    );
}

#[tokio::test]
async fn a_drain_empties_a_store_of_leaders() {
    let sim = sim().await;
    assert_eq!(sim.leader_count(3), 12);
    let body = r#"{"name":"evict-leader-scheduler","store_id":3}"#;
    assert_eq!(post(&sim, "/schedulers", body).await.status, 200);
    assert_eq!(sim.evicting(), [3]);

    sim.advance(Duration::from_secs(3));
    assert_eq!(sim.leader_count(3), 0);

    let answer = delete(&sim, "/schedulers/evict-leader-scheduler-3").await;
    assert_eq!((answer.status, answer.text()), (200, "null\n".to_owned()));
    assert_eq!(sim.evicting(), [0; 0]);
}
