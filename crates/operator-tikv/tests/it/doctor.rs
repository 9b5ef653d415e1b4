//! What was left behind: each leftover is left, and exactly its code is found.

use std::time::Duration;

use action_core::{ActionRegistry, Observation};
use operator_tikv::{Doctor, Leftovers};
use pd_sim::{Fault, PlacementRule, Role, RuleRole, Sim, StoreState, Version};
use serde_json::{Value, json};

use crate::{VERSIONS, altered, altered_store, region, request, stepped, tikv};

/// Looks, which changes nothing. What fixes a finding is an action that takes its parameters.
async fn look(sim: &Sim) -> Leftovers {
    let (before, writes) = (sim.received_total(), sim.writes().len());
    let mut registry = ActionRegistry::new();
    registry.register(tikv(sim)).unwrap();
    let found = Doctor {}.observe(&tikv(sim)).await.unwrap();
    let reads = sim.received_total() - before;
    assert!(reads <= 31, "{reads} reads");
    assert_eq!(sim.writes().len(), writes);
    for finding in &found.findings {
        assert!(!finding.evidence.is_empty(), "{finding:?}");
        if let Some(fix) = &finding.fix {
            let parameters = Value::Object(fix.parameters.clone());
            registry.validate(&fix.name, parameters.clone()).unwrap();
            // An effect is told by the key of the mutation that would leave it, or whose undo this is.
            let effect = registry.lasting_effect(&fix.name, parameters).unwrap();
            assert!(
                effect.is_none() || effect == finding.lasting_effect,
                "{finding:?}: {effect:?}"
            );
        }
    }
    found
}

/// Exactly these codes are found.
async fn check(sim: &Sim, codes: &[&str]) -> Leftovers {
    let found = look(sim).await;
    let got: Vec<&str> = found.findings.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(got, codes, "{:#?}", found.findings);
    found
}

#[tokio::test]
async fn a_tidy_cluster_has_no_leftovers() {
    for version in VERSIONS {
        let sim = stepped(version).members(3).start().await.unwrap();
        let found = check(&sim, &[]).await;
        assert!(!found.cut && found.unknown.is_empty(), "{found:?}");
    }
}

#[tokio::test]
async fn a_drain_that_may_be_somebodys_is_shown_and_one_of_no_store_can_be_stopped() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_evicting(4, true);
        let found = check(&sim, &["drain_left"]).await;
        let drain = &found.findings[0];
        assert_eq!(drain.lasting_effect.as_deref(), Some("evict-leader/4"));
        // Somebody may be at work there: it is named, and not offered ready to run.
        assert!(drain.fix.is_none() && drain.next.contains("`stop_drain`"));

        sim.set_store_state(4, StoreState::Tombstone);
        let found = check(&sim, &["drain_of_no_store"]).await;
        let fix = found.findings[0].fix.as_ref().unwrap();
        assert_eq!(fix.name, "stop_drain");
        assert_eq!(
            Value::Object(fix.parameters.clone()),
            json!({"store_id": "4"})
        );
    }
}

#[tokio::test]
async fn an_empty_drain_is_found() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_evicting(4, true);
    let list = "/scheduler-config/evict-leader-scheduler/list";
    altered(&sim, list, |config| config["store-id-ranges"] = json!({})).await;
    check(&sim, &["empty_drain"]).await;
}

#[tokio::test]
async fn switched_off_scheduling_shows_pds_default_and_guesses_no_value() {
    for version in VERSIONS {
        for item in [
            "leader-schedule-limit",
            "region-schedule-limit",
            "replica-schedule-limit",
            "merge-schedule-limit",
            "hot-region-schedule-limit",
        ] {
            let sim = stepped(version).start().await.unwrap();
            let default = sim.limit_in_force(item);
            sim.set_schedule(item, 0);
            let found = check(&sim, &["schedule_limit_zero"]).await;
            let zero = &found.findings[0];
            assert!(zero.fix.is_none(), "{zero:?}");
            assert_eq!(zero.evidence[1].value, json!(default), "{version:?}");
            let effect = format!("config/schedule.{item}");
            assert_eq!(zero.lasting_effect.as_ref(), Some(&effect));
        }
        let sim = stepped(version).start().await.unwrap();
        let is_set = sim.set_schedule("halt-scheduling", "true");
        assert!(is_set || sim.set_schedule("halt-scheduling", true));
        check(&sim, &["scheduling_halted"]).await;
    }
}

