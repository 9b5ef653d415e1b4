//! Why something does not move: each cause is set, and exactly its code is found.

use std::time::Duration;

use action_core::{ActionRegistry, Observation};
use operator_tikv::{Explanation, Moving, Why};
use pd_sim::{Fault, ForeignOperator, PlacementRule, Role, RuleRole, Sim, StoreState, Version};
use serde_json::json;

use crate::{
    VERSIONS, altered, altered_store, region, region_id, request, stepped, store_id, tikv,
};

/// Asks, which takes no more than so many reads and changes nothing.
async fn why(sim: &Sim, asked: Why) -> Explanation {
    let (before, writes) = (sim.received_total(), sim.writes().len());
    let found = asked.observe(&tikv(sim)).await.unwrap();
    let reads = sim.received_total() - before;
    assert!(reads <= 25, "{reads} reads for {asked:?}");
    assert_eq!(sim.writes().len(), writes, "{asked:?}");
    for finding in &found.findings {
        assert!(!finding.evidence.is_empty(), "{finding:?}");
        assert!(finding.next.ends_with('.'), "{finding:?}");
    }
    found
}

/// Exactly these codes are found.
async fn check(sim: &Sim, asked: Why, codes: &[&str]) -> Explanation {
    let found = why(sim, asked.clone()).await;
    let got: Vec<&str> = found.findings.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(got, codes, "{asked:?}: {:#?}", found.findings);
    found
}

fn anything() -> Why {
    Why::default()
}

fn of_region(id: u64) -> Why {
    Why {
        region_id: Some(region_id(id)),
        ..Why::default()
    }
}

fn from(id: u64, what: Moving) -> Why {
    Why {
        from_store_id: Some(store_id(id)),
        what,
        ..Why::default()
    }
}

fn to(id: u64, what: Moving) -> Why {
    Why {
        to_store_id: Some(store_id(id)),
        what,
        ..Why::default()
    }
}

#[tokio::test]
async fn nothing_is_found_where_nothing_is_in_the_way() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, other, free) = region(&sim);
        check(&sim, anything(), &[]).await;
        check(&sim, of_region(id), &[]).await;
        check(&sim, to(other, Moving::Leaders), &[]).await;
        check(&sim, to(free, Moving::Replicas), &[]).await;
        let both = Why {
            region_id: Some(region_id(id)),
            from_store_id: Some(store_id(leader)),
            to_store_id: Some(store_id(other)),
            what: Moving::Leaders,
        };
        check(&sim, both, &[]).await;
        let replica = Why {
            region_id: Some(region_id(id)),
            from_store_id: Some(store_id(leader)),
            to_store_id: Some(store_id(free)),
            what: Moving::Replicas,
        };
        check(&sim, replica, &[]).await;
        // A drain that gets on.
        sim.set_evicting(leader, true);
        check(&sim, from(leader, Moving::Leaders), &[]).await;
    }
}

#[tokio::test]
async fn switched_off_scheduling_is_found() {
    for version in VERSIONS {
        for (item, value, code) in [
            ("halt-scheduling", json!(true), "scheduling_halted"),
            ("leader-schedule-limit", json!(0), "schedule_limit_zero"),
            ("region-schedule-limit", json!(0), "schedule_limit_zero"),
            ("replica-schedule-limit", json!(0), "schedule_limit_zero"),
        ] {
            let sim = stepped(version).start().await.unwrap();
            let is_set =
                sim.set_schedule(item, value.clone()) || sim.set_schedule(item, value.to_string());
            assert!(is_set, "{version:?} {item}");
            let found = check(&sim, anything(), &[code]).await;
            let effect = format!("config/schedule.{item}");
            assert_eq!(found.findings[0].lasting_effect.as_ref(), Some(&effect));
        }
        // Leaders do not wait for replicas.
        let sim = stepped(version).start().await.unwrap();
        sim.set_schedule("replica-schedule-limit", 0);
        let leaders = Why {
            what: Moving::Leaders,
            ..Why::default()
        };
        check(&sim, leaders, &[]).await;
    }
}

#[tokio::test]
async fn a_limit_that_is_used_up_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        for store in 1..=5 {
            sim.set_ignores_operators(store, true);
        }
        sim.set_schedule("leader-schedule-limit", 2);
        for id in &sim.region_ids()[..2] {
            let leader = sim.leader_of(*id).unwrap();
            let peers = sim.peers(*id);
            let target = peers.iter().find(|peer| peer.store_id != leader).unwrap();
            let operator = ForeignOperator::transfer_leader("balance-leader", *id, target.store_id);
            sim.insert_operator(operator).unwrap();
        }
        check(&sim, anything(), &["schedule_limit_used_up"]).await;
    }
}

