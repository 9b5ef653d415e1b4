//! What PD does by itself to what was asked for: the plan says who, and the simulated PD does so,
//! where PD's source was read.

use std::time::Duration;

use action_core::Observation;
use operator_tikv::Why;
use pd_sim::{Fault, PlacementRule, RuleRole, Sim, Version};
use serde_json::{Value, json};

use crate::harness::Run;
use crate::{VERSIONS, get, region, request, stepped};

/// What reverses a plan, by code.
fn reversed_by<'r>(run: &'r Run<'_>) -> Vec<&'r str> {
    let causes = run.plan.reversed_by.iter();
    causes.map(|cause| cause.code.as_str()).collect()
}

/// What reverses a plan, as the first cause says it.
fn text<'r>(run: &'r Run<'_>) -> &'r str {
    &run.plan.reversed_by[0].text
}

async fn set(sim: &Sim, path: &str, body: Value) {
    let body = body.to_string();
    assert_eq!(request(sim, "POST", path, &body).await, 200, "{path}");
}

#[tokio::test]
async fn balancing_takes_a_leader_back() {
    for version in VERSIONS {
        // PD tolerates five leaders more than there should be.
        let sim = stepped(version).regions(60).start().await.unwrap();
        let (id, leader, other, _) = region(&sim);
        let moves = json!({"region_id": id, "to_store_id": other});
        let run = Run::planned(&sim, "transfer_leader", moves.clone()).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}");
        let weight = json!({"leader": 0.01, "region": 1});
        set(&sim, &format!("/store/{other}/weight"), weight).await;
        let run = Run::planned(&sim, "transfer_leader", moves.clone()).await;
        assert_eq!(reversed_by(&run), ["balance_leader"], "{version:?}");
        assert!(text(&run).contains("chosen at random"), "{}", text(&run));

        let pause = "/schedulers/balance-leader-scheduler";
        set(&sim, pause, json!({"delay": 60})).await;
        let run = Run::planned(&sim, "transfer_leader", moves.clone()).await;
        assert!(text(&run).contains("once its pause ends"), "{version:?}");
        assert!(sim.set_schedule("leader-schedule-limit", 0));
        let run = Run::planned(&sim, "transfer_leader", moves.clone()).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}");
        assert!(sim.set_schedule("leader-schedule-limit", 4));
        // A store that is drained is given no leader.
        let third = sim.peers(id).into_iter().map(|peer| peer.store_id);
        for store in third.filter(|store| *store != other) {
            sim.set_evicting(store, true);
        }
        let run = Run::planned(&sim, "transfer_leader", moves.clone()).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}: {leader}");
    }
}

#[tokio::test]
async fn balancing_by_size_is_not_known_and_none_without_a_limit() {
    let sim = stepped(Version::V8_5).regions(60).start().await.unwrap();
    let (id, _, other, _) = region(&sim);
    let moves = json!({"region_id": id, "to_store_id": other});
    let weight = json!({"leader": 0.01, "region": 1});
    set(&sim, &format!("/store/{other}/weight"), weight).await;
    set(&sim, "/config", json!({"leader-schedule-policy": "size"})).await;
    let run = Run::planned(&sim, "transfer_leader", moves.clone()).await;
    assert_eq!(reversed_by(&run), [""; 0]);
    let unknown = run.plan.unknowns.join("; ");
    assert!(
        unknown.contains("leader-schedule-policy is size"),
        "{unknown}"
    );
    assert!(sim.set_schedule("leader-schedule-limit", 0));
    let run = Run::planned(&sim, "transfer_leader", moves).await;
    assert_eq!(reversed_by(&run), [""; 0]);
    assert!(!run.plan.unknowns.join("; ").contains("size"));
}

#[tokio::test]
async fn a_label_that_denies_scheduling_keeps_balancing_away() {
    for version in VERSIONS {
        let sim = stepped(version).regions(60).start().await.unwrap();
        let (id, _, other, _) = region(&sim);
        let weight = json!({"leader": 0.01, "region": 1});
        set(&sim, &format!("/store/{other}/weight"), weight).await;
        label(&sim, "schedule", "deny", "", "").await;
        let moves = json!({"region_id": id, "to_store_id": other});
        let run = Run::planned(&sim, "transfer_leader", moves).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}");
    }
}

