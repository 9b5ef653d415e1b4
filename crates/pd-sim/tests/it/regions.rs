//! Regions: commands for many at once, checks, sums.

use std::time::Duration;

use pd_sim::{HotFlow, Sim, Version};
use serde_json::{Value as Json, json};

use crate::http::{Answer, CREATED, get, operator, post, start, start_with};

#[track_caller]
fn says(answer: &Answer, status: u16, text: &str) {
    assert_eq!((answer.status, &*answer.text()), (status, text));
}

async fn json_of(sim: &Sim, path: &str) -> Json {
    serde_json::from_str(&get(sim, path).await.text()).expect("JSON")
}

#[tokio::test]
async fn scattering_may_create_nothing() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let body = json!({"name": "scatter-region", "region_id": region});
    assert_eq!(operator(&sim, &body).await, (200, CREATED.to_owned()));
    assert_eq!(sim.operator(region), None);
    assert_eq!(get(&sim, &format!("/operators/{region}")).await.status, 500);
}

#[tokio::test]
async fn scattering_a_group_spreads_it() {
    let sim = start().await;
    post(&sim, "/stores/limit", r#"{"rate":6000}"#).await;
    // All of the group stand on the same three stores.
    let group: Vec<u64> = sim
        .region_ids()
        .into_iter()
        .filter(|region| sim.leader_of(*region) == Some(1))
        .collect();
    for region in &group {
        let body = json!({"name": "scatter-region", "region_id": region, "group": "g"});
        assert_eq!(operator(&sim, &body).await, (200, CREATED.to_owned()));
    }
    let made = sim.operators();
    assert!(
        made.iter().any(|text| text.starts_with("scatter-region ")),
        "{made:?}"
    );
    sim.advance(Duration::from_secs(10));
    let stores: std::collections::BTreeSet<u64> = group
        .iter()
        .flat_map(|region| sim.peers(*region))
        .map(|peer| peer.store_id)
        .collect();
    assert_eq!(stores.len(), 5);
}

#[tokio::test]
async fn a_region_that_cannot_be_scattered_says_why() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let body = json!({"name": "scatter-region", "region_id": region});
    let hot = HotFlow {
        is_read: false,
        bytes: 1,
        keys: 1,
        queries: 1,
        degree: 3,
    };
    sim.set_hot(region, Some(hot));
    assert_eq!(
        operator(&sim, &body).await,
        (500, format!("region {region} is a hot region"))
    );
    sim.set_hot(region, None);
    sim.set_leader(region, 0);
    assert_eq!(
        operator(&sim, &body).await,
        (500, format!("region {region} has no leader"))
    );
    sim.remove_peer(region, 3);
    assert_eq!(
        operator(&sim, &body).await,
        (500, format!("region {region} is not fully replicated"))
    );
}

#[tokio::test]
async fn scatter_regions_fails_inside_of_a_success() {
    for (version, text) in [
        (Version::V8_5, "empty region"),
        (Version::V9_0, "[PD:scatter:ErrEmptyRegion]empty region"),
    ] {
        let sim = start_with(|builder| builder.version(version)).await;
        let body = json!({"name": "scatter-regions", "region_ids": []}).to_string();
        let answer = post(&sim, "/operators", &body).await;
        assert_eq!(answer.status, 200);
        let body: Json = serde_json::from_str(&answer.text()).expect("JSON");
        assert_eq!(body, json!({"processed-percentage": 0, "error": text}));
        let answer = post(&sim, "/regions/scatter", r#"{"regions_id":[]}"#).await;
        says(&answer, 500, &format!("{text:?}\n"));
        let answer = post(&sim, "/regions/scatter", r#"{"region_ids":[1]}"#).await;
        says(&answer, 500, "\"regions_id is invalid\"\n");
    }
}

#[tokio::test]
async fn regions_are_split_at_keys() {
    let sim = start().await;
    let before = sim.region_ids().len();
    let key = "7480000000000000FF0500000000000000F8";
    let body = json!({"split_keys": [key]}).to_string();
    let answer = post(&sim, "/regions/split", &body).await;
    let body: Json = serde_json::from_str(&answer.text()).expect("JSON");
    assert_eq!(body["processed-percentage"], 100);
    let new = body["regions-id"][0].as_u64().expect("an id");
    assert_eq!(sim.region_ids().len(), before + 1);
    let region = json_of(&sim, &format!("/region/id/{new}")).await;
    assert_eq!(region["end_key"], key);
}

#[tokio::test]
async fn bad_split_keys_panic_up_to_8_5() {
    let sim = start().await;
    says(
        &post(&sim, "/regions/split", "{}").await,
        400,
        "\"split_keys should be provided.\"\n",
    );
    says(
        &post(&sim, "/regions/split", r#"{"split_keys":[]}"#).await,
        400,
        "\"empty split keys.\"\n",
    );
    let answer = post(&sim, "/regions/split", r#"{"split_keys":"74"}"#).await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().starts_with("PANIC: interface conversion"));
    let sim = start_with(|builder| builder.version(Version::V9_0)).await;
    says(
        &post(&sim, "/regions/split", r#"{"split_keys":"74"}"#).await,
        400,
        "\"split_keys should be an array.\"\n",
    );
}

#[tokio::test]
async fn a_range_is_checked_soon() {
    let sim = start().await;
    let body = r#"{"start_key":"74","end_key":""}"#;
    says(
        &post(&sim, "/regions/accelerate-schedule", body).await,
        200,
        "Accelerate regions scheduling in a given range [74,)",
    );
    let body = r#"[{"start_key":"74","end_key":"75"}]"#;
    says(
        &post(&sim, "/regions/accelerate-schedule/batch", body).await,
        200,
        "Accelerate regions scheduling in given ranges: [74,75), ",
    );
    says(
        &post(
            &sim,
            "/regions/accelerate-schedule/batch",
            r#"[{"start_key":"x"}]"#,
        )
        .await,
        400,
        "\"split key start_key is not in hex format\"\n",
    );
    says(
        &post(&sim, "/regions/accelerate-schedule", "{}").await,
        400,
        "\"start_key or end_key is not string\"\n",
    );
}

#[tokio::test]
async fn sums_over_regions_are_told() {
    let sim = start().await;
    let histogram = json_of(&sim, "/regions/check/hist-size?bound=10").await;
    assert_eq!(histogram, json!([{"start": 90, "end": 99, "count": 60}]));
    assert_eq!(json_of(&sim, "/regions/range-holes").await, json!([]));
    let replicated = get(&sim, "/regions/replicated?startKey=&endKey=").await;
    says(&replicated, 200, "\"REPLICATED\"\n");
    says(
        &get(&sim, "/regions/replicated?startKey=").await,
        404,
        "404 page not found\n",
    );
    let stats = json_of(&sim, "/stats/region?start_key=&end_key=").await;
    assert_eq!(stats["count"], 60);
    assert_eq!(stats["storage_size"], 60 * 96);
    assert_eq!(stats["store_leader_count"]["1"], 12);
    assert_eq!(stats["store_peer_count"]["1"], 36);
}

#[tokio::test]
async fn regions_that_are_too_big_or_too_small_are_listed() {
    let sim = start().await;
    let region = sim.region_ids()[0];
    let count = |kind: &'static str| {
        let sim = &sim;
        async move { json_of(sim, &format!("/regions/check/{kind}")).await["count"].clone() }
    };
    assert_eq!(count("oversized-region").await, 0);
    sim.set_region_size(region, 200);
    assert_eq!(count("oversized-region").await, 1);
    sim.set_region_size(region, 1);
    assert_eq!(count("empty-region").await, 1);
}
