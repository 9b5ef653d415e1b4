//! What PD accepts and then does not get on with: each cause is set, the plan names it, and the
//! simulated PD, which was corrected from PD's source or what it was seen to do, does not get on.

use std::time::Duration;

use action_core::{Finding, Observation, Progress, Verdict};
use operator_tikv::{ClusterHealth, Doctor, Explanation, GetConfig, Moving, Why};
use pd_sim::{Fault, PlacementRule, RuleRole, Sim, Version};
use serde_json::{Value, json};

use crate::harness::{Run, applied, stalled};
use crate::{VERSIONS, altered, answer, get, region, request, stepped, store_id, tikv};

/// Makes a replica on a store silent; gets the region, too.
type Fixture = fn(&Sim, u64, u64);

/// The codes of what a plan says would keep it from getting on; none when nothing would.
fn causes(run: &Run<'_>) -> Vec<String> {
    match &run.plan.verdict {
        Verdict::WouldProceed => Vec::new(),
        Verdict::AcceptedButWillNotProgress { causes } | Verdict::Undecided { causes } => {
            causes.iter().map(|cause| cause.code.clone()).collect()
        }
        other => unreachable!("{}: {other:?}", run.name),
    }
}

#[track_caller]
fn proceeds(run: &Run<'_>) {
    assert_eq!(run.plan.verdict, Verdict::WouldProceed, "{}", run.name);
}

/// Why replicas do not leave a store.
async fn why_of(sim: &Sim, store: u64) -> Explanation {
    let asked = Why {
        from_store_id: Some(store_id(store)),
        what: Moving::Replicas,
        ..Why::default()
    };
    asked.observe(&tikv(sim)).await.unwrap()
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|one| one.code.as_str()).collect()
}

async fn set(sim: &Sim, item: &str, value: Value) {
    let body = json!({ item: value }).to_string();
    assert_eq!(request(sim, "POST", "/config", &body).await, 200, "{item}");
}

/// How many replicas a store holds after so many minutes.
fn left_after(sim: &Sim, store: u64, minutes: u64) -> u64 {
    for _ in 0..minutes {
        sim.advance(Duration::from_secs(60));
    }
    sim.region_count(store)
}

#[tokio::test]
async fn the_switch_for_offline_replicas_stops_nothing_where_rules_decide() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        set(&sim, "enable-replace-offline-replica", json!("false")).await;
        let run = Run::begin(&sim, "offline_store", json!({"store_id": 5})).await;
        proceeds(&run);
        assert_eq!(left_after(&sim, 5, 30), 0, "{version:?}");
    }
}

/// With the limit for replicas at 0 nothing is replaced, and balancing goes on: PD 8.5.7 was seen to
/// move some off an offline store that way.
#[tokio::test]
async fn a_limit_for_replicas_of_zero_does_not_stop_balancing() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let offline = json!({"store_id": 5});
        assert!(sim.set_schedule("replica-schedule-limit", 0));
        let says = async |offline: &Value| {
            let run = Run::planned(&sim, "offline_store", offline.clone()).await;
            let Verdict::AcceptedButWillNotProgress { causes } = &run.plan.verdict else {
                unreachable!("{version:?}: {:?}", run.plan.verdict);
            };
            assert_eq!(causes[0].code, "replica_schedule_limit_zero");
            causes[0].text.clone()
        };
        assert!(says(&offline).await.contains("balance-region-scheduler"));
        assert!(sim.set_schedule("region-schedule-limit", 0));
        assert!(!says(&offline).await.contains("balance-region-scheduler"));
        // What holds nothing is buried whatever the limits.
        for id in sim.region_ids() {
            sim.remove_peer(id, 5);
        }
        proceeds(&Run::begin(&sim, "offline_store", offline).await);
        left_after(&sim, 5, 2);
        assert_eq!(sim.state_name(5), Some("Tombstone"), "{version:?}");
    }
}

