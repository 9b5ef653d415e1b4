//! Changing stores: labels, weights, limits, taking them away and back.

use std::time::Duration;

use pd_sim::{Outage, Version};
use serde_json::{Value as Json, json};

use crate::http::{delete, get, json_of, post, says, send, start, start_with};

#[tokio::test]
async fn limits_are_set_for_one_store_or_all() {
    let sim = start().await;
    says(
        &post(&sim, "/store/2/limit", r#"{"rate":20,"type":"add-peer"}"#).await,
        200,
        "\"The store's limit is updated.\"\n",
    );
    let limits = json_of(&sim, "/stores/limit").await;
    assert_eq!(limits["2"], json!({"add-peer": 20, "remove-peer": 15}));
    says(
        &post(&sim, "/stores/limit", r#"{"rate":7.5}"#).await,
        200,
        "\"Set store limit successfully.\"\n",
    );
    let limits = json_of(&sim, "/stores/limit").await;
    assert_eq!(limits["5"], json!({"add-peer": 7.5, "remove-peer": 7.5}));
}

#[tokio::test]
async fn bad_limits_are_refused_in_pds_words() {
    let sim = start().await;
    let cases = [
        ("{}", "rate unset"),
        (
            r#"{"rate":0}"#,
            "invalid rate which should be larger than 0",
        ),
        (
            r#"{"rate":"1"}"#,
            "invalid rate which should be larger than 0",
        ),
        (r#"{"rate":1,"type":1}"#, "bad format type"),
        (r#"{"rate":1,"type":"x"}"#, "unknown type"),
    ];
    for (body, text) in cases {
        let answer = post(&sim, "/store/1/limit", body).await;
        says(&answer, 400, &format!("{text:?}\n"));
    }
    says(
        &post(&sim, "/store/99/limit", r#"{"rate":1}"#).await,
        500,
        "\"[PD:core:ErrStoreNotFound]store 99 not found\"\n",
    );
    let answer = post(&sim, "/stores/limit", r#"{"rate":1,"labels":["x"]}"#).await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().starts_with(
        "PANIC: interface conversion: interface {} is []interface {}, not map[string]interface {}"
    ));
}

#[tokio::test]
async fn limits_of_the_second_version_are_not_rates() {
    let sim = start().await;
    sim.set_schedule("store-limit-version", "v2");
    says(
        &post(&sim, "/store/1/limit", r#"{"rate":1}"#).await,
        400,
        "\"current store limit version:v2 not support set limit\"\n",
    );
    says(
        &get(&sim, "/stores/limit").await,
        400,
        "\"current store limit version:v2 not support get limit\"\n",
    );
}

#[tokio::test]
async fn a_limit_reaches_the_labelled_stores() {
    let sim = start().await;
    sim.set_labels(3, [("zone", "z1")]);
    let body = r#"{"rate":30,"labels":{"zone":"z1"}}"#;
    assert_eq!(post(&sim, "/stores/limit", body).await.status, 200);
    let limits = json_of(&sim, "/stores/limit").await;
    assert_eq!(limits["3"]["add-peer"], 30);
    assert_eq!(limits["2"]["add-peer"], 15);
}

#[tokio::test]
async fn a_store_taken_back_has_its_limits_back() {
    let sim = start().await;
    delete(&sim, "/store/5").await;
    let limit = || async { json_of(&sim, "/stores/limit").await["5"]["remove-peer"].clone() };
    assert_eq!(limit().await, 100_000_000);
    post(&sim, "/store/5/state?state=Up", "").await;
    assert_eq!(limit().await, 15);
}

#[tokio::test]
async fn a_new_leader_does_not_know_the_limits_from_before() {
    let sim = start_with(|builder| builder.members(3)).await;
    delete(&sim, "/store/5").await;
    sim.change_leader(Duration::ZERO, Outage::NoLeader);
    let answer = post(&sim, "/store/5/state?state=Up", "").await;
    says(&answer, 200, "\"The store's state is updated.\"\n");
    let limits = json_of(&sim, "/stores/limit").await;
    assert_eq!(limits["5"]["remove-peer"], 100_000_000);
}

#[tokio::test]
async fn weights_are_checked_one_by_one() {
    let sim = start_with(|builder| builder.version(Version::V7_5)).await;
    let cases = [
        ("{}", 400, "leader weight unset"),
        (r#"{"leader":1}"#, 400, "region weight unset"),
        (
            r#"{"leader":-1,"region":1}"#,
            400,
            "bad format leader weight",
        ),
        (
            r#"{"leader":1,"region":"1"}"#,
            400,
            "bad format region weight",
        ),
        // Up to 7.5 PD says label.
        (
            r#"{"leader":2,"region":1}"#,
            200,
            "The store's label is updated.",
        ),
    ];
    for (body, status, text) in cases {
        let answer = post(&sim, "/store/1/weight", body).await;
        says(&answer, status, &format!("{text:?}\n"));
    }
    let store = json_of(&sim, "/store/1").await;
    assert_eq!(store["status"]["leader_weight"], 2);
}

#[tokio::test]
async fn labels_have_a_format() {
    let sim = start().await;
    let answer = post(&sim, "/store/1/label", r#"{"zone!":"z1"}"#).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.error_code.as_deref(), Some("input"));
    let body: Json = serde_json::from_str(&answer.text()).expect("JSON");
    assert_eq!(
        body["msg"],
        r#"zone! does not match format "^[$]?[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$""#
    );
    says(
        &post(&sim, "/store/99/label", r#"{"zone":"z1"}"#).await,
        500,
        "\"[PD:cluster:ErrInvalidStoreID]invalid store id 99, not found\"\n",
    );
}

#[tokio::test]
async fn an_empty_label_goes_and_a_forced_one_replaces_all() {
    let sim = start().await;
    sim.set_labels(1, [("zone", "z1"), ("host", "h1")]);
    post(&sim, "/store/1/label", r#"{"Zone":"z2","host":""}"#).await;
    let labels = || async { json_of(&sim, "/store/1").await["store"]["labels"].clone() };
    assert_eq!(labels().await, json!([{"key": "zone", "value": "z2"}]));
    post(&sim, "/store/1/label?force=false", r#"{"rack":"r"}"#).await;
    assert_eq!(labels().await, json!([{"key": "rack", "value": "r"}]));
    let path = "/store/1/label";
    let answer = send(&sim, "DELETE", path, r#""rack""#).await;
    says(
        &answer.expect("an answer"),
        200,
        "\"The label rack is deleted for store 1.\"\n",
    );
    let answer = send(&sim, "DELETE", path, r#""rack""#).await;
    says(
        &answer.expect("an answer"),
        500,
        "\"the label key rack does not exist\"\n",
    );
}

#[tokio::test]
async fn engine_is_reserved_in_9_0() {
    let sim = start_with(|builder| builder.version(Version::V9_0)).await;
    let answer = post(&sim, "/store/1/label", r#"{"engine":"tiflash"}"#).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .text()
            .contains(r#"label key \"engine\" is reserved"#)
    );
}

#[tokio::test]
async fn progress_is_shown_until_the_store_is_gone() {
    let sim = start().await;
    delete(&sim, "/store/5").await;
    let progress = json_of(&sim, "/stores/progress?id=5").await;
    assert_eq!(progress["action"], "removing");
    let text = get(&sim, "/stores/progress?id=5").await.text();
    assert!(
        text.contains(r#""left_seconds": 1.7976931348623157e+308"#),
        "{text}"
    );
    sim.advance(Duration::from_secs(10));
    let later = json_of(&sim, "/stores/progress?action=removing").await;
    assert!(later["progress"].as_f64() > progress["progress"].as_f64());
    sim.advance(Duration::from_secs(120));
    let answer = get(&sim, "/stores/progress?id=5").await;
    says(
        &answer,
        404,
        "\"[PD:progress:ErrProgressNotFound]no progress found for the given store ID: 5\"\n",
    );
    says(
        &get(&sim, "/stores/progress").await,
        400,
        "\"need query parameters\"\n",
    );
}

#[tokio::test]
async fn progress_is_late_in_9_0() {
    let sim = start_with(|builder| builder.version(Version::V9_0)).await;
    delete(&sim, "/store/5").await;
    assert_eq!(get(&sim, "/stores/progress?id=5").await.status, 404);
    sim.advance(Duration::from_secs(10));
    assert_eq!(get(&sim, "/stores/progress?id=5").await.status, 200);
}

#[tokio::test]
async fn a_forced_removal_cannot_be_taken_back() {
    let sim = start_with(|builder| builder.stores(3)).await;
    // Presence is what counts.
    says(
        &delete(&sim, "/store/3?force=false").await,
        200,
        "\"The store is set as Offline.\"\n",
    );
    let destroyed = "\"[PD:core:ErrStoreDestroyed]store 3 has been physically destroyed\"\n";
    says(
        &post(&sim, "/store/3/state?state=Up", "").await,
        400,
        destroyed,
    );
    says(&delete(&sim, "/store/3").await, 400, destroyed);
}
