//! Members: who answers, and what a change of leader loses.

use std::time::Duration;

use pd_sim::{Outage, Sim};
use serde_json::{Value as Json, json};

use crate::http::{Unanswered, ask, get, post, start, start_with};

/// A transfer that ended, one that runs, a drain, a pause and a temporary limit.
async fn busy() -> Sim {
    let sim = start_with(|builder| builder.members(3)).await;
    let regions = sim.region_ids();
    let transfer = |region: u64| {
        let to = sim.peers(region)[1].store_id;
        json!({"name": "transfer-leader", "region_id": region, "to_store_id": to}).to_string()
    };
    let ok = |status: u16| assert_eq!(status, 200);
    ok(post(&sim, "/operators", &transfer(regions[0])).await.status);
    sim.advance(Duration::from_secs(1));
    ok(post(&sim, "/operators", &transfer(regions[1])).await.status);
    let drain = json!({"name": "evict-leader-scheduler", "store_id": 5}).to_string();
    ok(post(&sim, "/schedulers", &drain).await.status);
    let pause = r#"{"delay":600}"#;
    ok(post(&sim, "/schedulers/balance-leader-scheduler", pause)
        .await
        .status);
    let limit = json!({"schedule.leader-schedule-limit": 9}).to_string();
    ok(post(&sim, "/config?ttlSecond=600", &limit).await.status);
    sim
}

#[tokio::test]
async fn a_new_leader_remembers_only_what_is_stored() {
    let sim = busy().await;
    assert_eq!(sim.leader_name().as_deref(), Some("pd0"));
    let (ended, running) = (sim.region_ids()[0], sim.region_ids()[1]);
    sim.change_leader(Duration::ZERO, Outage::NoLeader);
    assert_eq!(sim.leader_name().as_deref(), Some("pd1"));

    assert_eq!(get(&sim, &format!("/operators/{ended}")).await.status, 500);
    assert_eq!(
        get(&sim, &format!("/operators/{running}")).await.status,
        500
    );
    assert_eq!(get(&sim, "/schedulers?status=paused").await.text(), "[]\n");
    assert_eq!(sim.evicting(), [5]);
    assert_eq!(sim.limit_in_force("leader-schedule-limit"), 9);

    // What the stores were told they still do.
    let to = sim.peers(running)[1].store_id;
    sim.advance(Duration::from_secs(1));
    assert_eq!(sim.leader_of(running), Some(to));
}

#[tokio::test]
async fn an_election_is_answered_by_the_members_themselves() {
    let cases = [
        (
            Outage::RedirectFailed,
            500,
            "[PD:apiutil:ErrRedirect]redirect failed\n",
        ),
        (
            Outage::NoLeader,
            503,
            "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n",
        ),
    ];
    for (outage, status, text) in cases {
        let sim = start().await;
        sim.change_leader(Duration::from_secs(12), outage);
        let answer = get(&sim, "/stores").await;
        assert_eq!((answer.status, &*answer.text()), (status, text));
        assert_eq!(get(&sim, "/version").await.status, 200);
        assert_eq!(sim.leader_name(), None);
        sim.advance(Duration::from_secs(13));
        assert_eq!(get(&sim, "/stores").await.status, 200);
    }
}

#[tokio::test]
async fn every_member_answers_and_only_one_leads() {
    let sim = start_with(|builder| builder.members(3)).await;
    assert_eq!(sim.endpoints().len(), 3);
    let mut leaders = Vec::new();
    for endpoint in sim.endpoints() {
        let answer = ask(endpoint, "GET", "/pd/api/v1/members", &[], "").await;
        let members: Json = serde_json::from_slice(&answer.expect("an answer").body).expect("JSON");
        assert_eq!(members["members"].as_array().map(Vec::len), Some(3));
        leaders.push(members["leader"]["client_urls"][0].clone());
    }
    assert_eq!(leaders, vec![json!(sim.endpoint()); 3]);
}

#[tokio::test]
async fn a_follower_told_to_answer_itself_knows_no_cluster() {
    let sim = start_with(|builder| builder.members(2)).await;
    let headers = [("PD-Allow-follower-handle", "true")];
    let path = "/pd/api/v1/stores";
    let answer = ask(&sim.endpoints()[1], "GET", path, &headers, "").await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 500);
    let text = answer.text();
    assert!(text.contains("ErrNotBootstrapped"), "{text}");
}

#[tokio::test]
async fn a_stopped_member_refuses_and_another_takes_over() {
    let sim = start_with(|builder| builder.members(3)).await;
    let status_of = |index: usize| {
        let endpoint = sim.endpoints()[index].clone();
        async move {
            let answer = ask(&endpoint, "GET", "/pd/api/v1/stores", &[], "").await;
            answer.map(|answer| answer.status)
        }
    };
    sim.stop_member(0).await;
    sim.change_leader(Duration::from_secs(12), Outage::RedirectFailed);
    assert_eq!(status_of(0).await, Err(Unanswered::Refused));
    assert_eq!(status_of(1).await, Ok(500));
    sim.advance(Duration::from_secs(13));
    assert_eq!(status_of(1).await, Ok(200));
    assert_eq!(sim.leader_name().as_deref(), Some("pd1"));
    sim.start_member(0).await.expect("the member starts");
    assert_eq!(status_of(0).await, Ok(200));
}