/// PD's checkers come to regions once in `patrol-region-interval`: 8.5.7 moved nothing off an offline
/// store meanwhile, and took a shorter one only when the longer was over.
#[tokio::test]
async fn a_long_interval_of_the_checkers_is_told() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        assert!(sim.set_schedule("region-schedule-limit", 0));
        let offline = json!({"store_id": 5});
        let likely = |run: &Run<'_>| run.plan.duration.as_ref().unwrap().likely_ms;
        let before = likely(&Run::planned(&sim, "offline_store", offline.clone()).await);
        // A round of less than ten minutes is nothing to be told.
        set(&sim, "patrol-region-interval", json!("9m59s")).await;
        proceeds(&Run::planned(&sim, "offline_store", offline.clone()).await);
        let found = why_of(&sim, 4).await.findings;
        assert!(
            !codes(&found).contains(&"patrol_interval_long"),
            "{found:?}"
        );
        set(&sim, "patrol-region-interval", json!("3h")).await;
        sim.advance(Duration::from_secs(600));
        let run = Run::begin(&sim, "offline_store", offline).await;
        assert_eq!(causes(&run), ["patrol_interval_long"], "{version:?}");
        assert_eq!(likely(&run), before + 3 * 3_600_000, "{version:?}");
        let held = sim.region_count(5);
        assert_eq!(left_after(&sim, 5, 60), held, "{version:?}");
        assert_eq!(stalled(&run.probe().await), "patrol_interval_long");
        let found = why_of(&sim, 5).await.findings;
        assert_eq!(codes(&found), ["patrol_interval_long"], "{version:?}");
        let text = &found[0].text;
        assert!(
            text.contains("is 3.0 h") && text.contains("all 20 regions"),
            "{text}"
        );
        let (id, _, other, _) = region(&sim);
        for (asked, told) in [
            (Moving::Anything, 1),
            (Moving::Merges, 1),
            (Moving::Leaders, 0),
        ] {
            let asked = Why {
                region_id: Some(crate::region_id(id)),
                what: asked,
                ..Why::default()
            };
            let found = asked.observe(&tikv(&sim)).await.unwrap().findings;
            let is_told = |one: &&Finding| one.code == "patrol_interval_long";
            assert_eq!(found.iter().filter(is_told).count(), told, "{found:?}");
        }
        let doctor = Doctor {}.observe(&tikv(&sim)).await.unwrap().findings;
        assert!(
            codes(&doctor).contains(&"patrol_interval_long"),
            "{doctor:?}"
        );
        // What the rule checker would take back it takes back late.
        let removes = json!({"region_id": id, "store_id": other});
        let removes = Run::planned(&sim, "remove_peer", removes).await;
        let reversal = removes.plan.reversed_by.first().unwrap();
        assert!(reversal.text.contains("up to 3.0 h later"), "{reversal:?}");
        set(&sim, "patrol-region-interval", json!("10ms")).await;
        assert_eq!(left_after(&sim, 5, 60), held, "{version:?}");
        assert_eq!(left_after(&sim, 5, 120), 0, "{version:?}");
    }
}

/// Which checker replaces replicas hangs on whether rules are on: pausing the other stops nothing.
#[tokio::test]
async fn a_paused_checker_replaces_nothing() {
    for version in VERSIONS {
        for (rules, checker, other) in [(true, "rule", "replica"), (false, "replica", "rule")] {
            let sim = stepped(version).start().await.unwrap();
            set(&sim, "enable-placement-rules", json!(rules.to_string())).await;
            assert!(sim.set_schedule("region-schedule-limit", 0));
            let pause = async |checker: &str, delay: u64| {
                let (path, body) = (format!("/checker/{checker}"), json!({ "delay": delay }));
                assert_eq!(request(&sim, "POST", &path, &body.to_string()).await, 200);
            };
            let offline = json!({"store_id": 5});
            pause(other, 3_600).await;
            proceeds(&Run::planned(&sim, "offline_store", offline.clone()).await);
            let run = Run::begin(&sim, "offline_store", offline).await;
            pause(checker, 3_600).await;
            let again = Run::planned(&sim, "offline_store", json!({"store_id": 4})).await;
            assert_eq!(causes(&again), ["checker_paused"], "{version:?} {checker}");
            let held = sim.region_count(5);
            assert_eq!(left_after(&sim, 5, 30), held, "{version:?} {checker}");
            let found = why_of(&sim, 5).await.findings;
            assert_eq!(codes(&found), ["checker_paused"], "{version:?} {checker}");
            assert!(found[0].text.contains(checker), "{found:?}");
            assert_eq!(stalled(&run.probe().await), "checker_paused");
            pause(checker, 0).await;
            assert_eq!(left_after(&sim, 5, 60), 0, "{version:?} {checker}");
        }
    }
}

