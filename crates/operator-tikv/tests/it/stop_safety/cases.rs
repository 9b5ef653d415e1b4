//! One case at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use action_core::{
    ActionError, ActionRegistry, FailureKind, Observation, Safety, SubjectError as _,
};
use operator_tikv::{GoneBecause, Loss, SafeToStop, Tikv};
use pd_sim::{Fault, PlacementRule, Role, RuleRole, Sim, StoreState, Version};
use serde_json::{Value, json};

use super::{check, look, look_by, scan, undecided, unsafe_ids};
use crate::{VERSIONS, altered, altered_store, get, stepped, tikv};

use Safety::{NotKnown, NotSafe, Safe};

/// Regions that have a replica on each of these stores.
fn shared(sim: &Sim, stores: &[u64]) -> BTreeSet<u64> {
    let ids = sim.region_ids().into_iter();
    let holds = |id: u64, store: u64| sim.peers(id).iter().any(|peer| peer.store_id == store);
    ids.filter(|id| stores.iter().all(|store| holds(*id, *store)))
        .collect()
}

/// More regions on each store than are read one by one.
async fn large(version: Version) -> Sim {
    let sim = stepped(version).stores(4).regions(1_400);
    sim.start().await.unwrap()
}

#[tokio::test]
async fn one_store_is_safe_where_all_is_well_and_two_are_not() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let seen = look(&sim, &[1]).await;
        check(&seen, Safe, "each of the 12 regions");
        assert_eq!((seen.regions_looked_at, seen.regions), (12, 20));
        let seen = look(&sim, &[1, 2]).await;
        check(&seen, NotSafe, "would lose their majority");
        assert_eq!(unsafe_ids(&seen), shared(&sim, &[1, 2]), "{version:?}");
        let region = &seen.unsafe_regions[0];
        assert_eq!(
            (region.loses, region.voters, region.voters_left),
            (Loss::Majority, 3, 1)
        );
        assert!(
            region.replicas[0].ends_with("Voter: would go down"),
            "{region:?}"
        );
        // Every 1 and 3 of five in a row share regions, and all stores are too many.
        let all = look(&sim, &[1, 2, 3, 4, 5]).await;
        check(&all, NotSafe, "no serving TiKV store would be left");
        assert_eq!(all.unsafe_total, 20);
    }
}

#[tokio::test]
async fn a_large_cluster_is_told_by_what_pd_lists() {
    for version in VERSIONS {
        let sim = large(version).await;
        let seen = look(&sim, &[1]).await;
        check(&seen, Safe, "PD lists");
        let two = look(&sim, &[1, 2]).await;
        check(&two, NotKnown, "`scan_safe_to_stop` reads all regions");
        assert_eq!(undecided(&two), ["may_share_regions"], "{version:?}");
        let two = scan(&sim, &[1, 2]).await;
        check(&two, NotSafe, "would lose their majority");
        assert_eq!(two.unsafe_total, shared(&sim, &[1, 2]).len() as u64);
        assert!(!two.cut && two.unsafe_regions.len() as u64 == two.unsafe_total);

        let ids = sim.region_ids();
        let id = *ids
            .iter()
            .find(|id| shared(&sim, &[1, 2]).contains(id))
            .unwrap();
        sim.set_pending(id, 2, true);
        let seen = look(&sim, &[1]).await;
        check(&seen, NotSafe, "1 region would lose its majority");
        assert_eq!(unsafe_ids(&seen), [id].into());
    }
}

/// Which regions have replicas on a store that is gone is not listed, unless they are few.
#[tokio::test]
async fn a_store_that_is_gone_elsewhere_leaves_it_open() {
    let sim = large(Version::V8_5).await;
    sim.set_store_state(2, StoreState::Offline);
    let seen = look(&sim, &[1]).await;
    // PD lists regions with a replica on a store that is being emptied.
    check(&seen, NotSafe, "would lose their majority");
    assert_eq!(undecided(&seen), ["gone_elsewhere"]);
    assert_eq!(seen.counted_as_gone[0].why, GoneBecause::Offline);

    let sim = large(Version::V8_5).await;
    sim.set_heartbeat_age(2, Duration::from_secs(90));
    let seen = look(&sim, &[1]).await;
    check(&seen, NotKnown, "replicas on store 2 are counted as gone");
    let all = scan(&sim, &[1]).await;
    assert_eq!(all.unsafe_total, shared(&sim, &[1, 2]).len() as u64);
    // That PD does not hear of it does not say that it is down: its replicas vote, for all we know.
    check(&look(&sim, &[2]).await, Safe, "safe: none of");
    sim.set_heartbeat_age(1, Duration::from_secs(90));
    let all = scan(&sim, &[2]).await;
    assert_eq!(all.unsafe_total, shared(&sim, &[1, 2]).len() as u64);
}