#[tokio::test]
async fn the_rule_checker_keeps_the_number_of_replicas() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, _, free) = region(&sim);
        let adds = json!({"region_id": id, "store_id": free});
        let run = Run::planned(&sim, "add_peer", adds).await;
        assert_eq!(reversed_by(&run), ["rule_checker"], "{version:?}");
        let removes = json!({"region_id": id, "store_id": leader});
        let run = Run::planned(&sim, "remove_peer", removes).await;
        assert_eq!(reversed_by(&run), ["rule_checker"], "{version:?}");
    }
}

/// Three replicas on stores of one kind, the others of the other kind; rules for both or for one.
async fn on_two_engines(version: Version, learners: usize) -> (Sim, u64, Vec<u64>, Vec<u64>) {
    let sim = stepped(version).start().await.unwrap();
    let (id, ..) = region(&sim);
    let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
    let (rows, columns): (Vec<u64>, Vec<u64>) = (1..=5).partition(|store| held.contains(store));
    let mut rules = vec![PlacementRule::new("a", RuleRole::Voter, 3).label_not_in("engine", ["x"])];
    for store in &columns {
        sim.set_labels(*store, [("engine", "x")]);
    }
    if learners > 0 {
        let rule = PlacementRule::new("b", RuleRole::Learner, learners);
        rules.push(rule.label_in("engine", ["x"]));
    }
    sim.set_rules(rules).unwrap();
    (sim, id, rows, columns)
}

#[tokio::test]
async fn a_replica_that_is_moved_where_no_rule_wants_it_is_taken_away() {
    for version in VERSIONS {
        let (sim, id, rows, columns) = on_two_engines(version, 0).await;
        let leader = sim.leader_of(id).unwrap();
        // Also where the replica leads.
        for from in &rows {
            let moves = json!({"region_id": id, "from_store_id": from, "to_store_id": columns[0]});
            let run = Run::planned(&sim, "transfer_peer", moves).await;
            assert_eq!(reversed_by(&run), ["rule_checker"], "{version:?} {from}");
        }
        let from = rows.iter().find(|store| **store != leader);
        let moves = json!({"region_id": id, "from_store_id": from, "to_store_id": columns[0]});
        let run = Run::begin(&sim, "transfer_peer", moves.clone()).await;
        assert_eq!(run.failure, None, "{version:?}");
        assert_eq!(reversed_by(&run), ["rule_checker"], "{version:?}");
        let expected = "adds one elsewhere (`add-rule-peer`) and then removes the replica";
        assert!(text(&run).contains(expected), "{}", text(&run));
        sim.advance(Duration::from_secs(300));
        let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
        assert!(!held.contains(&columns[0]), "{version:?}: {held:?}");
        assert_eq!(held.len(), 3, "{version:?}: {held:?}");
    }
}

/// Where zones are told apart, a replica that joins another in its zone goes on to one that is free.
#[tokio::test]
async fn a_replica_that_is_moved_nearer_to_the_others_goes_farther_again() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        for (store, zone) in [(1, "z1"), (2, "z2"), (3, "z3"), (4, "z1"), (5, "z2")] {
            sim.set_labels(store, [("zone", zone), ("host", "h")]);
        }
        set(&sim, "/config", json!({"location-labels": "zone,host"})).await;
        sim.advance(Duration::from_secs(600));
        let held = |id: u64| -> Vec<u64> {
            let peers = sim.peers(id);
            peers.iter().map(|peer| peer.store_id).collect()
        };
        let apart = |id: &u64| {
            let held = held(*id);
            held.contains(&3) && held.contains(&1) && held.contains(&2)
        };
        let id = sim.region_ids().into_iter().find(apart).unwrap();
        let plan = |from: u64, to: u64| {
            let moves = json!({"region_id": id, "from_store_id": from, "to_store_id": to});
            Run::planned(&sim, "transfer_peer", moves)
        };
        let nearer = plan(3, 4).await;
        assert_eq!(reversed_by(&nearer), ["rule_checker"], "{version:?}");
        let told = text(&nearer);
        for part in [
            "store 4 or that on store 1",
            "move-to-better-location",
            "store 3 is one",
        ] {
            assert!(told.contains(part), "{version:?}: {told}");
        }
        // Within its zone nothing is worse than it was.
        assert_eq!(reversed_by(&plan(1, 4).await), [""; 0], "{version:?}");
    }
}