#[tokio::test]
async fn the_last_store_of_a_zone_keeps_its_replicas_where_zones_are_kept_apart() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        for (store, zone) in [(1, "z1"), (2, "z2"), (3, "z3"), (4, "z1"), (5, "z2")] {
            sim.set_labels(store, [("zone", zone), ("host", "h")]);
        }
        set(&sim, "location-labels", json!("zone,host")).await;
        set(&sim, "isolation-level", json!("zone")).await;
        // Until each region has one replica in each zone.
        left_after(&sim, 3, 60);
        let run = Run::begin(&sim, "offline_store", json!({"store_id": 3})).await;
        assert_eq!(causes(&run), ["isolation_level"], "{version:?}");
        let left = left_after(&sim, 3, 30);
        assert!(left > 0, "{version:?}");
        // Who asks afterwards is told the same, by both.
        let found = why_of(&sim, 3).await;
        assert_eq!(codes(&found.findings), ["no_free_store"], "{version:?}");
        assert!(
            found.findings[0].text.contains("isolation-level"),
            "{found:?}"
        );
        let found = Doctor {}.observe(&tikv(&sim)).await.unwrap();
        let found = codes(&found.findings);
        assert!(found.contains(&"no_free_store"), "{version:?} {found:?}");
        assert_eq!(
            request(&sim, "POST", "/store/3/state?state=Up", "").await,
            200
        );
        set(&sim, "isolation-level", json!("")).await;
        proceeds(&Run::begin(&sim, "offline_store", json!({"store_id": 3})).await);
        assert_eq!(left_after(&sim, 3, 60), 0, "{version:?}");
    }
}

/// PD lets one replica into each such store, and the next days later.
#[tokio::test]
async fn stores_that_let_next_to_nothing_in_take_no_replicas() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        for store in 1..=4 {
            let path = format!("/store/{store}/limit");
            let limit = r#"{"type":"add-peer","rate":0.0001}"#;
            let run = Run::planned(&sim, "offline_store", json!({"store_id": 5})).await;
            assert_eq!(causes(&run), [""; 0], "{version:?} {store}");
            // With two of four that take any, a region may have its other replicas on both, or not.
            let unknown = run.plan.unknowns.join("; ");
            let may_wait = unknown.contains("a region with replicas on all of those waits");
            assert_eq!(may_wait, store > 2, "{version:?} {store}: {unknown}");
            assert_eq!(request(&sim, "POST", &path, limit).await, 200);
        }
        let run = Run::planned(&sim, "offline_store", json!({"store_id": 5})).await;
        assert_eq!(causes(&run), ["store_limit_low"; 4], "{version:?}");
        sim.set_store_state(5, pd_sim::StoreState::Offline);
        let left = left_after(&sim, 5, 30);
        assert!(left > 0, "{version:?}");
        let found = why_of(&sim, 5).await;
        assert_eq!(
            codes(&found.findings),
            ["store_limit_low"; 4],
            "{version:?}"
        );
        assert!(found.findings[3].text.contains("store 4"), "{found:?}");
        // What has a cause is not said to have none.
        let unexplained = |what: &String| what.contains("no obstacle found");
        assert!(!found.unknown.iter().any(unexplained), "{found:?}");
    }
}

/// However many there are.
#[tokio::test]
async fn regions_that_nothing_holds_are_said_to_be_without_a_cause() {
    let sim = stepped(Version::V8_5).regions(80).start().await.unwrap();
    sim.set_store_state(3, pd_sim::StoreState::Offline);
    let held = sim.region_count(3);
    assert!(held > 32, "{held}");
    let found = why_of(&sim, 3).await;
    assert_eq!(codes(&found.findings), [""; 0]);
    let says = format!("what keeps {held} regions (");
    let unexplained = |what: &String| what.starts_with(&says) && what.contains("no obstacle found");
    assert!(found.unknown.iter().any(unexplained), "{:?}", found.unknown);
}

/// What the stores report of themselves, by what PD says of each. How far store 3 is stands below
/// the same path, and stays as it is.
async fn reported(sim: &Sim, reported: &[(u64, &str, Value)]) {
    sim.clear_faults();
    let (status, progress) = answer(sim, "GET", "/stores/progress?id=3", "").await;
    let json = "application/json";
    sim.fault(Fault::answer("GET", "/stores/progress", status, json, &progress).always());
    altered(sim, "/stores", |body| {
        for store in body["stores"].as_array_mut().unwrap() {
            let of = reported
                .iter()
                .filter(|(id, ..)| store["store"]["id"] == *id);
            let of: Vec<_> = of.collect();
            for (_, member, value) in of {
                store["status"][*member] = value.clone();
            }
        }
    })
    .await;
}