#[tokio::test]
async fn an_override_is_found_whichever_way_it_goes() {
    for version in VERSIONS {
        for value in [1, 9] {
            let sim = stepped(version).start().await.unwrap();
            let body = format!(r#"{{"schedule.leader-schedule-limit":{value}}}"#);
            assert_eq!(
                request(&sim, "POST", "/config?ttlSecond=600", &body).await,
                200
            );
            let found = check(&sim, &["ttl_override"]).await;
            let values: Vec<&Value> = found.findings[0]
                .evidence
                .iter()
                .map(|one| &one.value)
                .collect();
            assert_eq!(values, [&json!(value), &json!(4)], "{version:?}");
            // By then PD's clock, which the test moves, is ahead of the local clock.
            sim.advance(Duration::from_secs(601));
            check(&sim, &["clock_skew"]).await;
        }
    }
}

#[tokio::test]
async fn pauses_that_were_left_are_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        for (path, body) in [
            ("/schedulers/balance-region-scheduler", r#"{"delay":3000}"#),
            ("/checker/merge", r#"{"delay":3000}"#),
        ] {
            assert_eq!(request(&sim, "POST", path, body).await, 200);
        }
        let found = check(&sim, &["scheduler_paused", "checker_paused"]).await;
        let effects: Vec<_> = found
            .findings
            .iter()
            .map(|one| one.lasting_effect.as_deref().unwrap())
            .collect();
        let expected = [
            "pause-scheduler/balance-region-scheduler",
            "pause-checker/merge",
        ];
        assert_eq!(effects, expected);
        // By then PD's clock, which the test moves, is ahead of the local clock.
        sim.advance(Duration::from_secs(3_001));
        check(&sim, &["clock_skew"]).await;
    }
}

#[tokio::test]
async fn stores_that_do_not_come_back_or_do_not_get_empty_are_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_heartbeat_age(2, Duration::from_secs(7_200));
        // PD replaces what is on it by itself: nothing has to be asked for.
        let codes = ["store_down_long", "store_being_replaced", "leader_silent"];
        let found = check(&sim, &codes).await;
        let leads = format!("leads {} regions", sim.leader_count(2));
        assert!(found.findings[2].text.contains(&leads), "{found:?}");
        let next = found.findings.iter().map(|one| one.next.as_str());
        assert!(
            next.into_iter().all(|next| !next.contains("offline")),
            "{found:?}"
        );
        let sim = stepped(version).start().await.unwrap();
        sim.set_heartbeat_age(2, Duration::from_secs(60));
        check(&sim, &["store_disconnected", "leader_silent"]).await;
        for id in sim.region_ids() {
            let other = sim.peers(id).into_iter().find(|peer| peer.store_id != 2);
            sim.set_leader(id, other.unwrap().store_id);
        }
        check(&sim, &["store_disconnected"]).await;
    }
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_store_state(3, StoreState::Offline);
    let found = look(&sim).await;
    let codes: Vec<&str> = found.findings.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["store_offline_long"], "{found:?}");
}

/// What holds the last region on it is named.
#[tokio::test]
async fn a_store_that_does_not_get_empty_says_which_region_holds_it() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, other, _) = region(&sim);
        sim.set_leader(id, 0);
        sim.set_store_state(other, StoreState::Offline);
        let codes = ["store_offline_long", "region_without_leader"];
        let found = check(&sim, &codes).await;
        assert_eq!(found.findings[1].about, format!("region/{id}"));
    }
}

#[tokio::test]
async fn a_limit_left_behind_by_an_offline_is_found() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    // What stands below `/config` is answered as before.
    altered(&sim, "/config/placement-rule", |_| {}).await;
    altered(&sim, "/config", |config| {
        config["schedule"]["store-limit"]["3"]["remove-peer"] = json!(100_000_000);
    })
    .await;
    let found = check(&sim, &["remove_limit_left"]).await;
    // What it was before nobody knows: the next step says PD's default.
    assert!(found.findings[0].fix.is_none());
    assert!(found.findings[0].next.contains("15 per minute"));
}