#[tokio::test]
async fn a_replica_stays_where_the_checker_does_nothing_or_has_nothing_else() {
    for version in VERSIONS {
        let (sim, id, rows, columns) = on_two_engines(version, 0).await;
        let moves = json!({"region_id": id, "from_store_id": rows[0], "to_store_id": columns[0]});
        set(&sim, "/checker/rule", json!({"delay": 300})).await;
        let run = Run::planned(&sim, "transfer_peer", moves.clone()).await;
        let paused = text(&run).contains(", once its pause ends");
        assert!(paused, "{version:?}: {}", text(&run));
        // The store that is left is the only one for another, and it is being emptied.
        set(&sim, "/checker/rule", json!({"delay": 0})).await;
        assert_eq!(
            request(&sim, "DELETE", &format!("/store/{}", rows[0]), "").await,
            200
        );
        let run = Run::planned(&sim, "transfer_peer", moves).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}");

        let (sim, id, rows, columns) = on_two_engines(version, 0).await;
        let moves = json!({"region_id": id, "from_store_id": rows[0], "to_store_id": columns[0]});
        assert!(sim.set_schedule("replica-schedule-limit", 0));
        let run = Run::planned(&sim, "transfer_peer", moves).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}: limit");
    }
}

#[tokio::test]
async fn a_learner_is_taken_away_where_its_rule_does_not_want_it() {
    for version in VERSIONS {
        let (sim, id, rows, columns) = on_two_engines(version, 1).await;
        // A voter takes the learner's place, and becomes one.
        let moves = json!({"region_id": id, "from_store_id": rows[0], "to_store_id": columns[0]});
        let run = Run::planned(&sim, "transfer_peer", moves).await;
        assert_eq!(reversed_by(&run), ["rule_checker"], "{version:?}");
        assert!(text(&run).contains("fix-demote-voter"), "{}", text(&run));

        sim.advance(Duration::from_secs(300));
        let learner = sim.peers(id).into_iter().map(|peer| peer.store_id);
        let learner = learner.filter(|store| columns.contains(store)).max();
        let learner = learner.expect("a learner");
        let other = columns.iter().find(|store| **store != learner);
        let moves = json!({"region_id": id, "from_store_id": rows[0], "to_store_id": other});
        let run = Run::planned(&sim, "transfer_peer", moves).await;
        assert_eq!(reversed_by(&run), ["rule_checker"], "{version:?}");
        assert!(text(&run).contains("remove-orphan-peer"), "{}", text(&run));
        let moves = json!({"region_id": id, "from_store_id": learner, "to_store_id": other});
        let run = Run::begin(&sim, "transfer_peer", moves).await;
        assert_eq!(run.failure, None, "{version:?}");
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}: among its own");
        sim.advance(Duration::from_secs(300));
        let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
        assert!(held.contains(other.unwrap()), "{version:?}: {held:?}");
    }
}

/// What keeps PD's checkers from acting.
type Halt = fn(&Sim);

/// Nothing is taken back while the checker does nothing, whatever keeps it from that.
#[tokio::test]
async fn a_rule_checker_that_does_not_act_reverses_nothing() {
    let halts: [(&str, Halt); 3] = [
        ("halt-scheduling", |sim| {
            let is_set = sim.set_schedule("halt-scheduling", "true");
            assert!(is_set || sim.set_schedule("halt-scheduling", true));
        }),
        ("limit", |sim| {
            assert!(sim.set_schedule("replica-schedule-limit", 0));
        }),
        ("unsafe recovery", |sim| sim.set_unsafe_recovery(true)),
    ];
    for version in VERSIONS {
        let (sim, id, [home, away, _]) = zoned(version, RuleRole::Leader).await;
        let free = (1..=5).find(|store| sim.peers(id).iter().all(|peer| peer.store_id != *store));
        let requests = [
            ("add_peer", json!({"region_id": id, "store_id": free})),
            ("remove_peer", json!({"region_id": id, "store_id": away})),
            (
                "transfer_leader",
                json!({"region_id": id, "to_store_id": away}),
            ),
        ];
        assert_eq!(sim.leader_of(id), Some(home), "{version:?}");
        set(&sim, "/checker/rule", json!({"delay": 300})).await;
        for (name, parameters) in &requests {
            let run = Run::planned(&sim, name, parameters.clone()).await;
            assert_eq!(reversed_by(&run), ["rule_checker"], "{version:?} {name}");
            let paused = text(&run).contains(", once its pause ends");
            assert!(paused, "{version:?} {name}: {}", text(&run));
        }
        set(
            &sim,
            "/config?ttlSecond=600",
            json!({"schedule.replica-schedule-limit": 0}),
        )
        .await;
        for (name, parameters) in &requests {
            let run = Run::planned(&sim, name, parameters.clone()).await;
            assert_eq!(reversed_by(&run), [""; 0], "{version:?} {name}: override");
        }
        for (what, halt) in halts {
            let (sim, ..) = zoned(version, RuleRole::Leader).await;
            halt(&sim);
            for (name, parameters) in &requests {
                let run = Run::planned(&sim, name, parameters.clone()).await;
                assert_eq!(reversed_by(&run), [""; 0], "{version:?} {name}: {what}");
            }
        }
    }
}