/// Which of the others are refused is said, and why, by the plan, the follower, `why` and `doctor`.
/// What passes by itself is no reason not to begin.
#[tokio::test]
async fn stores_that_take_no_replicas_now_are_named_with_their_reasons() {
    let sim = stepped(Version::V8_5).regions(80).start().await.unwrap();
    let planned = async || Run::planned(&sim, "offline_store", json!({"store_id": 3})).await;
    let busy = || {
        vec![
            (1, "is_busy", json!(true)),
            (2, "is_busy", json!(true)),
            (4, "receiving_snap_count", json!(65)),
        ]
    };
    let space = |store, available| (store, "available", json!(available));
    let with = |more: &[(u64, &'static str, Value)]| [&busy()[..], more].concat();
    reported(&sim, &busy()).await;
    let run = planned().await;
    proceeds(&run);
    let refused = "only 1 of the other stores can take one now (store 4: 65 snapshots being received, at most 64 allowed; stores 1, 2: busy)";
    let unknown = run.plan.unknowns.join("; ");
    assert!(unknown.contains(refused), "{unknown}");
    // With much space and few regions a store is not low on space for PD, and one store is no
    // reason.
    for more in [
        with(&[space(4, "9GiB"), space(5, "9GiB")]),
        with(&[space(5, "1GiB")]),
    ] {
        reported(&sim, &more).await;
        proceeds(&planned().await);
    }
    let full = [1, 2, 4, 5].map(|store| space(store, "1GiB"));
    reported(&sim, &full).await;
    assert_eq!(causes(&planned().await), ["too_few_stores_take_replicas"]);

    sim.clear_faults();
    let mut run = Run::begin(&sim, "offline_store", json!({"store_id": 3})).await;
    reported(&sim, &busy()).await;
    let Progress::Pending {
        summary, stalled, ..
    } = run.probe().await
    else {
        unreachable!("{}", run.name);
    };
    assert!(stalled.is_empty(), "{stalled:?}");
    assert!(summary.contains(refused), "{summary}");
    reported(&sim, &full).await;
    run.is_followed_by_another();
    let progress = run.probe().await;
    assert_eq!(
        crate::harness::stalled(&progress),
        "too_few_stores_take_replicas"
    );
    let found = Doctor {}.observe(&tikv(&sim)).await.unwrap().findings;
    for found in [found, why_of(&sim, 3).await.findings] {
        let found = found.iter().find(|one| one.code == "no_free_store");
        let text = &found.unwrap().text;
        let full = "(stores 1, 2, 4, 5: 100 % of its disk is in use, at most 80 % allowed)";
        assert!(text.ends_with(full), "{text}");
    }
}

#[tokio::test]
async fn a_rule_for_tiflash_needs_its_stores() {
    for version in VERSIONS {
        let sim = stepped(version).stores(7).start().await.unwrap();
        sim.set_labels(6, [("engine", "tiflash")]);
        sim.set_labels(7, [("engine", "tiflash")]);
        let learners = PlacementRule::new("tiflash", RuleRole::Learner, 2);
        let rules = [
            PlacementRule::new("default", RuleRole::Voter, 3),
            learners.label_in("engine", ["tiflash"]),
        ];
        sim.set_rules(rules).unwrap();
        let run = Run::planned(&sim, "offline_store", json!({"store_id": 6})).await;
        assert_eq!(causes(&run), ["too_few_healthy_stores"], "{version:?}");
        proceeds(&Run::planned(&sim, "offline_store", json!({"store_id": 5})).await);
        // TiKV stores are none of those that could take learners.
        left_after(&sim, 6, 30);
        sim.set_store_state(6, pd_sim::StoreState::Offline);
        assert!(left_after(&sim, 6, 30) > 0, "{version:?}");
        let found = why_of(&sim, 6).await;
        assert_eq!(codes(&found.findings), ["no_free_store"], "{version:?}");
        let text = &found.findings[0].text;
        assert!(
            text.contains("1 other store matches it"),
            "{version:?} {text}"
        );
    }
}

#[tokio::test]
async fn an_unsafe_recovery_halts_drains_and_offlines() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_unsafe_recovery(true);
        let leaders = sim.leader_count(2);
        assert!(leaders > 0);
        let drain = Run::begin(&sim, "drain_store", json!({"store_id": 2})).await;
        assert_eq!(causes(&drain), ["unsafe_recovery"], "{version:?}");
        let offline = Run::begin(&sim, "offline_store", json!({"store_id": 5})).await;
        assert_eq!(causes(&offline), ["unsafe_recovery"], "{version:?}");
        let tikv = tikv(&sim);
        let found = Doctor::default().observe(&tikv).await.unwrap().findings;
        assert!(found.iter().any(|one| one.code == "unsafe_recovery"));
        let found = Why::default().observe(&tikv).await.unwrap().findings;
        assert!(found.iter().any(|one| one.code == "unsafe_recovery"));
        let health = ClusterHealth::default().observe(&tikv).await.unwrap();
        assert!(health.scheduling_halted);
        let held = left_after(&sim, 5, 0);
        assert_eq!(left_after(&sim, 5, 10), held, "{version:?}");
        assert_eq!(sim.leader_count(2), leaders, "{version:?}");
        sim.set_unsafe_recovery(false);
        sim.advance(Duration::from_secs(60));
        assert_eq!(sim.leader_count(2), 0, "{version:?}");
    }
}