#[tokio::test]
async fn what_is_gone_or_may_go_elsewhere_counts() {
    type Change = fn(&Sim);
    let changes: [(Change, GoneBecause); 4] = [
        (
            |sim| sim.set_heartbeat_age(2, Duration::from_secs(90)),
            GoneBecause::NotHeard,
        ),
        (
            |sim| sim.set_store_state(2, StoreState::Offline),
            GoneBecause::Offline,
        ),
        (
            |sim| {
                sim.set_store_state(2, StoreState::Offline);
                sim.set_heartbeat_age(2, Duration::from_secs(90));
            },
            GoneBecause::NotHeard,
        ),
        (|sim| sim.set_evicting(2, true), GoneBecause::Draining),
    ];
    for (change, why) in changes {
        for version in VERSIONS {
            let sim = stepped(version).start().await.unwrap();
            change(&sim);
            let seen = look(&sim, &[1]).await;
            check(&seen, NotSafe, "would lose their majority");
            assert_eq!(unsafe_ids(&seen), shared(&sim, &[1, 2]), "{why:?}");
            assert_eq!(seen.counted_as_gone[0].why, why);
        }
    }
    // The store that is asked for may be drained itself.
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_evicting(1, true);
    check(&look(&sim, &[1]).await, Safe, "keeps its majority");
}

#[tokio::test]
async fn stores_that_take_nothing_with_them_are_safe() {
    let sim = stepped(Version::V8_5)
        .tiflash_stores(2)
        .start()
        .await
        .unwrap();
    for id in sim.region_ids() {
        sim.add_peer(id, 6, Role::Learner);
    }
    let seen = look(&sim, &[6]).await;
    check(&seen, Safe, "hold no voter");
    assert!(seen.stores[0].tiflash && seen.stores[0].regions == 20);
    // A learner elsewhere is no voter more.
    sim.set_heartbeat_age(6, Duration::from_secs(90));
    check(&look(&sim, &[1]).await, Safe, "keeps its majority");
    sim.set_store_state(7, StoreState::Tombstone);
    check(&look(&sim, &[7]).await, Safe, "");
    sim.set_heartbeat_age(3, Duration::from_secs(90));
    check(&look(&sim, &[3]).await, Safe, "keeps its majority");
    // Nor is it down where another is: with it the majority of both goes.
    sim.set_heartbeat_age(2, Duration::from_secs(90));
    check(&look(&sim, &[3]).await, NotSafe, "majority");
    sim.set_heartbeat_age(2, Duration::ZERO);
    check(&look(&sim, &[3, 2]).await, NotSafe, "majority");
}

async fn ask(sim: &Sim, given: Value) -> Result<Value, ActionError> {
    let mut registry = ActionRegistry::new();
    registry.register::<Tikv>(tikv(sim)).unwrap();
    registry.observe("safe_to_stop", given).await
}

#[tokio::test]
async fn stores_are_named_by_id_or_by_label() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    for (store, zone) in [(1, "a"), (2, "a"), (3, "b")] {
        sim.set_labels(store, [("zone", zone)]);
    }
    let zone = ask(&sim, json!({"label": "zone=a"})).await.unwrap();
    assert_eq!(zone["stores"][1]["store_id"], "2");
    assert_eq!(zone["answer"], "not_safe");
    for (given, code) in [
        (json!({}), "invalid_parameters"),
        (json!({"store_ids": []}), "invalid_parameters"),
        (json!({"store_ids": ["1", 1]}), "invalid_parameters"),
        (
            json!({"label": "zone=a", "store_ids": ["1"]}),
            "invalid_parameters",
        ),
        (json!({"label": "zone"}), "invalid_parameters"),
        (json!({"label": "zone=c"}), "no_store"),
        (json!({"store_ids": ["77"]}), "no_store"),
    ] {
        let error = ask(&sim, given.clone()).await.unwrap_err();
        assert_eq!(error.code(), code, "{given}");
        assert_eq!(error.kind(), FailureKind::InvalidInput, "{given}");
    }
}