/// `GET /config` shows 4 all the while.
#[tokio::test]
async fn an_override_that_lowers_a_limit_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let set = |value: u64| format!(r#"{{"schedule.leader-schedule-limit":{value}}}"#);
        let path = "/config?ttlSecond=600";
        assert_eq!(request(&sim, "POST", path, &set(1)).await, 200);
        let found = check_after_write(&sim, &["ttl_override"]).await;
        assert!(found.unknown.iter().all(|what| !what.contains("override")));
        // One that raises it is in nobody's way.
        assert_eq!(request(&sim, "POST", path, &set(9)).await, 200);
        check_after_write(&sim, &[]).await;
    }
}

async fn check_after_write(sim: &Sim, codes: &[&str]) -> Explanation {
    let asked = Why {
        what: Moving::Leaders,
        ..Why::default()
    };
    check(sim, asked, codes).await
}

/// Without the leader's own figures it is said that overrides are not known.
#[tokio::test]
async fn what_could_not_be_read_is_said() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let found = why(&sim, anything()).await;
    assert!(found.unknown.iter().all(|what| !what.contains("override")));
    let (id, ..) = region(&sim);
    let found = why(&sim, of_region(id)).await;
    assert!(
        found
            .unknown
            .iter()
            .any(|what| what.contains("TiKV itself"))
    );
}

#[tokio::test]
async fn pauses_and_removals_are_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let path = "/schedulers/balance-leader-scheduler";
        assert_eq!(request(&sim, "POST", path, r#"{"delay":300}"#).await, 200);
        let found = check(&sim, anything(), &["scheduler_paused"]).await;
        let effect = "pause-scheduler/balance-leader-scheduler";
        assert_eq!(found.findings[0].lasting_effect.as_deref(), Some(effect));
        assert!(found.findings[0].text.contains("goes on in "), "{found:?}");
        check(&sim, to(1, Moving::Replicas), &[]).await;

        let sim = stepped(version).start().await.unwrap();
        let path = "/schedulers/balance-region-scheduler";
        assert_eq!(request(&sim, "DELETE", path, "").await, 200);
        check(&sim, anything(), &["scheduler_removed"]).await;

        let sim = stepped(version).start().await.unwrap();
        assert_eq!(
            request(&sim, "POST", "/checker/rule", r#"{"delay":300}"#).await,
            200
        );
        check(&sim, anything(), &["checker_paused"]).await;
    }
}

/// Sets a cause about a region; gets its id, its leader, another voter, and a free store.
type Fixture = fn(&Sim, u64, u64, u64, u64);

#[tokio::test]
async fn what_is_in_the_way_of_a_region_is_found() {
    let cases: [(&str, Fixture); 7] = [
        ("region_without_leader", |sim, id, _, _, _| {
            sim.set_leader(id, 0)
        }),
        ("leader_silent", |sim, _, leader, _, _| {
            sim.set_heartbeat_age(leader, Duration::from_secs(60))
        }),
        ("peer_pending", |sim, id, _, other, _| {
            sim.set_pending(id, other, true)
        }),
        ("peer_down", |sim, id, _, other, _| {
            sim.set_down(id, other, Some(Duration::from_secs(400)))
        }),
        ("operator_in_the_way", |sim, id, _, other, _| {
            sim.set_ignores_operators(sim.leader_of(id).unwrap(), true);
            let operator = ForeignOperator::transfer_leader("balance-leader", id, other);
            sim.insert_operator(operator).unwrap();
        }),
        ("rules_unsatisfied", |sim, id, _, other, _| {
            sim.remove_peer(id, other)
        }),
        ("no_leader_target", |sim, id, leader, _, _| {
            for peer in sim.peers(id) {
                if peer.store_id != leader {
                    sim.set_evicting(peer.store_id, true);
                }
            }
        }),
    ];
    for version in VERSIONS {
        for (code, fixture) in cases {
            let sim = stepped(version).start().await.unwrap();
            let (id, leader, other, free) = region(&sim);
            fixture(&sim, id, leader, other, free);
            let found = check(&sim, of_region(id), &[code]).await;
            assert!(found.findings[0].about.starts_with("region/"), "{found:?}");
        }
        let sim = stepped(version).start().await.unwrap();
        check(
            &sim,
            of_region(9_007_199_254_740_991),
            &["region_not_found"],
        )
        .await;
    }
}

#[tokio::test]
async fn a_competing_operator_is_named() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, other, _) = region(&sim);
    sim.set_ignores_operators(leader, true);
    let operator = ForeignOperator::transfer_leader("balance-hot-leader", id, other);
    sim.insert_operator(operator).unwrap();
    let found = why(&sim, of_region(id)).await;
    assert!(
        found.findings[0].text.contains("balance-hot-leader"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_joint_state_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, other, free) = region(&sim);
        // The two roles of a region between two sets of voters.
        sim.remove_peer(id, other);
        sim.add_peer(id, other, Role::DemotingVoter);
        sim.add_peer(id, free, Role::IncomingVoter);
        let found = why(&sim, of_region(id)).await;
        assert!(
            found.findings.iter().any(|one| one.code == "joint_state"),
            "{version:?}: {found:?}"
        );
    }
}

