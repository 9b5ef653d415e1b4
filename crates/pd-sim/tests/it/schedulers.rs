//! Schedulers: which there are, what they take, and what they are set to, by version.

use std::time::Duration;

use pd_sim::{Outage, Sim, Version};
use serde_json::{Value as Json, json};

use crate::http::{delete, get, post, says, send, start, start_with};

async fn add(sim: &Sim, body: Json) -> (u16, String) {
    let answer = post(sim, "/schedulers", &body.to_string()).await;
    let text = answer.text();
    (answer.status, serde_json::from_str(&text).unwrap_or(text))
}

fn of(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

#[tokio::test]
async fn schedulers_exist_by_version() {
    let cases = [
        ("balance-witness-scheduler", [false, true, true, true]),
        ("evict-stopping-store-scheduler", [false, false, true, true]),
        ("split-bucket-scheduler", [true, true, true, false]),
        ("random-merge-scheduler", [true; 4]),
    ];
    let versions = [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0];
    for (name, expected) in cases {
        for (version, known) in versions.into_iter().zip(expected) {
            let sim = start_with(|builder| builder.version(version)).await;
            let (status, text) = add(&sim, json!({"name": name})).await;
            let is_unknown = (status, &*text) == (400, "unknown scheduler");
            assert_eq!(is_unknown, !known, "{name} {version:?}: {status} {text}");
        }
    }
}

#[tokio::test]
async fn a_scheduler_is_added_once() {
    let existed = "[PD:scheduler:ErrSchedulerExisted]scheduler existed";
    for (version, status) in [(Version::V8_5, 500), (Version::V9_0, 400)] {
        let sim = start_with(|builder| builder.version(version)).await;
        let body = json!({"name": "balance-leader-scheduler"});
        assert_eq!(add(&sim, body).await, of(status, existed));
    }
}

#[tokio::test]
async fn hot_region_schedulers_exclude_each_other() {
    let sim = start().await;
    let grant = json!({
        "name": "grant-hot-region-scheduler", "store-leader-id": "1", "store-id": "1,2,3"
    });
    let running = "balance-hot-region-scheduler is running, please remove it first";
    assert_eq!(add(&sim, grant.clone()).await, of(400, running));
    says(
        &delete(&sim, "/schedulers/balance-hot-region-scheduler").await,
        200,
        "\"The scheduler is removed.\"\n",
    );
    assert_eq!(add(&sim, grant).await, of(200, "The scheduler is created."));
    let list = get(&sim, "/scheduler-config/grant-hot-region-scheduler/list").await;
    let list: Json = serde_json::from_str(&list.text()).expect("JSON");
    assert_eq!(list, json!({"store-id": [1, 2, 3], "store-leader-id": 1}));
}

#[tokio::test]
async fn leaders_come_to_a_granted_store() {
    let sim = start().await;
    let body = json!({"name": "grant-leader-scheduler", "store_id": 2});
    assert_eq!(
        add(&sim, body.clone()).await,
        of(200, "The scheduler is created.")
    );
    assert_eq!(
        add(&sim, body).await,
        of(200, "The scheduler has been applied to the store.")
    );
    sim.advance(Duration::from_secs(30));
    assert_eq!(sim.leader_count(2), sim.region_count(2));
    // Up to 8.5 the two cannot hold the same store.
    let evict = json!({"name": "evict-leader-scheduler", "store_id": 2});
    assert_eq!(
        add(&sim, evict).await,
        of(
            500,
            "[PD:core:ErrPauseLeaderTransfer]store 2 is paused for leader transfer"
        )
    );
    says(
        &delete(&sim, "/schedulers/grant-leader-scheduler-2").await,
        200,
        "null\n",
    );
    says(
        &delete(&sim, "/schedulers/grant-leader-scheduler").await,
        404,
        "\"[PD:scheduler:ErrSchedulerNotFound]scheduler not found\"\n",
    );
}

#[tokio::test]
async fn balance_leaders_batch_has_bounds() {
    let path = "/scheduler-config/balance-leader-scheduler/config";
    for (version, max) in [(Version::V7_5, 10), (Version::V9_0, 100)] {
        let sim = start_with(|builder| builder.version(version)).await;
        says(
            &post(&sim, path, r#"{"batch":4}"#).await,
            200,
            "\"Config is the same with origin, so do nothing.\"\n",
        );
        says(
            &post(&sim, path, &json!({"batch": max}).to_string()).await,
            200,
            "\"Config is updated.\"\n",
        );
        let text =
            format!("\"invalid batch size which should be an integer between 1 and {max}\"\n");
        let body = json!({"batch": max + 1}).to_string();
        says(&post(&sim, path, &body).await, 400, &text);
        says(
            &post(&sim, path, r#"{"nope":1}"#).await,
            400,
            "\"Config item is not found.\"\n",
        );
        let list = get(&sim, "/scheduler-config/balance-leader-scheduler/list").await;
        let list: Json = serde_json::from_str(&list.text()).expect("JSON");
        assert_eq!(list["batch"], max);
    }
}

#[tokio::test]
async fn the_hot_region_scheduler_answers_in_plain_text() {
    let sim = start().await;
    let path = "/scheduler-config/balance-hot-region-scheduler/config";
    says(
        &post(&sim, path, r#"{"min-hot-byte-rate":200}"#).await,
        200,
        "Config is updated.",
    );
    says(
        &post(&sim, path, r#"{"nope":200}"#).await,
        400,
        "Config item is not found.",
    );
    says(
        &post(&sim, path, r#"{"write-peer-priorities":["query","byte"]}"#).await,
        400,
        "\"[PD:scheduler:ErrSchedulerConfig]wrong scheduler config query is not allowed to be set in priorities for write-peer-priorities\"\n",
    );
}

#[tokio::test]
async fn evict_leaders_batch_is_checked_by_version() {
    let path = "/scheduler-config/evict-leader-scheduler/config";
    for (version, batch, text) in [
        (
            Version::V8_5,
            11,
            "batch is invalid, it should be in [1, 10]",
        ),
        (Version::V9_0, 101, "batch must be an integer in [1, 100]"),
    ] {
        let sim = start_with(|builder| builder.version(version)).await;
        sim.set_evicting(1, true);
        let body = json!({"batch": batch}).to_string();
        says(&post(&sim, path, &body).await, 400, &format!("{text:?}\n"));
        // A store as text changes nothing and is welcome.
        says(
            &post(&sim, path, r#"{"store_id":"2"}"#).await,
            200,
            "\"The scheduler has been applied to the store.\"\n",
        );
        assert_eq!(sim.evicting(), [1]);
    }
}

#[tokio::test]
async fn a_scheduler_without_settings_answers_anything() {
    let sim = start().await;
    let path = "/scheduler-config/balance-region-scheduler/list";
    says(&get(&sim, path).await, 200, "not implements");
    let path = "/scheduler-config/evict-slow-trend-scheduler/list";
    says(&get(&sim, path).await, 404, "404 page not found\n");
}

#[tokio::test]
async fn settings_outlive_a_leader_and_pauses_do_not() {
    let sim = start_with(|builder| builder.members(3)).await;
    let config = "/scheduler-config/balance-leader-scheduler";
    post(&sim, &format!("{config}/config"), r#"{"batch":7}"#).await;
    post(&sim, "/schedulers/all", r#"{"delay":600}"#).await;
    let paused = get(&sim, "/schedulers?status=paused").await.text();
    assert!(paused.contains("balance-region-scheduler"), "{paused}");
    sim.change_leader(Duration::ZERO, Outage::NoLeader);
    assert_eq!(get(&sim, "/schedulers?status=paused").await.text(), "[]\n");
    let list = get(&sim, &format!("{config}/list")).await.text();
    assert!(list.contains("\"batch\": 7"), "{list}");
}

#[tokio::test]
async fn members_are_named_and_ranked() {
    let sim = start_with(|builder| builder.members(3)).await;
    let not_found = "\"not found, pd: pd9\"\n";
    let five = r#"{"leader-priority":5}"#;
    says(&post(&sim, "/members/name/pd9", five).await, 404, not_found);
    says(
        &post(&sim, "/members/name/pd2", r#"{"leader-priority":"5"}"#).await,
        400,
        "\"bad format leader priority\"\n",
    );
    says(
        &post(&sim, "/members/name/pd2", five).await,
        200,
        "\"success\"\n",
    );
    says(
        &post(&sim, "/leader/transfer/pd9", "").await,
        500,
        "\"no valid pd to transfer etcd leader\"\n",
    );
    says(
        &post(&sim, "/leader/transfer/pd2", "").await,
        200,
        "\"The transfer command is submitted.\"\n",
    );
    assert_eq!(sim.leader_name().as_deref(), Some("pd2"));
    let members: Json = serde_json::from_str(&get(&sim, "/members").await.text()).expect("JSON");
    let names: Vec<&Json> = members["members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| &member["name"])
        .collect();
    assert_eq!(names, ["pd0", "pd1", "pd2"]);
    assert_eq!(members["members"][2]["leader_priority"], 5);
}

#[tokio::test]
async fn a_wrong_method_on_a_schedulers_settings_is_405() {
    let sim = start().await;
    let path = "/scheduler-config/balance-leader-scheduler/list";
    let answer = send(&sim, "DELETE", path, "").await.expect("an answer");
    assert_eq!((answer.status, &*answer.text()), (405, ""));
}