#[tokio::test]
async fn a_region_with_no_majority_already_must_not_lose_more() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let id = sim.region_ids()[0];
    let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
    let [first, second, third] = held[..] else {
        unreachable!("{held:?}");
    };
    sim.set_leader(id, first);
    sim.set_down(id, second, Some(Duration::from_secs(900)));
    sim.set_down(id, third, Some(Duration::from_secs(900)));
    let loses = async |stores: &[u64]| {
        let seen = look(&sim, stores).await;
        let regions = seen.unsafe_regions.into_iter();
        let mut of_it = regions.filter(|region| region.region_id.get() == id);
        of_it.next().map(|region| region.loses)
    };
    assert_eq!(loses(&[first]).await, Some(Loss::LastReplica));
    // It is down, its store is not: without it the region does not come back.
    assert_eq!(loses(&[second]).await, Some(Loss::VoterWithoutMajority));
    let free = (1..=5).find(|store| !held.contains(store)).unwrap();
    sim.add_peer(id, free, Role::Learner);
    assert_eq!(loses(&[first]).await, Some(Loss::VoterWithoutMajority));
    assert_eq!(loses(&[free]).await, None, "it has no vote");
    assert_eq!(loses(&[first, free]).await, Some(Loss::LastReplica));
}

#[tokio::test]
async fn between_two_sets_of_voters_both_must_keep_their_majority() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let id = sim.region_ids()[0];
    let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
    let leader = sim.leader_of(id).unwrap();
    let free: Vec<u64> = (1..=5).filter(|store| !held.contains(store)).collect();
    // Two voters that stay, of which one is asked for; one more comes, and one goes.
    let other = *held.iter().find(|store| **store != leader).unwrap();
    let third = *held
        .iter()
        .find(|store| ![leader, other].contains(store))
        .unwrap();
    sim.remove_peer(id, third);
    sim.add_peer(id, third, Role::DemotingVoter);
    sim.add_peer(id, free[0], Role::IncomingVoter);
    assert!(!unsafe_ids(&look(&sim, &[other]).await).contains(&id));
    sim.set_pending(id, free[0], true);
    assert!(unsafe_ids(&look(&sim, &[other]).await).contains(&id));
    assert!(!unsafe_ids(&look(&sim, &[third]).await).contains(&id));
}

/// A witness has a vote, and holds nothing that could be served.
#[tokio::test]
async fn witnesses_vote_and_do_not_lead() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let id = *shared(&sim, &[1]).iter().next().unwrap();
    altered(&sim, "/regions/store/1", |body| {
        let regions = body["regions"].as_array_mut().unwrap();
        let region = regions.iter_mut().find(|one| one["id"] == id).unwrap();
        for peer in region["peers"].as_array_mut().unwrap() {
            peer["is_witness"] = json!(peer["store_id"] != 1);
        }
    })
    .await;
    let seen = look(&sim, &[1]).await;
    check(&seen, NotSafe, "its last replica that can lead");
    assert_eq!(unsafe_ids(&seen), [id].into());
}

#[tokio::test]
async fn after_pds_start_nothing_is_known_until_regions_have_reported() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let tikv = tikv(&sim);
        check(&look_by(&tikv, &sim, &[1]).await, Safe, "");
        // A start is told in seconds.
        sim.advance(Duration::from_secs(60));
        sim.hold_store_heartbeats(true);
        sim.hold_region_heartbeats(true);
        sim.restart();
        for stores in [&[1][..], &[1, 2], &[1, 2, 3, 4, 5]] {
            check(
                &look_by(&tikv, &sim, stores).await,
                NotKnown,
                "not known yet",
            );
            check(&scan(&sim, stores).await, NotKnown, "not known yet");
        }
        sim.hold_store_heartbeats(false);
        sim.hold_region_heartbeats(false);
        sim.advance(Duration::from_secs(90));
        check(&look_by(&tikv, &sim, &[1]).await, Safe, "");
    }
}

