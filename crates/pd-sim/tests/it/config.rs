//! The configuration: what it takes, in what order, for how long.

use std::time::Duration;

use pd_sim::{Outage, Sim, Version};
use serde_json::Value as Json;

use crate::http::{Answer, get, post, start, start_with};

#[track_caller]
fn says(answer: &Answer, status: u16, text: &str) {
    assert_eq!(
        (answer.status, answer.text()),
        (status, format!("{text:?}\n"))
    );
}

async fn schedule(sim: &Sim) -> Json {
    serde_json::from_str(&get(sim, "/config/schedule").await.text()).expect("JSON")
}

#[tokio::test]
async fn bad_items_are_refused_in_pds_words() {
    let sim = start().await;
    let cases = [
        (r#"{"nope":1}"#, "config item nope not found"),
        (r#"{"nope.x":1}"#, "config prefix nope not found"),
        (r#"{"schedule.nope":1}"#, "config item nope not found"),
        (
            r#"{"leader-schedule-limit":"4"}"#,
            "json: cannot unmarshal string into Go struct field ScheduleConfig.leader-schedule-limit of type uint64",
        ),
        (
            r#"{"enable-joint-consensus":true}"#,
            "json: invalid use of ,string struct tag, trying to unmarshal unquoted value into bool",
        ),
        (
            r#"{"low-space-ratio":0.5}"#,
            "low-space-ratio should be larger than high-space-ratio",
        ),
        (
            r#"{"high-space-ratio":1.5}"#,
            "high-space-ratio should between 0 and 1",
        ),
        (
            r#"{"tolerant-size-ratio":-1}"#,
            "tolerant-size-ratio should be non-negative",
        ),
        (
            r#"{"leader-schedule-policy":"x"}"#,
            "leader-schedule-policy x is invalid",
        ),
        (
            r#"{"patrol-region-worker-count":9}"#,
            "patrol-region-worker-count should be between 1 and 8",
        ),
        (
            r#"{"store-balance-rate":1}"#,
            "store-balance-rate has already been deprecated",
        ),
        (
            r#"{"isolation-level":"zone"}"#,
            "isolation-level must be one of location-labels or empty",
        ),
        (r#"{"log.file":"x"}"#, "only support changing log level"),
        (
            "[]",
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
    ];
    for (body, text) in cases {
        says(&post(&sim, "/config", body).await, 400, text);
    }
}

#[tokio::test]
async fn a_misspelt_item_of_the_schedule_is_welcome_and_does_nothing() {
    let sim = start().await;
    let body = r#"{"leader-schedule-limti":5}"#;
    says(
        &post(&sim, "/config/schedule", body).await,
        200,
        "The config is updated.",
    );
    assert_eq!(schedule(&sim).await["leader-schedule-limit"], 4);
}

#[tokio::test]
async fn a_refusal_may_leave_a_part_changed() {
    let body = r#"{"leader-schedule-limit":9,"nope":1}"#;
    let mut seen = Vec::new();
    for seed in 0..16 {
        let sim = start_with(|builder| builder.seed(seed)).await;
        assert_eq!(post(&sim, "/config", body).await.status, 400);
        let limit = schedule(&sim).await["leader-schedule-limit"].clone();
        seen.push(limit == 9);
    }
    assert!(seen.contains(&true) && seen.contains(&false), "{seen:?}");
}

#[tokio::test]
async fn both_space_ratios_go_together_through_the_schedule_only() {
    let body = r#"{"low-space-ratio":0.6,"high-space-ratio":0.5}"#;
    let sim = start().await;
    assert_eq!(post(&sim, "/config/schedule", body).await.status, 200);
    let mut statuses = Vec::new();
    for seed in 0..16 {
        let sim = start_with(|builder| builder.seed(seed)).await;
        statuses.push(post(&sim, "/config", body).await.status);
    }
    assert!(statuses.contains(&200) && statuses.contains(&400));
}

#[tokio::test]
async fn a_bad_boolean_is_told_by_version() {
    let body = r#"{"enable-joint-consensus":true}"#;
    let text =
        "json: invalid use of ,string struct tag, trying to unmarshal unquoted value into bool";
    let sim = start_with(|builder| builder.version(Version::V9_0)).await;
    says(&post(&sim, "/config/schedule", body).await, 500, text);
    let sim = start().await;
    let answer = post(&sim, "/config/schedule", body).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.error_code.as_deref(), Some("internal"));
}

#[tokio::test]
async fn temporary_values_hold_hide_lock_and_end() {
    let sim = start_with(|builder| builder.members(3)).await;
    let body = r#"{"schedule.leader-schedule-limit":9}"#;
    says(
        &post(&sim, "/config?ttlSecond=60", body).await,
        200,
        "The ttl config is updated.",
    );
    assert_eq!(sim.limit_in_force("leader-schedule-limit"), 9);
    assert_eq!(schedule(&sim).await["leader-schedule-limit"], 4);
    let locked = "need to clean up TTL first for schedule.leader-schedule-limit";
    says(&post(&sim, "/config", body).await, 400, locked);
    // It is stored: a new leader has it too.
    sim.change_leader(Duration::ZERO, Outage::NoLeader);
    assert_eq!(sim.limit_in_force("leader-schedule-limit"), 9);
    sim.advance(Duration::from_secs(61));
    assert_eq!(sim.limit_in_force("leader-schedule-limit"), 4);
    says(
        &post(&sim, "/config?ttlSecond=60", r#"{"schedule.nope":1}"#).await,
        400,
        "unsupported ttl config schedule.nope",
    );
    says(
        &post(&sim, "/config?ttlSecond=x", body).await,
        400,
        "strconv.Atoi: parsing \"x\": invalid syntax",
    );
    says(
        &post(&sim, "/config?ttlSecond=0", body).await,
        200,
        "The ttl config is deleted.",
    );
}

#[tokio::test]
async fn what_can_be_temporary_depends_on_the_version() {
    let names = [
        ("add-peer-1", [true, true, true, false]),
        (
            "schedule.split-scatter-schedule-limit",
            [false, false, true, true],
        ),
    ];
    let versions = [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0];
    for (name, expected) in names {
        for (version, expected) in versions.into_iter().zip(expected) {
            let sim = start_with(|builder| builder.version(version)).await;
            let body = serde_json::json!({name: 5}).to_string();
            let status = post(&sim, "/config?ttlSecond=9", &body).await.status;
            assert_eq!(status == 200, expected, "{name} {version:?}");
        }
    }
}

#[tokio::test]
async fn a_halt_shows_only_while_it_lasts() {
    let sim = start().await;
    assert_eq!(schedule(&sim).await.get("halt-scheduling"), None);
    let body = r#"{"halt-scheduling":"true"}"#;
    assert_eq!(post(&sim, "/config", body).await.status, 200);
    assert_eq!(schedule(&sim).await["halt-scheduling"], "true");
}

#[tokio::test]
async fn the_whole_configuration_has_its_parts() {
    let sim = start().await;
    let all: Json = serde_json::from_str(&get(&sim, "/config").await.text()).expect("JSON");
    assert_eq!(all["schedule"], schedule(&sim).await);
    assert_eq!(all["pd-server"]["flow-round-by-digit"], 3);
    assert_eq!(all["replication-mode"]["replication-mode"], "majority");
    post(&sim, "/config", r#"{"leader-schedule-limit":9}"#).await;
    let default = get(&sim, "/config/default").await.text();
    let default: Json = serde_json::from_str(&default).expect("JSON");
    assert_eq!(default["schedule"]["leader-schedule-limit"], 4);
}
