//! Regions that a drain or the emptying of a store would leave: named before it is asked for.

use std::time::Duration;

use action_core::{Observation, Progress, Verdict};
use operator_tikv::{Doctor, Moving, Why};
use pd_sim::{PlacementRule, RuleRole, Sim, Version};
use serde_json::{Value, json};

use crate::harness::{Run, stalled};
use crate::{VERSIONS, altered, region, request, stepped, store_id, tikv};

/// The codes and texts of what keeps a plan from getting done.
fn causes(run: &Run<'_>) -> Vec<(String, String)> {
    match &run.plan.verdict {
        Verdict::WouldProceed => Vec::new(),
        Verdict::AcceptedButWillNotProgress { causes } => {
            let causes = causes.iter();
            causes
                .map(|cause| (cause.code.clone(), cause.text.clone()))
                .collect()
        }
        other => unreachable!("{}: {other:?}", run.name),
    }
}

fn staying(run: &Run<'_>) -> Option<u64> {
    let mut impact = run.plan.impact.iter();
    Some(impact.find(|one| one.name == "leaders_staying")?.value)
}

/// Whether the plan leaves open what one bounded read decides.
fn is_open(run: &Run<'_>) -> bool {
    let mut unknowns = run.plan.unknowns.iter();
    unknowns.any(|one| one.contains("another healthy voter"))
}

fn store(id: u64) -> Value {
    json!({ "store_id": id })
}

/// What the other voters of a region are; gets the region and the store of each.
type Fixture = fn(&Sim, u64, u64);

const CASES: [(&str, Fixture); 4] = [
    ("no_other_voter", |sim, id, other| {
        sim.remove_peer(id, other)
    }),
    ("others_unhealthy", |sim, id, other| {
        sim.set_down(id, other, Some(Duration::from_secs(400)));
    }),
    ("others_unhealthy", |sim, id, other| {
        sim.set_pending(id, other, true);
    }),
    ("others_take_no_leaders", |sim, _, other| {
        sim.set_heartbeat_age(other, Duration::from_secs(60));
    }),
];

fn others(sim: &Sim, id: u64, leader: u64) -> Vec<u64> {
    let peers = sim.peers(id);
    let stores = peers.iter().map(|peer| peer.store_id);
    stores.filter(|store| *store != leader).collect()
}

#[tokio::test]
async fn a_drain_names_the_regions_whose_leaders_would_stay() {
    for version in VERSIONS {
        for (code, fixture) in CASES {
            let sim = stepped(version).start().await.unwrap();
            let (id, leader, ..) = region(&sim);
            let run = Run::planned(&sim, "drain_store", store(leader)).await;
            assert_eq!(causes(&run), [], "{version:?}");
            assert_eq!((staying(&run), is_open(&run)), (Some(0), false));
            for other in others(&sim, id, leader) {
                fixture(&sim, id, other);
            }
            let run = Run::planned(&sim, "drain_store", store(leader)).await;
            let causes = causes(&run);
            assert_eq!(causes[0].0, code, "{version:?} {causes:?}");
            assert!(causes[0].1.contains(&id.to_string()), "{causes:?}");
            assert!(staying(&run) > Some(0) && !is_open(&run), "{version:?}");
        }
    }
}

/// What the plan says is what the simulated PD then leaves.
#[tokio::test]
async fn what_a_drain_leaves_was_named() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, ..) = region(&sim);
    for other in others(&sim, id, leader) {
        sim.set_down(id, other, Some(Duration::from_secs(400)));
    }
    let run = Run::begin(&sim, "drain_store", store(leader)).await;
    assert_eq!(staying(&run), Some(1));
    sim.advance(Duration::from_secs(60));
    assert_eq!(sim.leader_count(leader), 1);
    assert_eq!(sim.leader_of(id), Some(leader));
}