#[tokio::test]
async fn a_label_that_denies_scheduling_holds_a_drained_leader_before_8_2() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, ..) = region(&sim);
        let shown = get(&sim, &format!("/region/id/{id}")).await;
        let rule = json!({
            "id": "lab/deny",
            "labels": [{"key": "schedule", "value": "deny"}],
            "rule_type": "key-range",
            "data": [{"start_key": shown["start_key"], "end_key": shown["end_key"]}],
        });
        let path = "/config/region-label/rule";
        assert_eq!(request(&sim, "POST", path, &rule.to_string()).await, 200);
        let run = Run::begin(&sim, "drain_store", json!({"store_id": leader})).await;
        sim.advance(Duration::from_secs(120));
        if matches!(version, Version::V6_5 | Version::V7_5) {
            assert_eq!(causes(&run), ["label_denies_scheduling"], "{version:?}");
            let asked = Why {
                from_store_id: Some(store_id(leader)),
                what: Moving::Leaders,
                ..Why::default()
            };
            let found = asked.observe(&tikv(&sim)).await.unwrap().findings;
            assert_eq!(found[0].code, "drain_blocked", "{version:?}: {found:?}");
            assert_eq!(sim.leader_count(leader), 1, "{version:?}");
        } else {
            proceeds(&run);
            assert_eq!(sim.leader_count(leader), 0, "{version:?}");
        }
    }
}

#[tokio::test]
async fn a_version_that_is_none_decides_nothing_that_versions_differ_in() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let grant = r#"{"name":"grant-leader-scheduler","store_id":2}"#;
    assert_eq!(request(&sim, "POST", "/schedulers", grant).await, 200);
    altered(&sim, "/version", |version| {
        version["version"] = json!("None")
    })
    .await;
    let run = Run::planned(&sim, "drain_store", json!({"store_id": 2})).await;
    assert_eq!(causes(&run), ["version_unknown"]);
    // Where no version differs, it is not asked for.
    proceeds(&Run::planned(&sim, "drain_store", json!({"store_id": 3})).await);
}

#[tokio::test]
async fn a_batch_of_zero_moves_nothing_from_8_3_to_8_5_2() {
    for (version, expected) in [("v8.4.0", vec!["drain_batch_zero"]), ("v8.5.3", vec![])] {
        let sim = stepped(Version::V8_5).start().await.unwrap();
        sim.set_evicting(1, true);
        let path = "/scheduler-config/evict-leader-scheduler/list";
        altered(&sim, path, |drains| drains["batch"] = json!(0)).await;
        altered(&sim, "/version", |said| said["version"] = json!(version)).await;
        let run = Run::planned(&sim, "drain_store", json!({"store_id": 2})).await;
        assert_eq!(causes(&run), expected, "{version}");
        // Who asks of the drain that is in force is told as well, and what to do.
        assert!(sim.leader_count(1) > 0);
        let led = sim.region_ids().into_iter();
        let led = led.into_iter().find(|id| sim.leader_of(*id) == Some(1));
        let of_store = Why {
            from_store_id: Some(store_id(1)),
            what: Moving::Leaders,
            ..Why::default()
        };
        let of_region = Why {
            region_id: led.map(crate::region_id),
            ..Why::default()
        };
        let mut all = Doctor {}.observe(&tikv(&sim)).await.unwrap().findings;
        all.retain(|one| one.code == "drain_batch_zero");
        assert_eq!(codes(&all), expected, "{version}: doctor");
        for asked in [of_store, of_region, Why::default()] {
            let mut found = asked.observe(&tikv(&sim)).await.unwrap().findings;
            found.retain(|one| one.code == "drain_batch_zero");
            assert_eq!(codes(&found), expected, "{version}: {asked:?}");
            assert!(found.iter().all(|one| one.next.contains("Stop all drains")));
        }
        // Nothing of it is said of what the drain does not move.
        let other = Why {
            from_store_id: Some(store_id(3)),
            ..Why::default()
        };
        let found = other.observe(&tikv(&sim)).await.unwrap().findings;
        assert!(!codes(&found).contains(&"drain_batch_zero"), "{version}");
    }
}

