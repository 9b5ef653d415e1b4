//! What keeps leaders and replicas from a store, or on it.

use std::time::Duration;

use operator_tikv::Moving;
use pd_sim::{Fault, ForeignOperator, PlacementRule, Role, RuleRole, Sim, StoreState, Version};
use serde_json::json;

use super::{check, from, to};
use crate::harness::Run;
use crate::{VERSIONS, altered, altered_store, region, request, stepped};

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
        // What stands below `/config` is answered as before.
        altered(&sim, "/config/placement-rule", |_| {}).await;
        altered(&sim, "/config", |config| {
            config["schedule"]["store-limit"]["3"][kind] = json!(0);
        })
        .await;
        check(&sim, asked, &["store_limit_zero"]).await;
    }
}

#[tokio::test]
async fn a_limit_or_a_weight_that_lets_next_to_nothing_through_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let limit = r#"{"type":"add-peer","rate":0.0001}"#;
        assert_eq!(request(&sim, "POST", "/store/3/limit", limit).await, 200);
        let found = check(&sim, to(3, Moving::Replicas), &["store_limit_low"]).await;
        assert!(found.findings[0].text.contains("0.0001"), "{found:?}");

        let sim = stepped(version).start().await.unwrap();
        let weights = r#"{"leader":0,"region":0}"#;
        assert_eq!(request(&sim, "POST", "/store/3/weight", weights).await, 200);
        check(&sim, to(3, Moving::Leaders), &["store_weight_zero"]).await;
        check(&sim, to(3, Moving::Replicas), &["store_weight_zero"]).await;
        // Not why one region does not go there.
        let (id, _, _, free) = region(&sim);
        let asked = operator_tikv::Why {
            region_id: Some(crate::region_id(id)),
            ..to(free, Moving::Replicas)
        };
        check(&sim, asked, &[]).await;
    }
}

#[tokio::test]
async fn labels_that_refuse_leaders_are_found() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_labels(3, [("zone", "far")]);
    check(&sim, to(3, Moving::Leaders), &[]).await;
    altered(&sim, "/config/placement-rule", |_| {}).await;
    altered(&sim, "/config", |config| {
        config["label-property"] = json!({"reject-leader": [{"key": "zone", "value": "far"}]});
    })
    .await;
    check(&sim, to(3, Moving::Leaders), &["store_refuses_leaders"]).await;
}

/// Rules that bar a store everywhere are why nothing comes to it; each is named, with what it wants.
#[tokio::test]
async fn a_store_that_no_rule_takes_is_told() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_labels(3, [("disk", "slow")]);
        let rule = |id, role| PlacementRule::new(id, role, 1);
        let says = async |what, words: &str| {
            let found = check(&sim, to(3, what), &["rule_forbids_store"]).await;
            let text = &found.findings[0].text;
            assert!(text.contains(words), "{version:?}: {text}");
        };
        let voters = rule("voters", RuleRole::Voter).label_not_in("disk", ["slow"]);
        sim.set_rules([voters.clone()]).unwrap();
        let wants = "store 3 hold any replica: `pd/voters` requires `disk` not in slow";
        says(Moving::Replicas, wants).await;
        says(Moving::Anything, wants).await;
        let wants = "store 3 lead any region: `pd/voters` requires `disk` not in slow";
        says(Moving::Leaders, wants).await;
        check(&sim, to(2, Moving::Anything), &[]).await;
        // It may hold what may not lead.
        sim.set_rules([voters, rule("learners", RuleRole::Learner)])
            .unwrap();
        says(Moving::Leaders, wants).await;
        check(&sim, to(3, Moving::Replicas), &[]).await;
        says(Moving::Anything, wants).await;
        // A label that takes a store for itself.
        sim.set_labels(3, [("$mode", "own")]);
        sim.set_rules([rule("all", RuleRole::Voter)]).unwrap();
        says(Moving::Anything, "`pd/all` does not name the label `$mode`").await;
    }
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