/// Three replicas, on stores of three zones, one of which a rule names.
async fn zoned(version: Version, named: RuleRole) -> (Sim, u64, [u64; 3]) {
    let sim = stepped(version).start().await.unwrap();
    let (id, leader, ..) = region(&sim);
    let stores = sim.peers(id).into_iter().map(|peer| peer.store_id);
    let mut stores: Vec<u64> = stores.collect();
    stores.sort_by_key(|store| *store != leader);
    for (store, zone) in stores.iter().zip(["z1", "z2", "z3"]) {
        sim.set_labels(*store, [("zone", zone)]);
    }
    let rules = [
        PlacementRule::new("a", named, 1).label_in("zone", ["z1"]),
        PlacementRule::new("b", RuleRole::Voter, 2),
    ];
    sim.set_rules(rules).unwrap();
    (sim, id, stores.try_into().unwrap())
}

#[tokio::test]
async fn a_rule_for_the_leader_takes_it_back() {
    for version in VERSIONS {
        let (sim, id, [home, away, _]) = zoned(version, RuleRole::Leader).await;
        let moves = json!({"region_id": id, "to_store_id": away});
        let run = Run::begin(&sim, "transfer_leader", moves).await;
        assert_eq!(run.failure, None, "{version:?}");
        assert_eq!(reversed_by(&run), ["rule_checker"], "{version:?}");
        let expected = format!("moves the leader to store {home} (`fix-leader-role`)");
        assert!(text(&run).contains(&expected), "{}", text(&run));
        sim.advance(Duration::from_secs(30));
        assert_eq!(sim.leader_of(id), Some(home), "{version:?}");
    }
}

#[tokio::test]
async fn a_rule_for_a_follower_gives_the_leader_to_the_first_that_may_lead() {
    for version in VERSIONS {
        let (sim, id, [home, away, _]) = zoned(version, RuleRole::Follower).await;
        sim.advance(Duration::from_secs(30));
        let first = sim.peers(id)[0].store_id;
        sim.set_leader(id, away);
        sim.advance(Duration::from_secs(30));
        let moves = json!({"region_id": id, "to_store_id": home});
        let run = Run::begin(&sim, "transfer_leader", moves).await;
        assert_eq!(run.failure, None, "{version:?}");
        sim.advance(Duration::from_secs(30));
        // The rule for voters lets that store lead, and it may be the first.
        if first == home {
            assert_eq!(reversed_by(&run), [""; 0], "{version:?}");
            assert_eq!(sim.leader_of(id), Some(home), "{version:?}");
        } else {
            assert_eq!(reversed_by(&run), ["rule_checker"], "{version:?}");
            assert!(text(&run).contains("fix-follower-role"), "{}", text(&run));
            assert_eq!(sim.leader_of(id), Some(first), "{version:?}");
        }
    }
}

#[tokio::test]
async fn a_member_of_higher_priority_takes_the_leadership() {
    for version in VERSIONS {
        let sim = stepped(version).members(3).start().await.unwrap();
        set(&sim, "/members/name/pd0", json!({"leader-priority": 3})).await;
        set(&sim, "/members/name/pd2", json!({"leader-priority": 5})).await;
        let run = Run::begin(&sim, "transfer_pd_leader", json!({"member": "pd1"})).await;
        assert_eq!(reversed_by(&run), ["leader_priority"], "{version:?}");
        assert!(text(&run).starts_with("`pd2` becomes"), "{}", text(&run));
        assert_eq!(sim.leader_name().as_deref(), Some("pd1"));
        sim.advance(Duration::from_secs(61));
        assert_eq!(sim.leader_name().as_deref(), Some("pd2"), "{version:?}");
        set(&sim, "/members/name/pd1", json!({"leader-priority": 5})).await;
        let run = Run::planned(&sim, "transfer_pd_leader", json!({"member": "pd1"})).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}");
    }
}