#[tokio::test]
async fn no_free_store_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).stores(3).start().await.unwrap();
        let id = sim.region_ids()[0];
        let leader = sim.leader_of(id).unwrap();
        // As many stores as replicas is how a small cluster is.
        check(&sim, of_region(id), &[]).await;
        let leaving = Why {
            from_store_id: Some(store_id(leader)),
            what: Moving::Replicas,
            ..of_region(id)
        };
        check(&sim, leaving, &["no_free_store"]).await;
        sim.set_store_state(leader, StoreState::Offline);
        check(&sim, from(leader, Moving::Replicas), &["no_free_store"]).await;
    }
}

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
async fn where_a_region_is_decides_where_it_may_go() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, other, free) = region(&sim);
        let asked = |to: u64, what| Why {
            to_store_id: Some(store_id(to)),
            what,
            ..of_region(id)
        };
        check(&sim, asked(free, Moving::Leaders), &["no_replica_there"]).await;
        check(
            &sim,
            asked(other, Moving::Replicas),
            &["replica_already_there"],
        )
        .await;
        check(&sim, asked(other, Moving::Leaders), &[]).await;
        check(&sim, asked(free, Moving::Replicas), &[]).await;
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

#[test]
fn from_and_to_are_two_stores() {
    let mut registry = ActionRegistry::new();
    let pd = pd_client::Client::new("http://127.0.0.1:1").unwrap();
    registry.register(operator_tikv::Tikv::new(pd)).unwrap();
    let given = json!({"from_store_id": 4, "to_store_id": "4"});
    let error = registry.validate("why", given).unwrap_err();
    assert_eq!(error.problems()[0].pointer, "/to_store_id");
}

#[tokio::test]
async fn a_label_that_denies_scheduling_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let id = sim.region_ids()[0];
        let rule = r#"{"id":"quiet","labels":[{"key":"schedule","value":"deny"}],
            "rule_type":"key-range","data":[{"start_key":"","end_key":""}]}"#;
        let path = "/config/region-label/rule";
        assert_eq!(request(&sim, "POST", path, rule).await, 200);
        check(&sim, of_region(id), &["label_denies_scheduling"]).await;
    }
}

#[tokio::test]
async fn a_rule_that_forbids_a_store_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, other, free) = region(&sim);
        sim.set_labels(free, [("disk", "slow")]);
        let rules = |role| [PlacementRule::new("default", role, 3).label_not_in("disk", ["slow"])];
        sim.set_rules(rules(RuleRole::Voter)).unwrap();
        let asked = |to: u64, what| Why {
            to_store_id: Some(store_id(to)),
            what,
            ..of_region(id)
        };
        check(&sim, asked(free, Moving::Replicas), &["rule_forbids_store"]).await;
        check(&sim, asked(other, Moving::Leaders), &[]).await;
    }
}

#[tokio::test]
async fn a_maintenance_task_is_found_and_named() {
    let sim = stepped(Version::V9_0).start().await.unwrap();
    let body = r#"[{"type":"tikv-upgrade","id":"rolling-7","start_timestamp":1795497720}]"#;
    let lock = Fault::answer(
        "GET",
        "/pd/api/v2/maintenance",
        200,
        "application/json",
        body,
    );
    sim.fault(lock.always());
    let found = check(&sim, anything(), &["maintenance_lock"]).await;
    assert!(found.findings[0].text.contains("rolling-7"), "{found:?}");
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

/// Without the figures of PD's leader it is said that overrides are not known.
#[tokio::test]
async fn figures_that_cannot_be_read_are_said() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.fault(Fault::answer("GET", "/metrics", 503, "text/plain", "busy").always());
    let found = check(&sim, anything(), &[]).await;
    assert!(found.unknown[0].contains("override"), "{:?}", found.unknown);
}