/// Each that had the time to report, and has no leader that PD knows, is named.
#[tokio::test]
async fn a_region_without_a_leader_is_not_known_to_be_kept() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let id = *shared(&sim, &[1]).iter().next().unwrap();
    sim.set_leader(id, 0);
    let seen = look(&sim, &[1]).await;
    assert_eq!(undecided(&seen), ["counts_incomplete"], "{seen:#?}");
    sim.hold_region_heartbeats(true);
    sim.advance(Duration::from_secs(130));
    for seen in [look(&sim, &[1]).await, scan(&sim, &[1]).await] {
        check(&seen, NotKnown, &format!("such as {id}"));
        assert_eq!(undecided(&seen), ["no_leader"]);
    }
}

#[tokio::test]
async fn rules_that_ask_for_few_voters_make_one_store_too_many() {
    let rule = |count| PlacementRule::new("default", RuleRole::Voter, count);
    let sim = stepped(Version::V8_5).stores(2).regions(1_100);
    let sim = sim.start().await.unwrap();
    sim.set_rules([rule(2)]).unwrap();
    let seen = look(&sim, &[1]).await;
    check(&seen, NotSafe, "rules require 2 voters");
    assert_eq!(seen.reasons[0].code, "too_few_voters");
    // For some keys only: which regions those are is not listed.
    sim.set_rules([
        rule(3),
        PlacementRule::new("few", RuleRole::Voter, 1).range("75", "76"),
    ])
    .unwrap();
    assert_eq!(look(&sim, &[1]).await.answer, NotSafe);
    // PD lists nothing yet of what a change of rules has made too few.
    sim.set_rules([rule(3)]).unwrap();
    altered(&sim, "/regions/check/miss-peer", |body| {
        *body = json!({"count": 0, "regions": []});
    })
    .await;
    let seen = look(&sim, &[1]).await;
    check(&seen, NotKnown, "PD lists 0 as missing");
    assert_eq!(undecided(&seen), ["replicas_missing"]);
}

#[tokio::test]
async fn a_list_that_is_too_long_is_not_read_and_leaves_it_open() {
    let sim = stepped(Version::V8_5)
        .stores(3)
        .tiflash_stores(1)
        .regions(1_100);
    let sim = sim.start().await.unwrap();
    for id in sim.region_ids() {
        sim.add_peer(id, 4, Role::Learner);
    }
    check(&look(&sim, &[1]).await, Safe, "1100 regions");
    let pd = pd_client::Client::builder().endpoints(sim.endpoint());
    let pd = pd.body_cap(200_000).build().unwrap();
    let seen = look_by(&Tikv::new(pd), &sim, &[1]).await;
    check(&seen, NotKnown, "`extra-peer` was not read");
    assert_eq!(undecided(&seen), ["list_too_long"; 2]);
}

/// Members of PD go down with a host they share with a store.
#[tokio::test]
async fn pds_quorum_counts_where_members_live_on_the_hosts() {
    let sim = stepped(Version::V8_5).members(3).start().await.unwrap();
    check(&look(&sim, &[1]).await, Safe, "");
    altered(&sim, "/members", |body| {
        for (at, host) in [(0, "TIKV-1"), (1, "tikv-2"), (2, "tikv-2")] {
            body["members"][at]["peer_urls"] = json!([format!("http://{host}:2380")]);
        }
    })
    .await;
    let one = look(&sim, &[1]).await;
    check(&one, Safe, "");
    assert_eq!(one.pd_members, ["pd0"]);
    let two = look(&sim, &[2]).await;
    check(
        &two,
        NotSafe,
        "1 of 3 healthy members would be left, and PD needs 2",
    );
    assert_eq!(
        (two.reasons[0].code.as_str(), two.unsafe_total),
        ("pd_quorum", 0)
    );
    sim.stop_member(2).await;
    check(&look(&sim, &[1]).await, NotSafe, "pd0");
}

#[tokio::test]
async fn other_stores_on_the_host_are_named() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    altered_store(&sim, 2, |store| {
        store["store"]["address"] = json!("tikv-1:20161");
    })
    .await;
    let seen = look(&sim, &[1]).await;
    check(&seen, Safe, "");
    assert_eq!(seen.stores_beside, [crate::store_id(2)]);
}

#[tokio::test]
async fn what_pd_could_not_replace_is_said() {
    let sim = stepped(Version::V8_5).stores(3).start().await.unwrap();
    let seen = look(&sim, &[1]).await;
    check(&seen, Safe, "");
    assert_eq!(seen.not_replaced[0].code, "too_few_healthy_stores");
    let sim = stepped(Version::V8_5).start().await.unwrap();
    assert!(look(&sim, &[1]).await.not_replaced.is_empty());
}