/// Labels a range of keys.
async fn label(sim: &Sim, key: &str, value: &str, start: &str, end: &str) {
    let rule = json!({
        "id": "lab/one",
        "labels": [{"key": key, "value": value}],
        "rule_type": "key-range",
        "data": [{"start_key": start, "end_key": end}],
    });
    set(sim, "/config/region-label/rule", rule).await;
}

/// One end of a region's keys.
async fn key(sim: &Sim, id: u64, end: &str) -> String {
    let shown = get(sim, &format!("/region/id/{id}")).await;
    shown[end].as_str().unwrap().to_owned()
}

/// Two neighbours, and the key between them.
async fn neighbours(sim: &Sim) -> (u64, u64, String) {
    let ids = sim.region_ids();
    let border = key(sim, ids[3], "end_key").await;
    for id in ids.iter().copied() {
        if key(sim, id, "start_key").await == border {
            return (ids[3], id, border);
        }
    }
    unreachable!("{border} begins no region");
}

#[tokio::test]
async fn a_merge_over_a_border_is_split_again() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (source, target, key) = neighbours(&sim).await;
        let merge = json!({"source_region_id": source, "target_region_id": target});
        let run = Run::planned(&sim, "merge_regions", merge.clone()).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}");
        label(&sim, "any", "thing", &key.to_lowercase(), "").await;
        let run = Run::begin(&sim, "merge_regions", merge).await;
        assert_eq!(reversed_by(&run), ["split_checker"], "{version:?}");
        let expected = "`labeler-split-region`): the label rule `lab/one` begins or ends there";
        assert!(text(&run).contains(expected), "{}", text(&run));
        let before = sim.region_ids().len();
        sim.keep_history();
        sim.advance(Duration::from_secs(60));
        assert_eq!(sim.region_ids().len(), before, "{version:?}");
        let ended = sim.ended_operators().join("; ");
        assert!(ended.contains("labeler-split-region"), "{ended}");
    }
}

#[tokio::test]
async fn a_merge_over_the_border_of_a_placement_rule_is_split_again() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (source, target, key) = neighbours(&sim).await;
        let rules = [
            PlacementRule::new("a", RuleRole::Voter, 3).range("", &key),
            PlacementRule::new("b", RuleRole::Voter, 3).range(&key, ""),
        ];
        sim.set_rules(rules).unwrap();
        let merge = json!({"source_region_id": source, "target_region_id": target});
        let run = Run::planned(&sim, "merge_regions", merge).await;
        assert_eq!(reversed_by(&run), ["split_checker"], "{version:?}");
        assert!(text(&run).contains("rule-split-region"), "{}", text(&run));
    }
}

#[tokio::test]
async fn small_parts_of_a_split_are_merged_again() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, ..) = region(&sim);
        let halves = json!({"region_id": id, "policy": "scan"});
        let plan =
            async |parameters: &Value| Run::planned(&sim, "split_region", parameters.clone()).await;
        sim.set_region_size(id, 10);
        let keys = json!({"max-merge-region-keys": 10_000_000});
        set(&sim, "/config", keys).await;
        let run = plan(&halves).await;
        assert_eq!(reversed_by(&run), ["merge_checker"], "{version:?}");
        assert!(text(&run).contains("split-merge-interval of 3600 s"));
        label(&sim, "merge_option", "deny", "", "").await;
        assert_eq!(reversed_by(&plan(&halves).await), [""; 0], "{version:?}");
        label(&sim, "merge_option", "allow", "", "").await;
        sim.set_region_size(id, 10_000);
        assert_eq!(reversed_by(&plan(&halves).await), [""; 0], "{version:?}");
        let key = format!("{}01", key(&sim, id, "start_key").await);
        let at_key = json!({"region_id": id, "policy": "usekey", "keys": [key]});
        let run = plan(&at_key).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}");
        let unknown = run.plan.unknowns.join("; ");
        assert!(
            unknown.contains("small enough to be merged again"),
            "{unknown}"
        );
        sim.set_region_size(id, 10);
        assert_eq!(reversed_by(&plan(&at_key).await), ["merge_checker"]);
        label(&sim, "any", "thing", &key, "").await;
        assert_eq!(reversed_by(&plan(&at_key).await), [""; 0], "{version:?}");
        assert!(sim.set_schedule("merge-schedule-limit", 0));
        assert_eq!(reversed_by(&plan(&halves).await), [""; 0], "{version:?}");
    }
}