/// Of the two actions those are named whose plans would go ahead.
#[tokio::test]
async fn what_would_be_refused_is_no_next_step() {
    let next = async |sim: &Sim, what| {
        let found = check(sim, from(3, what), &["nothing_asks"]).await;
        let next = &found.findings[0].next;
        let named = |action: &str| next.contains(action);
        (named("`drain_store`"), named("`offline_store`"))
    };
    let planned = async |sim: &Sim| {
        let store = json!({"store_id": 3});
        let drain = Run::planned(sim, "drain_store", store.clone()).await;
        let offline = Run::planned(sim, "offline_store", store).await;
        let goes = |run: Run<'_>| run.plan.verdict.may_be_sent();
        (goes(drain), goes(offline))
    };
    for version in VERSIONS {
        for stores in [5, 3] {
            let sim = stepped(version).stores(stores).start().await.unwrap();
            let (drain, offline) = planned(&sim).await;
            assert_eq!((drain, offline), (true, stores == 5), "{version:?}");
            assert_eq!(next(&sim, Moving::Anything).await, (drain, offline));
            assert_eq!(next(&sim, Moving::Leaders).await, (drain, false));
            assert_eq!(next(&sim, Moving::Replicas).await, (false, offline));
            for other in (1..=stores).filter(|other| *other != 3) {
                sim.set_evicting(other, true);
            }
            assert_eq!(planned(&sim).await, (false, false), "{version:?}");
            assert_eq!(next(&sim, Moving::Anything).await, (false, false));
        }
    }
}

/// What makes a store take leaders again is said of each, as far as anything does.
#[tokio::test]
async fn each_store_that_takes_no_leaders_says_what_would_help() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_evicting(3, true);
    sim.set_evicting(1, true);
    sim.set_heartbeat_age(2, Duration::from_secs(60));
    sim.set_store_state(4, StoreState::Offline);
    sim.set_labels(5, [("engine", "tiflash")]);
    let found = check(&sim, from(3, Moving::Leaders), &["no_leader_target"]).await;
    let found = &found.findings[0];
    for what in [
        "store 1: being drained of leaders",
        "store 2: no heartbeats",
        "store 4: offline",
        "store 5: TiFlash",
    ] {
        assert!(found.text.contains(what), "{}", found.text);
    }
    let expected = "Start store 2; find out who drains store 1, and stop the drain (`stop_drain`) once they are done.";
    assert_eq!(found.next, expected);
    sim.set_evicting(1, false);
    sim.set_store_state(1, StoreState::Offline);
    sim.set_heartbeat_age(2, Duration::ZERO);
    sim.set_store_state(2, StoreState::Offline);
    let found = check(&sim, from(3, Moving::Leaders), &["no_leader_target"]).await;
    assert_eq!(found.findings[0].next, "");
}

/// A store that was given up by force does not come back.
#[tokio::test]
async fn an_offline_is_taken_back_where_pd_lets_it() {
    let sim = stepped(Version::V8_5).stores(3).start().await.unwrap();
    let offline = async |sim: &Sim| {
        let found = super::why(sim, from(3, Moving::Replicas)).await;
        let mut found = found.findings.into_iter();
        let found = found.find(|one| one.code == "no_free_store").unwrap();
        found.next.contains("`cancel_offline`")
    };
    sim.set_store_state(3, StoreState::Offline);
    assert!(offline(&sim).await);
    altered_store(&sim, 3, |store| {
        store["store"]["physically_destroyed"] = json!(true)
    })
    .await;
    assert!(!offline(&sim).await);
}