#[tokio::test]
async fn a_move_that_was_not_finished_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, _, free) = region(&sim);
        sim.add_peer(id, free, Role::Learner);
        let found = check(&sim, &["half_moved"]).await;
        assert_eq!(found.findings[0].about, format!("region/{id}"));
        // An operator that PD began meanwhile is at work on it.
        let operator = format!(
            r#"["remove-orphan-peer {{rm peer: store [{free}]}} (kind:region, region:{id}(1, 1), createAt:2026-01-01 00:00:00 +0000 UTC m=+1.0, startAt:2026-01-01 00:00:00 +0000 UTC m=+1.0, currentStep:0, size:1, steps:[0:{{remove peer on store {free}}}], timeout:[10m0s])"]"#
        );
        let begun = Fault::answer("GET", "/operators", 200, "application/json", &operator);
        sim.fault(begun.after(1).always());
        check(&sim, &[]).await;
        // Learners belong on TiFlash.
        let sim = stepped(version).start().await.unwrap();
        sim.set_labels(free, [("engine", "tiflash")]);
        sim.remove_peer(id, sim.peers(id)[1].store_id);
        sim.add_peer(id, free, Role::Learner);
        let codes = look(&sim).await;
        assert!(codes.findings.is_empty(), "{version:?}: {codes:?}");
    }
}

#[tokio::test]
async fn mixed_and_unknown_versions_are_found() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    altered_store(&sim, 3, |store| store["store"]["version"] = json!("7.5.7")).await;
    check(&sim, &["version_mismatch"]).await;

    let sim = stepped(Version::V8_5).start().await.unwrap();
    altered(&sim, "/version", |version| {
        version["version"] = json!("None")
    })
    .await;
    check(&sim, &["version_unknown"]).await;
}

#[tokio::test]
async fn clocks_that_differ_are_found() {
    let hour = Duration::from_secs(3_600);
    let start = std::time::SystemTime::now() + hour;
    let sim = stepped(Version::V8_5)
        .start_time(start)
        .start()
        .await
        .unwrap();
    let found = check(&sim, &["clock_skew"]).await;
    assert!(
        found.findings[0].text.contains("ahead of the local clock"),
        "{found:?}"
    );
}

/// What somebody set and forgot, or what PD does by itself.
#[tokio::test]
async fn what_holds_a_cluster_back_is_found() {
    for version in VERSIONS {
        for (path, body, codes) in [
            (
                "/schedulers",
                r#"{"name":"shuffle-region-scheduler"}"#,
                &["scheduler_left"][..],
            ),
            (
                "/store/3/limit",
                r#"{"type":"add-peer","rate":0.0001}"#,
                &["store_limit_low"],
            ),
            (
                "/store/3/weight",
                r#"{"leader":0,"region":1}"#,
                &["store_weight_zero"],
            ),
            (
                "/config",
                r#"{"max-merge-region-size":0}"#,
                &["merge_size_zero"],
            ),
        ] {
            let sim = stepped(version).start().await.unwrap();
            assert_eq!(
                request(&sim, "POST", path, body).await,
                200,
                "{version:?} {path}"
            );
            check(&sim, codes).await;
        }
        let sim = stepped(version).members(3).start().await.unwrap();
        altered(&sim, "/health", |members| {
            members[2]["health"] = json!(false)
        })
        .await;
        check(&sim, &["pd_member_down"]).await;
        let sim = stepped(version).start().await.unwrap();
        altered(&sim, "/config/placement-rule", |groups| {
            groups[0]["rules"][0]["count"] = json!(7);
        })
        .await;
        altered(&sim, "/config", |config| {
            config["replication"]["max-replicas"] = json!(7);
        })
        .await;
        check(&sim, &["too_few_stores"]).await;
    }
}