#[tokio::test]
async fn without_a_majority_nothing_about_a_region_changes() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, other, free) = region(&sim);
        for peer in sim.peers(id).iter().filter(|peer| peer.store_id != leader) {
            sim.set_heartbeat_age(peer.store_id, Duration::from_secs(60));
        }
        let moves = json!({"region_id": id, "from_store_id": other, "to_store_id": free});
        let removes = json!({"region_id": id, "store_id": other});
        for (name, parameters) in [("transfer_peer", moves), ("remove_peer", removes)] {
            let run = Run::planned(&sim, name, parameters).await;
            assert_eq!(causes(&run), ["majority_lost"], "{version:?} {name}");
            // Who asks why is told the same, and of nowhere to go nothing.
            let Verdict::AcceptedButWillNotProgress { causes } = &run.plan.verdict else {
                unreachable!("{version:?} {name}: {:?}", run.plan.verdict);
            };
            let asked = Why {
                region_id: Some(crate::region_id(id)),
                ..Why::default()
            };
            let found = asked.observe(&tikv(&sim)).await.unwrap().findings;
            assert_eq!(codes(&found), ["majority_lost"], "{version:?}");
            assert_eq!(found[0].text, format!("region {id}: {}", causes[0].text));
        }
    }
}

/// Voters that the region's leader reports as down answer no more than those on silent stores.
#[tokio::test]
async fn voters_that_are_reported_as_down_count_as_lost() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, other, free) = region(&sim);
        for peer in sim.peers(id).iter().filter(|peer| peer.store_id != leader) {
            sim.set_down(id, peer.store_id, Some(Duration::from_secs(700)));
        }
        let moves = json!({"region_id": id, "from_store_id": other, "to_store_id": free});
        let run = Run::planned(&sim, "transfer_peer", moves).await;
        assert_eq!(causes(&run), ["majority_lost"], "{version:?}");
        let asked = Why {
            region_id: Some(crate::region_id(id)),
            ..Why::default()
        };
        let found = asked.observe(&tikv(&sim)).await.unwrap().findings;
        assert!(codes(&found).contains(&"majority_lost"), "{version:?}");
    }
}

/// What would be left decides, and not what there is: PD accepts each of these.
#[tokio::test]
async fn a_replica_whose_region_would_lose_its_majority_is_not_removed() {
    let silences: [(&str, Fixture); 2] = [
        ("store", |sim, _, store| {
            sim.set_heartbeat_age(store, Duration::from_secs(60));
        }),
        ("down", |sim, id, store| {
            sim.set_down(id, store, Some(Duration::from_secs(700)));
        }),
    ];
    for version in VERSIONS {
        for (what, silence) in silences {
            let sim = stepped(version).start().await.unwrap();
            let (id, leader, other, free) = region(&sim);
            let peers = sim.peers(id).into_iter().map(|peer| peer.store_id);
            let silent = peers.into_iter().find(|one| ![leader, other].contains(one));
            let silent = silent.unwrap();
            silence(&sim, id, silent);
            let removes = |store: u64| json!({"region_id": id, "store_id": store});
            let run = Run::planned(&sim, "remove_peer", removes(other)).await;
            let Verdict::NotAskedFor { code, text } = &run.plan.verdict else {
                unreachable!("{version:?} {what}: {:?}", run.plan.verdict);
            };
            assert_eq!(code, "majority_would_be_lost", "{version:?} {what}");
            assert!(text.contains(&format!("(on stores {silent})")), "{text}");
            // Without the silent one, or with another in the place of the healthy one, it has one.
            proceeds(&Run::planned(&sim, "remove_peer", removes(silent)).await);
            let moves = json!({"region_id": id, "from_store_id": other, "to_store_id": free});
            proceeds(&Run::planned(&sim, "transfer_peer", moves).await);
        }
    }
}