/// PD replaces what is on a store that is down, and nobody has to ask for it; what holds it up is
/// told as of a store that is being emptied.
#[tokio::test]
async fn what_is_on_a_store_that_is_down_is_replaced_by_pd() {
    let down = async |sim: &Sim| {
        sim.set_heartbeat_age(3, Duration::from_secs(7_200));
        for id in sim.region_ids() {
            let mut peers = sim.peers(id).into_iter().map(|peer| peer.store_id);
            if sim.leader_of(id) == Some(3) {
                sim.set_leader(id, peers.find(|store| *store != 3).unwrap());
            }
        }
    };
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        down(&sim).await;
        let codes = ["store_down", "store_being_replaced"];
        let found = check(&sim, from(3, Moving::Replicas), &codes).await;
        let text = &found.findings[1].text;
        assert!(text.contains("still to be replaced by PD"), "{text}");
        // Its leaders are elected elsewhere.
        check(&sim, from(3, Moving::Leaders), &["store_down"]).await;
        // One whose leader is not known to be another is held, as on any store.
        sim.set_leader(region(&sim).0, 3);

        sim.set_schedule("replica-schedule-limit", 0);
        let codes = [
            "schedule_limit_zero",
            "store_down",
            "store_being_replaced",
            "leader_silent",
        ];
        check(&sim, from(3, Moving::Replicas), &codes).await;

        // Where the others have no place, that is told.
        let sim = stepped(version).stores(3).start().await.unwrap();
        down(&sim).await;
        let codes = ["store_down", "store_being_replaced", "no_free_store"];
        check(&sim, from(3, Moving::Replicas), &codes).await;
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

/// Sets what holds a region on a store; gets the region, its leader and the store.
type Holding = fn(&Sim, u64, u64, u64);

/// The regions that stay on a store that is being emptied are named, with what holds each.
#[tokio::test]
async fn regions_that_stay_on_an_offline_store_are_named() {
    let cases: [(&str, Holding); 5] = [
        ("region_without_leader", |sim, id, _, _| {
            sim.set_leader(id, 0)
        }),
        ("operator_in_the_way", |sim, id, leader, store| {
            sim.set_ignores_operators(leader, true);
            let operator = ForeignOperator::transfer_leader("balance-leader", id, store);
            sim.insert_operator(operator).unwrap();
        }),
        ("joint_state", |sim, id, leader, store| {
            let peers = sim.peers(id);
            let third = peers.iter().map(|peer| peer.store_id);
            let mut third = third.filter(|other| ![leader, store].contains(other));
            let third = third.next_back().unwrap();
            sim.remove_peer(id, third);
            sim.add_peer(id, third, Role::DemotingVoter);
        }),
        ("peer_down", |sim, id, leader, _| {
            sim.set_down(id, leader, Some(Duration::from_secs(400)))
        }),
        ("peer_pending", |sim, id, leader, _| {
            sim.set_pending(id, leader, true)
        }),
    ];
    for version in VERSIONS {
        for (code, hold) in cases {
            let sim = stepped(version).start().await.unwrap();
            let (id, leader, store, _) = region(&sim);
            hold(&sim, id, leader, store);
            sim.set_store_state(store, StoreState::Offline);
            let found = check(&sim, from(store, Moving::Replicas), &[code]).await;
            let held = &found.findings[0];
            assert_eq!(held.about, format!("region/{id}"), "{version:?} {held:?}");
            assert!(held.text.contains(&format!("region {id}")), "{held:?}");
        }
    }
}

#[tokio::test]
async fn regions_held_for_one_reason_are_one_finding() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let on_three = |id: &u64| sim.peers(*id).iter().any(|peer| peer.store_id == 3);
    let held: Vec<u64> = sim.region_ids().into_iter().filter(on_three).collect();
    for id in &held {
        sim.set_leader(*id, 0);
    }
    sim.set_store_state(3, StoreState::Offline);
    let found = check(&sim, from(3, Moving::Replicas), &["region_without_leader"]).await;
    let held_text = format!("{} regions (", held.len());
    assert!(found.findings[0].text.contains(&held_text), "{found:?}");
    assert_eq!(found.findings[0].about, "store/3");
}

/// PD has no limit for the list of a store's regions: of one with many only what it lists as
/// unhealthy is read.
#[tokio::test]
async fn of_an_offline_store_with_many_regions_the_unhealthy_ones_are_read() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, store, _) = region(&sim);
    sim.set_down(id, leader, Some(Duration::from_secs(400)));
    sim.set_store_state(store, StoreState::Offline);
    altered_store(&sim, store, |one| {
        one["status"]["region_count"] = json!(1_001)
    })
    .await;
    let found = check(&sim, from(store, Moving::Replicas), &["peer_down"]).await;
    assert_eq!(sim.received("GET", &format!("/regions/store/{store}")), 0);
    let unread = |what: &String| what.contains("more than 1000 regions");
    assert!(found.unknown.iter().any(unread), "{:?}", found.unknown);
}

/// From a list that lacks most of what the store holds nothing is concluded.
#[tokio::test]
async fn a_list_that_lacks_what_an_offline_store_holds_is_told() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_store_state(3, StoreState::Offline);
    let nothing = r#"{"count":0,"regions":[]}"#;
    let list = Fault::answer("GET", "/regions/store/3", 200, "application/json", nothing);
    sim.fault(list.always());
    let found = check(&sim, from(3, Moving::Replicas), &[]).await;
    let words = "PD reports 12 regions on store 3 but lists 0 of them";
    assert!(found.unknown.iter().any(|one| one == words), "{found:?}");
}

#[tokio::test]
async fn an_offline_store_that_holds_nothing_is_found() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_store_state(3, StoreState::Offline);
    altered_store(&sim, 3, |store| {
        store["status"] = json!({"capacity": "0B", "available": "0B"});
        store["store"]["last_heartbeat"] = json!(null);
    })
    .await;
    let nothing = r#"{"count":0,"regions":[]}"#;
    let list = Fault::answer("GET", "/regions/store/3", 200, "application/json", nothing);
    sim.fault(list.always());
    let found = check(&sim, from(3, Moving::Anything), &["store_offline_empty"]).await;
    assert!(
        found.findings[0].text.contains("never sent a heartbeat"),
        "{found:?}"
    );
}
