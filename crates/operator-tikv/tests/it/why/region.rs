//! What is in the way of one region.

use std::time::Duration;

use action_core::Undo;
use operator_tikv::{Moving, Why};
use pd_sim::{ForeignOperator, PlacementRule, Role, RuleRole, Sim, StoreState, Version};

use super::{check, from, of_region, to, why};
use crate::harness::{Run, applied};
use crate::{VERSIONS, region, request, stepped, store_id};

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

/// Its plan would go ahead, as that of each next step.
#[tokio::test]
async fn a_competing_operator_is_cancelled_as_the_next_step_says() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, other, _) = region(&sim);
    sim.set_ignores_operators(leader, true);
    let operator = ForeignOperator::transfer_leader("balance-hot-leader", id, other);
    sim.insert_operator(operator).unwrap();
    let found = why(&sim, of_region(id)).await;
    let next = &found.findings[0].next;
    assert!(next.contains("`cancel_operator` and `others`"), "{next}");
    let parameters = serde_json::json!({"region_id": id, "others": true});
    let run = Run::planned(&sim, "cancel_operator", parameters).await;
    assert!(run.plan.verdict.may_be_sent(), "{:?}", run.plan.verdict);
}

/// The rule checker moves it, whose operators count under another limit.
#[tokio::test]
async fn a_region_on_an_offline_store_does_not_wait_for_balancing() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, other, _) = region(&sim);
        assert!(sim.set_schedule("region-schedule-limit", 0));
        check(&sim, of_region(id), &["schedule_limit_zero"]).await;
        sim.set_store_state(other, StoreState::Offline);
        check(&sim, of_region(id), &[]).await;
    }
}

/// The region and the store that is being emptied are told the same, by the same code.
#[tokio::test]
async fn a_region_is_told_what_keeps_it_on_a_store_that_is_being_emptied() {
    for version in VERSIONS {
        let sim = stepped(version).stores(3).start().await.unwrap();
        let (id, leader) = (sim.region_ids()[0], sim.leader_of(sim.region_ids()[0]));
        let on = sim.peers(id).into_iter().map(|peer| peer.store_id);
        let leaving = on.into_iter().find(|store| Some(*store) != leader).unwrap();
        sim.set_store_state(leaving, StoreState::Offline);
        let of_store = check(&sim, from(leaving, Moving::Replicas), &["no_free_store"]).await;
        for what in [Moving::Anything, Moving::Replicas] {
            let asked = Why {
                what,
                ..of_region(id)
            };
            let found = check(&sim, asked, &["no_free_store"]).await;
            assert_eq!(found.findings[0], of_store.findings[0], "{version:?}");
        }
        // Where leaders alone were asked about, and where the region leaves another store.
        let asked = |from: Option<u64>, what| Why {
            from_store_id: from.map(store_id),
            what,
            ..of_region(id)
        };
        check(&sim, asked(None, Moving::Leaders), &[]).await;
        check(&sim, asked(leader, Moving::Replicas), &["no_free_store"]).await;
    }
}

/// What is told of the region itself is not told again of the store that it is to leave.
#[tokio::test]
async fn what_is_told_of_a_region_is_told_once() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, leaving, _) = region(&sim);
        sim.set_store_state(leaving, StoreState::Offline);
        sim.set_leader(id, 0);
        check(&sim, of_region(id), &["region_without_leader"]).await;
        let path = "/schedulers/balance-region-scheduler";
        assert_eq!(request(&sim, "POST", path, r#"{"delay":300}"#).await, 200);
        check(&sim, of_region(id), &["region_without_leader"]).await;
    }
}

/// Where nothing is in the way of the region, that is said as it is of the store.
#[tokio::test]
async fn a_region_that_nothing_keeps_on_such_a_store_is_said_to_be_unexplained() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, _, leaving, _) = region(&sim);
    sim.set_store_state(leaving, StoreState::Offline);
    let found = check(&sim, of_region(id), &[]).await;
    let text = format!("what keeps region {id} on store {leaving}: no obstacle found");
    assert!(found.unknown.contains(&text), "{found:?}");
}

/// There is nothing to wait for.
#[tokio::test]
async fn replicas_that_no_store_is_there_for_are_not_waited_for() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, other, _) = region(&sim);
        sim.remove_peer(id, other);
        check(&sim, of_region(id), &["rules_unsatisfied"]).await;
        let replicas = r#"{"max-replicas": 6}"#;
        assert_eq!(request(&sim, "POST", "/config", replicas).await, 200);
        check(&sim, of_region(id), &["too_few_stores"]).await;
    }
}

#[tokio::test]
async fn a_rule_of_the_region_that_no_stores_are_there_for_is_found() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, ..) = region(&sim);
        sim.set_labels(leader, [("disk", "fast")]);
        let rule = PlacementRule::new("default", RuleRole::Voter, 3).label_in("disk", ["fast"]);
        sim.set_rules([rule]).unwrap();
        let found = why(&sim, of_region(id)).await;
        let mut codes = found.findings.iter().map(|one| one.code.as_str());
        assert_eq!(codes.next(), Some("rule_unsatisfiable"), "{found:?}");
    }
}