/// Who gives a store all leaders takes this one there again.
#[tokio::test]
async fn a_grant_takes_a_leader_to_its_store() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, other, _) = region(&sim);
        let moves = json!({"region_id": id, "to_store_id": other});
        let run = Run::planned(&sim, "transfer_leader", moves.clone()).await;
        assert_eq!(reversed_by(&run), [""; 0], "{version:?}");
        let grant = json!({"name": "grant-leader-scheduler", "store_id": leader});
        set(&sim, "/schedulers", grant).await;
        let run = Run::planned(&sim, "transfer_leader", moves).await;
        assert_eq!(reversed_by(&run), ["grant_leader"], "{version:?}");
        let expected = format!("on store {leader} there");
        assert!(text(&run).contains(&expected), "{}", text(&run));
    }
}

/// PD 8.5.7 moved the leader back within four seconds, by `affinity-move-region`.
#[tokio::test]
async fn what_an_affinity_group_moves_back_is_told() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, other, free) = region(&sim);
    let label = r#"{"id":"affinity_group/g1","labels":[{"key":"affinity_group","value":"g1"}],
        "rule_type":"key-range","data":[{"start_key":"","end_key":""}]}"#;
    let path = "/config/region-label/rule";
    assert_eq!(request(&sim, "POST", path, label).await, 200);
    let voters: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
    let group = async |leader: u64, phase: &str| {
        sim.clear_faults();
        let group = json!({"id": "g1", "create_timestamp": 1_795_966_874, "leader_store_id": leader,
            "voter_store_ids": voters, "phase": phase, "range_count": 1, "region_count": 1,
            "affinity_region_count": 0});
        let path = "/pd/api/v2/affinity-groups/g1";
        let body = group.to_string();
        sim.fault(Fault::answer("GET", path, 200, "application/json", &body).always());
    };
    let plans = [
        (
            "transfer_leader",
            json!({"region_id": id, "to_store_id": other}),
        ),
        (
            "transfer_peer",
            json!({"region_id": id, "from_store_id": other, "to_store_id": free}),
        ),
        ("add_peer", json!({"region_id": id, "store_id": free})),
        ("remove_peer", json!({"region_id": id, "store_id": other})),
    ];
    let told = async || {
        let mut told = Vec::new();
        for (name, parameters) in &plans {
            let run = Run::planned(&sim, name, parameters.clone()).await;
            let mut causes = run.plan.reversed_by.iter();
            told.push(causes.any(|by| by.code == "affinity_checker" && by.text.contains("`g1`")));
        }
        told
    };
    let why = async || {
        let asked = Why {
            region_id: Some(crate::region_id(id)),
            ..Why::default()
        };
        let found = asked.observe(&crate::tikv(&sim)).await.unwrap().findings;
        let mut found = found.into_iter();
        found
            .find(|one| one.code == "affinity_group")
            .map(|one| one.text)
    };
    // By default the limit is 0: nothing moves back, and nothing is balanced either.
    group(leader, "stable").await;
    assert_eq!(told().await, [false; 4]);
    let text = why().await.unwrap();
    assert!(
        text.contains(&format!("leader on store {leader}")),
        "{text}"
    );
    group(other, "preparing").await;
    let text = why().await.unwrap();
    assert!(text.contains("`affinity-schedule-limit` is 0"), "{text}");
    set(&sim, "/config", json!({"affinity-schedule-limit": 4})).await;
    // The group wants the leader where it is to go, and the voters where they are.
    assert_eq!(told().await, [false, true, true, true]);
    group(leader, "stable").await;
    assert_eq!(told().await, [true; 4]);
    // A group without its stores keeps nothing.
    group(leader, "pending").await;
    assert_eq!((told().await, why().await), (vec![false; 4], None));
}