/// Rules decide as well where leaders may go: PD's builder asks them (`allowLeader`).
#[tokio::test]
async fn what_rules_keep_on_a_drained_store_is_named() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        // What is not where its rules want it stays there.
        assert!(sim.set_schedule("replica-schedule-limit", 0));
        assert!(sim.set_schedule("region-schedule-limit", 0));
        let (id, leader, _, free) = region(&sim);
        sim.set_labels(leader, [("zone", "z1")]);
        let rules = [
            PlacementRule::new("a", RuleRole::Leader, 1).label_in("zone", ["z1"]),
            PlacementRule::new("b", RuleRole::Follower, 2),
        ];
        sim.set_rules(rules).unwrap();
        let drain = async || Run::planned(&sim, "drain_store", store(leader)).await;
        assert_eq!(causes(&drain().await)[0].0, "no_target", "{version:?}");
        sim.set_labels(free, [("zone", "z1")]);
        let causes = causes(&drain().await);
        assert_eq!(causes[0].0, "others_take_no_leaders", "{version:?}");
        assert!(causes[0].1.contains(&id.to_string()), "{causes:?}");
        let run = Run::begin(&sim, "drain_store", store(leader)).await;
        sim.advance(Duration::from_secs(120));
        assert_eq!(sim.leader_of(id), Some(leader), "{version:?}");
        if sim.leader_count(leader) > 32 || !matches!(version, Version::V8_5 | Version::V9_0) {
            continue;
        }
        let Progress::Pending { stalled, .. } = run.probe().await else {
            unreachable!("{version:?}");
        };
        assert_eq!(stalled[0].code, "others_take_no_leaders", "{version:?}");
        let asked = Why {
            from_store_id: Some(store_id(leader)),
            what: Moving::Leaders,
            ..Why::default()
        };
        let found = asked.observe(&tikv(&sim)).await.unwrap().findings;
        let blocked = found.iter().filter(|one| one.code == "drain_blocked");
        assert!(blocked.count() > 0, "{version:?} {found:?}");
    }
}

/// Of a store with many regions, what PD lists as unhealthy is read, and the rest follows.
#[tokio::test]
async fn of_a_store_with_many_regions_lists_are_read() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, other, _) = region(&sim);
        altered(&sim, &format!("/store/{leader}"), |store| {
            store["status"]["region_count"] = json!(1_001);
        })
        .await;
        let run = Run::planned(&sim, "drain_store", store(leader)).await;
        assert_eq!(causes(&run), [], "{version:?}");
        assert_eq!((staying(&run), is_open(&run)), (Some(0), false));
        for other in others(&sim, id, leader) {
            sim.set_down(id, other, Some(Duration::from_secs(400)));
        }
        let run = Run::planned(&sim, "drain_store", store(leader)).await;
        assert_eq!(causes(&run)[0].0, "others_unhealthy", "{version:?}");
        // Two of three voters of any region may be where no leader may go.
        for other in others(&sim, id, leader) {
            sim.set_down(id, other, None);
        }
        sim.set_evicting(other, true);
        let one_refuses = Run::planned(&sim, "drain_store", store(leader)).await;
        let third = others(&sim, id, leader)
            .into_iter()
            .find(|one| *one != other);
        sim.set_evicting(third.unwrap(), true);
        let two_refuse = Run::planned(&sim, "drain_store", store(leader)).await;
        let unlisted = |run: &Run<'_>| {
            let mut unknowns = run.plan.unknowns.iter();
            unknowns.any(|one| one.contains("2 other stores take no leaders"))
        };
        assert!(!unlisted(&one_refuses) && unlisted(&two_refuse));
        assert_eq!(sim.received("GET", &format!("/regions/store/{leader}")), 0);
    }
}

/// PD goes on sending to leaders on stores that are silent, and does not show whether that gets
/// there: 6.5.12, 7.5.7 and 8.5.7 moved leaders and replicas of a store whose regions reported.
#[tokio::test]
async fn what_a_silent_store_leads_is_open_for_every_plan() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, other, free) = region(&sim);
        sim.set_heartbeat_age(leader, Duration::from_secs(60));
        let moves = json!({"region_id": id, "from_store_id": other, "to_store_id": free});
        let plans = [
            (
                "transfer_leader",
                json!({"region_id": id, "to_store_id": other}),
            ),
            ("transfer_peer", moves),
            ("drain_store", store(leader)),
            ("offline_store", store(other)),
        ];
        for (name, parameters) in plans {
            let run = Run::planned(&sim, name, parameters).await;
            assert_eq!(
                run.plan.verdict,
                Verdict::WouldProceed,
                "{version:?} {name}"
            );
            let mut unknown = run.plan.unknowns.iter();
            let is_open = unknown.any(|one| one.contains("sends no heartbeats"));
            assert!(is_open, "{version:?} {name}: {:?}", run.plan.unknowns);
        }
    }
}

