//! What keeps leaders and replicas from a store, or on it.

use std::time::Duration;

use operator_tikv::Moving;
use pd_sim::{Sim, StoreState, Version};
use serde_json::json;

use super::{check, from, to};
use crate::{VERSIONS, altered, altered_store, region, stepped};

#[tokio::test]
async fn what_keeps_things_from_a_store_is_found() {
    type Fixture = fn(&Sim, u64);
    let cases: [(&str, Moving, Fixture); 7] = [
        ("store_offline", Moving::Anything, |sim, id| {
            sim.set_store_state(id, StoreState::Offline)
        }),
        ("store_removed", Moving::Anything, |sim, id| {
            sim.set_store_state(id, StoreState::Tombstone)
        }),
        ("store_disconnected", Moving::Anything, |sim, id| {
            sim.set_heartbeat_age(id, Duration::from_secs(60))
        }),
        ("store_down", Moving::Anything, |sim, id| {
            sim.set_heartbeat_age(id, Duration::from_secs(3_600))
        }),
        ("store_drained", Moving::Leaders, |sim, id| {
            sim.set_evicting(id, true)
        }),
        ("store_drained", Moving::Anything, |sim, id| {
            sim.set_evicting(id, true)
        }),
        ("store_tiflash", Moving::Leaders, |sim, id| {
            sim.set_labels(id, [("engine", "tiflash")])
        }),
    ];
    for version in VERSIONS {
        for (code, what, fixture) in cases {
            let sim = stepped(version).start().await.unwrap();
            fixture(&sim, 3);
            check(&sim, to(3, what), &[code]).await;
        }
        let sim = stepped(version).start().await.unwrap();
        check(&sim, to(77, Moving::Anything), &["store_not_found"]).await;
        check(&sim, from(77, Moving::Anything), &["store_not_found"]).await;
    }
}

/// What the simulated stores do not do by themselves is put into PD's answer.
#[tokio::test]
async fn what_a_store_reports_of_itself_is_found() {
    for (code, what, member, value) in [
        ("store_busy", Moving::Anything, "is_busy", json!(true)),
        ("store_slow", Moving::Leaders, "slow_score", json!(80)),
        (
            "store_refuses_leaders",
            Moving::Leaders,
            "pause_leader_transfer_in",
            json!(true),
        ),
        (
            "store_low_space",
            Moving::Replicas,
            "available",
            json!("1GiB"),
        ),
        (
            "store_crowded",
            Moving::Replicas,
            "receiving_snap_count",
            json!(65),
        ),
        (
            "store_crowded",
            Moving::Replicas,
            "pending_peer_count",
            json!(65),
        ),
    ] {
        let sim = stepped(Version::V9_0).start().await.unwrap();
        altered_store(&sim, 3, |store| store["status"][member] = value.clone()).await;
        check(&sim, to(3, what), &[code]).await;
    }
    // Just fast enough.
    let sim = stepped(Version::V9_0).start().await.unwrap();
    altered_store(&sim, 3, |store| store["status"]["slow_score"] = json!(79)).await;
    check(&sim, to(3, Moving::Leaders), &[]).await;
}

#[tokio::test]
async fn a_stores_limit_of_zero_is_found() {
    for (kind, asked) in [
        ("add-peer", to(3, Moving::Replicas)),
        ("remove-peer", from(3, Moving::Replicas)),
    ] {
        let sim = stepped(Version::V8_5).start().await.unwrap();
        sim.set_store_state(
            3,
            if kind == "add-peer" {
                StoreState::Up
            } else {
                StoreState::Offline
            },
        );
        altered(&sim, "/config", |config| {
            config["schedule"]["store-limit"]["3"][kind] = json!(0);
        })
        .await;
        check(&sim, asked, &["store_limit_zero"]).await;
    }
}

#[tokio::test]
async fn labels_that_refuse_leaders_are_found() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_labels(3, [("zone", "far")]);
    check(&sim, to(3, Moving::Leaders), &[]).await;
    altered(&sim, "/config", |config| {
        config["label-property"] = json!({"reject-leader": [{"key": "zone", "value": "far"}]});
    })
    .await;
    check(&sim, to(3, Moving::Leaders), &["store_refuses_leaders"]).await;
}

#[tokio::test]
async fn a_store_that_nothing_asks_to_leave_is_told() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        check(&sim, from(3, Moving::Leaders), &["nothing_asks"]).await;
        sim.set_evicting(3, true);
        for other in [1, 2, 4, 5] {
            sim.set_evicting(other, true);
        }
        check(&sim, from(3, Moving::Leaders), &["no_leader_target"]).await;
    }
}

/// The last regions on a store that is being drained are named, where PD can list them.
#[tokio::test]
async fn regions_that_block_a_drain_are_named() {
    for version in [Version::V8_5, Version::V9_0] {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, ..) = region(&sim);
        for peer in sim.peers(id) {
            if peer.store_id != leader {
                sim.set_down(id, peer.store_id, Some(Duration::from_secs(400)));
            }
        }
        sim.set_evicting(leader, true);
        let found = check(&sim, from(leader, Moving::Leaders), &["drain_blocked"]).await;
        let text = &found.findings[0].text;
        assert!(
            text.contains(&format!("region {id}")),
            "{version:?}: {text}"
        );
    }
}