#[tokio::test]
async fn a_leader_of_pd_that_changes_meanwhile_leaves_it_open() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let mut leader = get(&sim, "/leader").await;
    leader["name"] = json!("pd-other");
    let body = leader.to_string();
    let later = Fault::answer("GET", "/leader", 200, "application/json", &body);
    sim.fault(later.after(1).always());
    let asked = SafeToStop {
        label: None,
        store_ids: super::ids(&[1]),
        ..SafeToStop::default()
    };
    let seen = asked.observe(&tikv(&sim)).await.unwrap();
    check(&seen, NotKnown, "the PD leader changed");
}

/// A region that PD does not show is not one that is kept.
#[tokio::test]
async fn a_scan_sees_where_no_region_is_shown() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    check(&scan(&sim, &[1]).await, Safe, "each of 20 regions");
    altered(&sim, "/regions", |body| {
        body["regions"].as_array_mut().unwrap().remove(7);
    })
    .await;
    let mut all = get(&sim, "/regions").await;
    sim.clear_faults();
    all["count"] = json!(19);
    let body = all.to_string();
    sim.fault(Fault::answer("GET", "/regions/key", 200, "application/json", &body).always());
    let seen = scan(&sim, &[1]).await;
    check(&seen, NotKnown, "no region for 1 key ranges");
}

/// What a store says that it holds, and a list does not show, is not known; nor is it safe where
/// the answer contradicts itself.
#[tokio::test]
async fn a_list_that_lacks_what_the_store_holds_proves_nothing() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    check(&look(&sim, &[1]).await, Safe, "each of the 12 regions");
    let whole = get(&sim, "/regions/store/1").await;
    let list = |held: usize, count: usize| {
        let regions = whole["regions"].as_array().unwrap();
        json!({"count": count, "regions": regions[..held]}).to_string()
    };
    let answer = |body: &str| {
        sim.clear_faults();
        let path = "/regions/store/1";
        sim.fault(Fault::answer("GET", path, 200, "application/json", body).always());
    };
    for held in [0, 5] {
        answer(&list(held, held));
        let seen = look(&sim, &[1]).await;
        let words = format!("PD reports 12 regions on store 1 but lists {held} of them");
        check(&seen, NotKnown, &words);
        assert_eq!(undecided(&seen), ["regions_unlisted"]);
    }
    // Regions may have come and gone since the store was read.
    answer(&list(6, 6));
    check(&look(&sim, &[1]).await, Safe, "each of the 6 regions");
    let asked = SafeToStop {
        store_ids: super::ids(&[1]),
        ..SafeToStop::default()
    };
    for body in [
        &list(0, 12),
        r#"{"count":12}"#,
        r#"{"count":0}"#,
        "[]",
        "{}",
    ] {
        answer(body);
        let error = asked.observe(&tikv(&sim)).await.unwrap_err();
        let code = error.code();
        assert_eq!(
            code.as_deref(),
            Some("unreadable_answer"),
            "{body}: {error:?}"
        );
    }
}

/// A store of which PD says nothing that can be read may hold anything.
#[tokio::test]
async fn a_store_that_cannot_be_read_is_not_safe() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let tikv = tikv(&sim);
    check(&look_by(&tikv, &sim, &[1]).await, Safe, "each of the 12");
    altered_store(&sim, 1, |store| store["status"]["leader_count"] = json!(-1)).await;
    let seen = look_by(&tikv, &sim, &[1]).await;
    check(&seen, NotKnown, "store 1");
    assert_eq!(undecided(&seen), ["store_unreadable"]);
}

/// Of two voters that are left one lags: it has its vote all the same, and both are needed.
#[tokio::test]
async fn a_voter_that_lags_is_needed_where_few_are_left() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_schedule("replica-schedule-limit", 0);
    let id = sim.region_ids()[0];
    let leader = sim.leader_of(id).unwrap();
    let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
    let others: Vec<u64> = held.into_iter().filter(|store| *store != leader).collect();
    sim.remove_peer(id, others[1]);
    sim.set_pending(id, others[0], true);
    for store in [leader, others[0]] {
        for seen in [look(&sim, &[store]).await, scan(&sim, &[store]).await] {
            check(&seen, NotSafe, "1 region would lose its");
            assert_eq!(unsafe_ids(&seen), [id].into());
        }
    }
}