#[tokio::test]
async fn an_override_is_read_and_its_refusal_foretold() {
    let limits = ["leader", "region", "replica"];
    for version in VERSIONS {
        for limit in limits {
            let sim = stepped(version).start().await.unwrap();
            let name = format!("set_{limit}_schedule_limit");
            let item = format!("schedule.{limit}-schedule-limit");
            let body = json!({ &item: 8 }).to_string();
            let path = "/config?ttlSecond=600";
            assert_eq!(request(&sim, "POST", path, &body).await, 200);
            let run = Run::begin(&sim, &name, json!({"limit": 6})).await;
            let Verdict::WouldReject { text, .. } = &run.plan.verdict else {
                unreachable!("{version:?} {name}: {:?}", run.plan.verdict);
            };
            assert_eq!(*text, format!("need to clean up TTL first for {item}"));
            assert!(run.failure.unwrap().contains(text.as_str()), "{version:?}");
            // Also what is stored already is refused, and is not what is in force.
            let stored = get(&sim, "/config/schedule").await;
            let stored = json!({"limit": stored[format!("{limit}-schedule-limit")]});
            let run = Run::begin(&sim, &name, stored).await;
            let rejects = matches!(run.plan.verdict, Verdict::WouldReject { .. });
            assert!(rejects && run.failure.is_some(), "{version:?} {name}");
            let config = GetConfig::default().observe(&tikv(&sim)).await.unwrap();
            let shown: Vec<_> = config.items.iter().filter(|one| one.overridden).collect();
            let shown: Vec<_> = shown.iter().map(|one| (&one.name, &one.in_force)).collect();
            assert_eq!(shown, [(&item, &Some("8".to_owned()))], "{version:?}");
            sim.advance(Duration::from_secs(601));
            proceeds(&Run::planned(&sim, &name, json!({"limit": 6})).await);
        }
    }
}

#[tokio::test]
async fn where_etcd_cannot_be_asked_an_override_is_not_known() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let absent = Fault::answer(
        "POST",
        "/v3/kv/range",
        404,
        "text/plain",
        "404 page not found",
    );
    sim.fault(absent.always());
    let run = Run::planned(&sim, "set_leader_schedule_limit", json!({"limit": 6})).await;
    proceeds(&run);
    assert!(
        run.plan
            .unknowns
            .iter()
            .any(|what| what.contains("override"))
    );
}

#[tokio::test]
async fn a_limit_that_an_override_sets_to_0_is_0() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    for (limit, action) in [("leader", "drain_store"), ("replica", "offline_store")] {
        let item = format!("schedule.{limit}-schedule-limit");
        let body = json!({ item: 0 }).to_string();
        let path = "/config?ttlSecond=600";
        assert_eq!(request(&sim, "POST", path, &body).await, 200);
        let run = Run::planned(&sim, action, json!({"store_id": 2})).await;
        let code = format!("{limit}_schedule_limit_zero");
        assert_eq!(causes(&run), [code], "{action}");
    }
}

/// The follower of an offline names the region that stays, and what holds it.
#[tokio::test]
async fn the_last_region_of_an_offline_store_is_named_while_it_is_waited_for() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, store, _) = region(&sim);
        sim.set_leader(id, 0);
        let run = Run::begin(&sim, "offline_store", json!({"store_id": store})).await;
        assert_eq!(left_after(&sim, store, 30), 1, "{version:?}");
        let waits = run.probe().await;
        assert_eq!(stalled(&waits), "region_without_leader");
        let Progress::Pending {
            summary, stalled, ..
        } = waits
        else {
            unreachable!("{waits:?}");
        };
        let held = format!("PD knows no leader of region {id}");
        assert_eq!(stalled[0].text, held);
        // Both are shown on one line.
        assert!(!summary.contains(&held), "{summary}");
        // With a leader again it goes on.
        sim.set_leader(id, leader);
        assert_eq!(left_after(&sim, store, 30), 0, "{version:?}");
        applied(&run.probe().await, format!("{version:?}"));
    }
}
