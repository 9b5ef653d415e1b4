//! Why something does not move: each cause is set, and exactly its code is found.

mod merge;
mod region;
mod store;

use action_core::{ActionRegistry, Observation};
use operator_tikv::{Explanation, Moving, Why};
use pd_sim::{Fault, ForeignOperator, Sim, Version};
use serde_json::json;

use crate::{VERSIONS, altered, region, region_id, request, stepped, store_id, tikv};

/// Asks, which takes no more than so many reads and changes nothing.
async fn why(sim: &Sim, asked: Why) -> Explanation {
    let (before, writes) = (sim.received_total(), sim.writes().len());
    let found = asked.observe(&tikv(sim)).await.unwrap();
    let reads = sim.received_total() - before;
    assert!(reads <= 29, "{reads} reads for {asked:?}");
    assert_eq!(sim.writes().len(), writes, "{asked:?}");
    for finding in &found.findings {
        assert!(!finding.evidence.is_empty(), "{finding:?}");
        // Where no step would work, none is said.
        let may_be_none = ["no_leader_target", "nothing_asks"].contains(&finding.code.as_str());
        let is_none = finding.next.is_empty() && may_be_none;
        assert!(is_none || finding.next.ends_with('.'), "{finding:?}");
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

/// A member of PD that is gone is named whatever was asked about, last.
#[tokio::test]
async fn a_member_of_pd_that_does_not_answer_is_named() {
    for version in VERSIONS {
        let sim = stepped(version).members(3).start().await.unwrap();
        altered(&sim, "/health", |members| {
            members[2]["health"] = json!(false)
        })
        .await;
        let (id, _, other, _) = region(&sim);
        for asked in [anything(), of_region(id), to(other, Moving::Leaders)] {
            let found = check(&sim, asked, &["pd_member_down"]).await;
            let text = &found.findings[0].text;
            assert!(
                text.contains("does not answer; 2 of 3 members do"),
                "{text}"
            );
        }
        sim.set_schedule("leader-schedule-limit", 0);
        let codes = ["schedule_limit_zero", "pd_member_down"];
        check(&sim, anything(), &codes).await;
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
            ("hot-region-schedule-limit", json!(0), "schedule_limit_zero"),
            ("merge-schedule-limit", json!(0), "schedule_limit_zero"),
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

/// Where etcd cannot be asked it is said that overrides are not known.
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
        assert!(found.findings[0].text.contains("paused for "), "{found:?}");
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

/// Where etcd cannot be asked it is said that overrides are not known.
#[tokio::test]
async fn figures_that_cannot_be_read_are_said() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.fault(
        Fault::answer(
            "POST",
            "/v3/kv/range",
            404,
            "text/plain",
            "404 page not found",
        )
        .always(),
    );
    let found = check(&sim, anything(), &[]).await;
    assert!(found.unknown[0].contains("override"), "{:?}", found.unknown);
}

/// A store that is being emptied waits for the rule checker, not for what balances.
#[tokio::test]
async fn limits_and_pauses_of_balancing_are_not_why_an_offline_store_keeps_replicas() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_store_state(3, pd_sim::StoreState::Offline);
        for item in ["region-schedule-limit", "leader-schedule-limit"] {
            assert!(sim.set_schedule(item, 0));
        }
        let path = "/schedulers/balance-region-scheduler";
        assert_eq!(request(&sim, "POST", path, r#"{"delay":300}"#).await, 200);
        check(&sim, from(3, Moving::Replicas), &[]).await;
        check(&sim, from(3, Moving::Anything), &[]).await;
        // And it gets empty all the same.
        for _ in 0..30 {
            sim.advance(std::time::Duration::from_secs(60));
        }
        assert_eq!(sim.region_count(3), 0, "{version:?}");
        let sim = stepped(version).start().await.unwrap();
        sim.set_store_state(3, pd_sim::StoreState::Offline);
        assert!(sim.set_schedule("replica-schedule-limit", 0));
        check(&sim, from(3, Moving::Replicas), &["schedule_limit_zero"]).await;
    }
}

#[tokio::test]
async fn schedulers_that_work_against_balancing_are_found() {
    for version in VERSIONS {
        for name in ["shuffle-leader-scheduler", "random-merge-scheduler"] {
            let sim = stepped(version).start().await.unwrap();
            let body = json!({ "name": name }).to_string();
            assert_eq!(request(&sim, "POST", "/schedulers", &body).await, 200);
            let found = check(&sim, anything(), &["scheduler_left"]).await;
            assert_eq!(found.findings[0].about, format!("scheduler/{name}"));
        }
    }
}

#[tokio::test]
async fn more_replicas_than_stores_are_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        altered(&sim, "/config", |config| {
            config["replication"]["max-replicas"] = json!(6);
        })
        .await;
        check(&sim, anything(), &["too_few_stores"]).await;
    }
}

/// Only where rules are off: `replica_checker.go` alone looks at the switch.
#[tokio::test]
async fn a_switch_that_leaves_replicas_where_they_are_is_found_where_it_decides() {
    for (rules, codes) in [("true", &[][..]), ("false", &["location_replacement_off"])] {
        let sim = stepped(Version::V8_5).start().await.unwrap();
        altered(&sim, "/config", |config| {
            config["schedule"]["enable-location-replacement"] = json!("false");
            config["replication"]["enable-placement-rules"] = json!(rules);
        })
        .await;
        check(&sim, anything(), codes).await;
    }
}

#[tokio::test]
async fn what_pd_says_of_used_up_limits_is_found() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let path = "/schedulers/diagnostic/balance-region-scheduler";
    let says = r#"{"name":"balance-region-scheduler","status":"pending",
        "summary":"5 store(s) StoreAddPeerThrottled; ","timestamp":1795497720}"#;
    sim.fault(Fault::answer("GET", path, 200, "application/json", says).always());
    let found = check(&sim, anything(), &["scheduler_throttled"]).await;
    assert!(found.findings[0].text.contains("StoreAddPeerThrottled"));
}