/// A rule asks for more than the stores can hold: by their labels, or apart from each other.
#[tokio::test]
async fn a_rule_that_no_stores_are_there_for_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_labels(1, [("zone", "z1")]);
        for (store, zone) in [(2, "z2"), (3, "z2"), (4, "z2"), (5, "z2")] {
            sim.set_labels(store, [("zone", zone)]);
        }
        let voters = || PlacementRule::new("default", RuleRole::Voter, 3);
        sim.set_rules([voters().label_in("zone", ["z1"])]).unwrap();
        let found = check(&sim, &["rule_unsatisfiable"]).await;
        let short = &found.findings[0];
        assert_eq!(short.about, "rule/pd/default");
        assert!(
            short.text.contains("3 replicas, but 1 store matches it"),
            "{short:?}"
        );

        // One that is silent fits all the same; one that is being emptied does not, and what it
        // holds has no place elsewhere, which is told of it.
        sim.set_rules([voters().label_not_in("zone", ["z1"])])
            .unwrap();
        check(&sim, &[]).await;
        sim.set_heartbeat_age(2, Duration::from_secs(60));
        check(&sim, &["store_disconnected", "leader_silent"]).await;
        sim.set_heartbeat_age(2, Duration::ZERO);
        sim.set_rules([
            PlacementRule::new("default", RuleRole::Voter, 4).label_not_in("zone", ["z1"])
        ])
        .unwrap();
        sim.set_store_state(5, StoreState::Offline);
        let found = look(&sim).await;
        let codes: Vec<&str> = found.findings.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["store_offline_long", "no_free_store"], "{found:?}");

        let sim = stepped(version).start().await.unwrap();
        for store in 1..=5 {
            sim.set_labels(store, [("zone", if store < 3 { "z1" } else { "z2" })]);
        }
        altered(&sim, "/config/placement-rule", |groups| {
            groups[0]["rules"][0]["location_labels"] = json!(["zone"]);
            groups[0]["rules"][0]["isolation_level"] = json!("zone");
        })
        .await;
        let found = check(&sim, &["rule_unsatisfiable"]).await;
        let text = &found.findings[0].text;
        assert!(text.contains("no two with the same `zone`"), "{text}");
        assert!(text.contains("have only 2"), "{text}");
    }
}

/// That PD keeps leaders from a slow store is nowhere else to be seen.
#[tokio::test]
async fn a_store_that_pd_finds_slow_is_found() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let path = "/scheduler-config/evict-slow-store-scheduler/list";
    let shown = r#"{"recovery-duration":600,"evict-stores":[3]}"#;
    sim.fault(Fault::answer("GET", path, 200, "application/json", shown).always());
    let found = check(&sim, &["store_evicted"]).await;
    assert_eq!(found.findings[0].about, "store/3");
}

/// A store that somebody takes offline is shown while it goes well, with its effect.
#[tokio::test]
async fn a_store_that_is_being_emptied_is_shown() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_store_state(3, StoreState::Offline);
        let progress = r#"{"action":"removing","store_id":3,"progress":0.5,"current_speed":3.1,"left_seconds":9}"#;
        let path = "/stores/progress";
        sim.fault(Fault::answer("GET", path, 200, "application/json", progress).always());
        let found = check(&sim, &["store_being_emptied"]).await;
        assert_eq!(
            found.findings[0].lasting_effect.as_deref(),
            Some("offline/3")
        );
    }
}

/// PD's speed is an average over ten minutes at least: it is above 0 while nothing moves any more.
#[tokio::test]
async fn what_holds_the_last_region_is_found_whatever_speed_pd_shows() {
    let progress =
        r#"{"action":"removing","store_id":3,"progress":0.9,"current_speed":3.1,"left_seconds":9}"#;
    let shown = || Fault::answer("GET", "/stores/progress", 200, "application/json", progress);
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let on_three = |id: &u64| sim.peers(*id).iter().any(|peer| peer.store_id == 3);
        let id = sim.region_ids().into_iter().find(on_three).unwrap();
        sim.set_leader(id, 0);
        sim.set_store_state(3, StoreState::Offline);
        sim.fault(shown().always());
        for _ in 0..30 {
            sim.advance(Duration::from_secs(60));
        }
        let found = look(&sim).await;
        let codes: Vec<&str> = found.findings.iter().map(|one| one.code.as_str()).collect();
        let expected = ["store_being_emptied", "region_without_leader"];
        assert_eq!(codes[..2], expected, "{version:?}: {found:?}");
        let text = &found.findings[0].text;
        assert!(text.contains("1 replica is still on it"), "{text}");
    }
    // What moves replicas off the store holds none of them.
    let sim = stepped(Version::V8_5).start().await.unwrap();
    for store in 1..=5 {
        sim.set_ignores_operators(store, true);
    }
    sim.set_store_state(3, StoreState::Offline);
    let check = async || {
        let found = look(&sim).await;
        let mut codes = found.findings.iter().map(|one| one.code.as_str());
        assert_eq!(codes.next(), Some("store_being_emptied"), "{found:?}");
        assert!(codes.all(|code| code != "operator_in_the_way"), "{found:?}");
    };
    sim.advance(Duration::from_secs(5));
    let operators = crate::get(&sim, "/operators").await;
    assert_ne!(operators, json!([]));
    // Nothing has arrived yet, and operators run: that is no standstill.
    check().await;
    sim.fault(shown().always());
    check().await;
}