#[tokio::test]
async fn the_emptying_of_a_store_names_the_regions_that_would_stay() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, ..) = region(&sim);
        let planned = async || causes(&Run::planned(&sim, "offline_store", store(leader)).await);
        assert_eq!(planned().await, [], "{version:?}");
        // One voter that answers is moved like any other.
        for other in others(&sim, id, leader) {
            sim.set_down(id, other, Some(Duration::from_secs(400)));
        }
        let lost = planned().await;
        assert_eq!(lost[0].0, "majority_lost", "{version:?}");
        assert!(lost[0].1.contains(&format!("region {id}")), "{lost:?}");
        for other in others(&sim, id, leader) {
            sim.set_down(id, other, None);
        }
        sim.set_leader(id, 0);
        assert_eq!(planned().await[0].0, "region_without_leader", "{version:?}");
    }
}

/// What a case of [`RULED`] sets: labels of the stores, rules and the store that is to go; and the
/// code of what holds the replicas there, if something does.
struct Ruled {
    zones: [&'static str; 5],
    rules: [(usize, &'static [&'static str]); 2],
    leaving: u64,
    held: Option<&'static str>,
}

/// PD 8.5.7 and 6.5.12 kept and moved the replicas of such regions in the same cases.
const RULED: [Ruled; 4] = [
    // No rule wants the replica, and the first lacks some that no store may hold.
    Ruled {
        zones: ["a", "b", "b", "c", "c"],
        rules: [(3, &["a"]), (0, &[])],
        leaving: 2,
        held: Some("rule_unsatisfiable"),
    },
    // The rule that wants it lacks one: stores 2 and 3 hold what the first wants.
    Ruled {
        zones: ["a", "b", "b", "a", "c"],
        rules: [(2, &["b"]), (3, &["a", "b"])],
        leaving: 1,
        held: Some("rule_unsatisfiable"),
    },
    // Another rule lacks one, and that which wants it has all.
    Ruled {
        zones: ["a", "b", "a", "a", "c"],
        rules: [(2, &["b"]), (2, &["a"])],
        leaving: 1,
        held: None,
    },
    // The only other store that its rule takes has a replica for the other rule.
    Ruled {
        zones: ["a", "b", "b", "b", "c"],
        rules: [(1, &["c"]), (3, &["b", "c"])],
        leaving: 2,
        held: Some("no_free_store"),
    },
];

