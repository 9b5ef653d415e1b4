//! Why regions are not merged.

use std::time::Duration;

use action_core::ActionRegistry;
use operator_tikv::{Moving, Why};
use pd_sim::{Sim, Version};
use serde_json::{Value, json};

use super::{check, of_region, why};
use crate::{VERSIONS, region, request, stepped};

/// Asked of one region; of all without.
fn merges(region: Option<u64>) -> Why {
    Why {
        what: Moving::Merges,
        ..region.map_or_else(Why::default, of_region)
    }
}

/// A cluster whose PD has led for longer than `split-merge-interval`.
async fn settled(version: Version) -> Sim {
    let sim = stepped(version).start().await.unwrap();
    sim.advance(Duration::from_secs(3_700));
    // The simulated regions keep their keys whatever their size.
    assert!(sim.set_schedule("max-merge-region-keys", 2_000_000));
    sim
}

/// The one after a region.
fn next(sim: &Sim, id: u64) -> u64 {
    let ids = sim.region_ids();
    let place = ids.iter().position(|one| *one == id).unwrap();
    ids[place + 1]
}

#[tokio::test]
async fn a_small_region_has_nothing_in_the_way() {
    for version in VERSIONS {
        let sim = settled(version).await;
        let (id, ..) = region(&sim);
        sim.set_region_size(id, 1);
        let found = check(&sim, merges(Some(id)), &[]).await;
        assert!(
            found.unknown.iter().any(|what| what.contains("hot")),
            "{found:?}"
        );
        check(&sim, merges(None), &[]).await;
    }
}

/// Neither paused balancing nor a region's size is why nothing is merged.
#[tokio::test]
async fn what_switches_merging_off_is_found() {
    for version in VERSIONS {
        let sim = settled(version).await;
        let path = "/schedulers/balance-region-scheduler";
        assert_eq!(request(&sim, "POST", path, r#"{"delay":300}"#).await, 200);
        check(&sim, merges(None), &[]).await;
        assert!(sim.set_schedule("merge-schedule-limit", 0));
        check(&sim, merges(None), &["schedule_limit_zero"]).await;

        let sim = settled(version).await;
        assert!(sim.set_schedule("max-merge-region-size", 0));
        check(&sim, merges(None), &["merge_size_zero"]).await;

        let sim = settled(version).await;
        assert_eq!(
            request(&sim, "POST", "/checker/merge", r#"{"delay":300}"#).await,
            200
        );
        check(&sim, merges(None), &["checker_paused"]).await;

        let sim = stepped(version).start().await.unwrap();
        check(&sim, merges(None), &["merge_too_early"]).await;
    }
}

#[tokio::test]
async fn what_keeps_one_region_from_being_merged_is_found() {
    for version in VERSIONS {
        let sim = settled(version).await;
        let (id, ..) = region(&sim);
        check(&sim, merges(Some(id)), &["region_not_small"]).await;

        sim.set_region_size(id, 1);
        let path = format!("/region/id/{id}");
        let neighbour = next(&sim, id);
        let peer = sim.peers(neighbour)[0].store_id;
        sim.set_pending(neighbour, peer, true);
        let found = check(&sim, merges(Some(id)), &["merge_neighbour"]).await;
        assert_eq!(found.findings[0].about, format!("region/{neighbour}"));
        sim.set_pending(neighbour, peer, false);

        let end = crate::get(&sim, &path).await["end_key"].clone();
        let rule = json!({"id": "table", "rule_type": "key-range",
            "labels": [{"key": "merge_option", "value": "deny"}],
            "data": [{"start_key": "", "end_key": end}]});
        let path = "/config/region-label/rule";
        assert_eq!(
            request(&sim, "POST", path, &Value::to_string(&rule)).await,
            200
        );
        check(&sim, merges(Some(id)), &["merge_denied", "merge_border"]).await;
    }
}

#[test]
fn merges_are_not_asked_of_stores() {
    let mut registry = ActionRegistry::new();
    let pd = pd_client::Client::new("http://127.0.0.1:1").unwrap();
    registry.register(operator_tikv::Tikv::new(pd)).unwrap();
    let given = json!({"from_store_id": 4, "what": "merges"});
    let error = registry.validate("why", given).unwrap_err();
    assert_eq!(error.problems()[0].pointer, "/what");
}

#[tokio::test]
async fn no_replica_or_leader_is_looked_at_for_a_merge() {
    let sim = settled(Version::V8_5).await;
    for store in 1..=5 {
        sim.set_evicting(store, true);
    }
    let (id, ..) = region(&sim);
    let found = why(&sim, merges(Some(id))).await;
    assert!(
        found
            .findings
            .iter()
            .all(|one| one.code != "no_leader_target"),
        "{found:?}"
    );
}