/// Where stores would have place, it is their limits that are told.
#[tokio::test]
async fn limits_that_let_nothing_in_are_why_a_replica_goes_nowhere() {
    for version in VERSIONS {
        let sim = stepped(version).stores(4).start().await.unwrap();
        let id = sim.region_ids()[0];
        let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
        let free = (1..=4).find(|store| !held.contains(store)).unwrap();
        let asked = Why {
            what: Moving::Replicas,
            ..of_region(id)
        };
        check(&sim, asked.clone(), &[]).await;
        let limit = r#"{"type":"add-peer","rate":0.0001}"#;
        let path = format!("/store/{free}/limit");
        assert_eq!(request(&sim, "POST", &path, limit).await, 200);
        check(&sim, asked, &["store_limit_low"]).await;
    }
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

/// A dead voter on a tombstone beside a spare learner is not waited for: it is removed, and nothing
/// brings it back there.
#[tokio::test]
async fn a_replica_on_a_tombstone_is_to_be_removed() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, other, free) = region(&sim);
        sim.add_peer(id, free, Role::Learner);
        sim.set_down(id, other, Some(Duration::from_secs(4_000)));
        sim.set_store_state(other, StoreState::Tombstone);
        let found = why(&sim, of_region(id)).await;
        let mut lost = found.findings.iter();
        let lost = lost.find(|one| one.code == "peer_on_removed_store");
        let lost = lost.unwrap_or_else(|| unreachable!("{version:?}: {found:?}"));
        assert!(
            found.findings.iter().all(|one| one.code != "peer_down"),
            "{found:?}"
        );
        let fix = lost.fix.as_ref().unwrap();
        let parameters = serde_json::Value::Object(fix.parameters.clone());
        // What is offered would go ahead, and is not taken back.
        let run = Run::begin(&sim, &fix.name, parameters).await;
        assert!(
            run.plan.verdict.may_be_sent(),
            "{version:?}: {:?}",
            run.plan.verdict
        );
        let ended = run.settled(60).await;
        applied(&ended, format!("{version:?}"));
        let Undo::None { reason } = run.undo(&ended) else {
            unreachable!("{version:?}");
        };
        assert!(reason.contains("tombstone"), "{reason}");
        assert!(sim.peers(id).iter().all(|peer| peer.store_id != other));
        assert!(sim.peers(id).iter().any(|peer| peer.store_id == leader));
    }
}

/// Where the others are no majority nothing can be removed, and nothing is offered.
#[tokio::test]
async fn no_removal_is_offered_that_would_not_go_ahead() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, _, _) = region(&sim);
    for peer in sim.peers(id) {
        if peer.store_id != leader {
            sim.set_down(id, peer.store_id, Some(Duration::from_secs(4_000)));
            sim.set_store_state(peer.store_id, StoreState::Tombstone);
        }
    }
    let found = why(&sim, of_region(id)).await;
    let majority = found.findings.iter();
    let mut majority = majority.filter(|one| one.code == "majority_lost");
    // Nobody starts a tombstone.
    let text = &majority.next().unwrap().text;
    assert!(
        text.contains("needs unsafe recovery") && !text.contains("start"),
        "{text}"
    );
    let lost = found
        .findings
        .iter()
        .filter(|one| one.code == "peer_on_removed_store");
    let lost: Vec<_> = lost.collect();
    assert_eq!(lost.len(), 2, "{found:?}");
    assert!(lost.iter().all(|one| one.fix.is_none()), "{found:?}");
}

/// A region whose leader `grant-leader` takes or holds, and its store: both ways.
#[tokio::test]
async fn what_is_granted_is_told_of_the_region_and_of_the_store() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, other, free) = region(&sim);
        let grant = format!(r#"{{"name":"grant-leader-scheduler","store_id":{other}}}"#);
        assert_eq!(request(&sim, "POST", "/schedulers", &grant).await, 200);
        let says = async |what: &str| {
            let found = check(&sim, of_region(id), &["leaders_granted"]).await;
            let text = &found.findings[0].text;
            assert!(text.contains(what), "{version:?}: {text}");
        };
        says(&format!("moves the leader of region {id} to store {other}")).await;
        sim.advance(Duration::from_secs(120));
        assert_eq!(sim.leader_of(id), Some(other), "{version:?}");
        says(&format!("holds the leader of region {id} on store {other}")).await;
        let leaves = ["leaders_granted", "nothing_asks"];
        check(&sim, from(other, Moving::Leaders), &leaves).await;
        // From 9.0 on it keeps leaders from going, and not from coming.
        let comes: &[&str] = if version == Version::V9_0 {
            &[]
        } else {
            &["leaders_granted"]
        };
        check(&sim, to(other, Moving::Leaders), comes).await;
        check(&sim, to(free, Moving::Leaders), &[]).await;
    }
}

/// What moves at random moves back as well.
#[tokio::test]
async fn a_scheduler_that_shuffles_is_told_of_a_region_too() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, ..) = region(&sim);
        let add = r#"{"name":"shuffle-leader-scheduler"}"#;
        assert_eq!(request(&sim, "POST", "/schedulers", add).await, 200);
        let asked = |what| Why {
            what,
            ..of_region(id)
        };
        check(&sim, asked(Moving::Leaders), &["scheduler_left"]).await;
        check(&sim, asked(Moving::Replicas), &[]).await;
    }
}