impl Ruled {
    fn set(&self, sim: &Sim) {
        for (store, zone) in (1..).zip(self.zones) {
            sim.set_labels(store, [("zone", zone)]);
        }
        let rules = ["1", "2"].into_iter().zip(self.rules);
        let rules = rules.filter(|(_, (count, _))| *count > 0);
        let rule = |(id, (count, zones)): (_, (_, &[&'static str]))| {
            let rule = PlacementRule::new(id, RuleRole::Voter, count);
            rule.label_in("zone", zones.iter().copied())
        };
        sim.set_rules(rules.map(rule)).unwrap();
    }
}

fn advance(sim: &Sim, minutes: u64) {
    for _ in 0..minutes {
        sim.advance(Duration::from_secs(60));
    }
}

/// Codes of what holds the replicas of a store, as `why` and `doctor` find it.
async fn told(sim: &Sim, id: u64) -> [Vec<String>; 2] {
    let tikv = tikv(sim);
    let asked = Why {
        from_store_id: Some(store_id(id)),
        what: Moving::Replicas,
        ..Why::default()
    };
    let why = asked.observe(&tikv).await.unwrap().findings;
    let doctor = Doctor {}.observe(&tikv).await.unwrap().findings;
    [why, doctor].map(|found| found.into_iter().map(|one| one.code).collect())
}

/// Of each region by itself `why` says that its replica has no other place.
async fn is_told_of_regions(sim: &Sim, leaving: u64) {
    let is_there = |id: &u64| sim.peers(*id).iter().any(|peer| peer.store_id == leaving);
    for id in sim.region_ids().into_iter().filter(is_there).take(2) {
        let asked = Why {
            region_id: Some(crate::region_id(id)),
            what: Moving::Replicas,
            ..Why::default()
        };
        let found = asked.observe(&tikv(sim)).await.unwrap().findings;
        let one = found.iter().filter(|one| one.code == "no_free_store");
        let texts: Vec<&str> = one.map(|one| one.text.as_str()).collect();
        assert!(
            texts.len() == 1 && texts[0].contains("rule `pd/"),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn what_rules_hold_on_a_store_is_named_by_all_who_tell_of_it() {
    for version in VERSIONS {
        for case in RULED {
            let sim = stepped(version).start().await.unwrap();
            case.set(&sim);
            advance(&sim, 60);
            let leaving = case.leaving;
            let at_first = sim.region_count(leaving);
            assert!(at_first > 0, "{version:?}");
            let run = Run::begin(&sim, "offline_store", store(leaving)).await;
            let causes = causes(&run);
            let codes: Vec<&str> = causes.iter().map(|(code, _)| code.as_str()).collect();
            let held: Vec<&str> = case.held.into_iter().collect();
            assert_eq!(codes, held, "{version:?} {causes:?}");
            advance(&sim, 60);
            let left = sim.region_count(leaving);
            assert_eq!(left > 0, case.held.is_some(), "{version:?} {causes:?}");
            let Some(held) = case.held else { continue };
            assert_eq!(left, at_first, "{version:?} {causes:?}");
            assert_eq!(stalled(&run.probe().await), held, "{version:?}");
            let [why, doctor] = told(&sim, leaving).await;
            assert_eq!(why, ["no_free_store"], "{version:?}");
            is_told_of_regions(&sim, leaving).await;
            assert!(
                doctor.iter().any(|code| code == "no_free_store"),
                "{doctor:?}"
            );
        }
    }
}

/// From 7.5 on PD moves what another rule has, so that a rule that lacks a replica may have its place.
#[tokio::test]
async fn a_place_that_pd_exchanges_is_none_that_lacks() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let case = Ruled {
            zones: ["a", "b", "c", "a", "d"],
            rules: [(1, &["b", "c"]), (3, &["a", "b"])],
            leaving: 5,
            held: None,
        };
        assert!(sim.region_count(5) > 0);
        case.set(&sim);
        let run = Run::begin(&sim, "offline_store", store(5)).await;
        let causes = causes(&run);
        advance(&sim, 120);
        let left = sim.region_count(5);
        if version == Version::V6_5 {
            assert!(
                left > 0 && causes[0].0 == "rule_unsatisfiable",
                "{causes:?}"
            );
        } else {
            assert_eq!((left, &causes[..]), (0, &[][..]), "{version:?}");
        }
    }
}

/// What no rule wants is not said to go by waiting, where a rule lacks stores.
#[tokio::test]
async fn nobody_is_told_to_wait_for_a_rule_that_lacks_stores() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        RULED[0].set(&sim);
        advance(&sim, 60);
        let (id, ..) = region(&sim);
        let asked = Why {
            region_id: Some(crate::region_id(id)),
            ..Why::default()
        };
        let found = asked.observe(&tikv(&sim)).await.unwrap().findings;
        let next_of = |code: &str| {
            let one = found.iter().find(|one| one.code == code);
            one.unwrap_or_else(|| unreachable!("{code}: {found:?}"))
                .next
                .clone()
        };
        let of_region = next_of("rules_unsatisfied");
        assert!(
            of_region.starts_with("PD keeps extra replicas"),
            "{of_region}"
        );
        assert!(next_of("rule_unsatisfiable").starts_with("Add stores"));
    }
}

/// A group of rules may replace the groups before it: those ask for nothing then.
#[tokio::test]
async fn rules_of_a_group_that_is_replaced_ask_for_nothing() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_labels(1, [("zone", "a")]);
        let voters = PlacementRule::new("default", RuleRole::Voter, 3);
        sim.set_rules([voters.label_in("zone", ["a"])]).unwrap();
        let rule = json!({"group_id": "zones", "id": "all", "role": "voter", "count": 3});
        let doctor = async || Doctor {}.observe(&tikv(&sim)).await.unwrap().findings;
        let is_short = async || {
            let found = doctor().await;
            found.iter().any(|one| one.about == "rule/pd/default")
        };
        for (overrides, expected) in [(false, true), (true, false)] {
            let group = json!({"id": "zones", "index": 1, "override": overrides});
            for (path, body) in [("/config/rule", &rule), ("/config/rule_group", &group)] {
                assert_eq!(request(&sim, "POST", path, &body.to_string()).await, 200);
            }
            assert_eq!(is_short().await, expected, "{version:?} {overrides}");
        }
        advance(&sim, 60);
        let run = Run::begin(&sim, "offline_store", store(5)).await;
        assert_eq!(causes(&run), [], "{version:?}");
        advance(&sim, 60);
        assert_eq!(sim.region_count(5), 0, "{version:?}");
    }
}
