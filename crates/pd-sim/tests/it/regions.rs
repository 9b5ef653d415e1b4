//! Regions: scattering, checks, and what is hot.

use std::time::Duration;

use pd_sim::{HotFlow, Version};
use serde_json::{Value as Json, json};

use crate::http::{CREATED, get, json_of, operator, post, start, start_with};

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
    }
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
