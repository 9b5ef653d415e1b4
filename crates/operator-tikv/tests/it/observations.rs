//! What observations show, what they cost, and what they leave out.

use std::time::Duration;

use action_core::{ActionRegistry, FailureKind, Observation, SubjectError};
use operator_tikv::{
    ClusterHealth, Doctor, Error, FindRegion, GetRegion, GetStore, KeyEncoding, KeyForm, Limit,
    ListDrains, ListMembers, ListOperators, ListSchedulers, ListStores, RowHandle, SchedulerState,
    TidbId, Tikv,
};
use pd_sim::{Fault, ForeignOperator, Sim, StoreState, Version};
use serde_json::json;

use crate::{VERSIONS, altered, region, region_id, request, stepped, store_id, tikv};

/// Looks, which takes this many requests and changes nothing.
async fn look<O: Observation<Tikv>>(sim: &Sim, observation: O, requests: usize) -> O::Output {
    look_at(sim, &tikv(sim), observation, requests)
        .await
        .unwrap()
}

async fn look_at<O: Observation<Tikv>>(
    sim: &Sim,
    tikv: &Tikv,
    observation: O,
    requests: usize,
) -> Result<O::Output, Error> {
    let before = sim.received_total();
    let output = observation.observe(tikv).await;
    assert_eq!(sim.received_total() - before, requests, "{}", O::NAME);
    assert!(sim.writes().is_empty(), "{}", O::NAME);
    output
}

#[tokio::test]
async fn lists_of_stores_and_drains_say_when_they_are_cut() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_labels(1, [("zone", "z1")]);
        for id in [2, 4, 5] {
            sim.set_evicting(id, true);
        }
        let all = look(&sim, ListStores::default(), 9).await;
        assert_eq!((all.stores.len(), all.total, all.cut), (5, 5, false));
        assert_eq!(all.stores[0].labels, ["zone=z1"]);
        let two = ListStores {
            limit: Limit::new(2).unwrap(),
            ..ListStores::default()
        };
        let two = look(&sim, two, 9).await;
        assert_eq!((two.stores.len(), two.total, two.cut), (2, 5, true));
        assert_eq!(two.stores, all.stores[..2]);

        let drains = ListDrains {
            limit: Limit::new(2).unwrap(),
        };
        let drains = look(&sim, drains, 9).await;
        assert_eq!(
            (drains.drains.len(), drains.total, drains.cut),
            (2, 3, true)
        );
        assert_eq!(drains.drains[1].lasting_effect, "evict-leader/4");
    }
}

#[tokio::test]
async fn one_store_and_one_region_take_few_reads() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, leader, other, _) = region(&sim);
        let get = |id| GetStore {
            store_id: store_id(id),
        };
        let store = look(&sim, get(leader), 10).await.store.unwrap();
        assert_eq!(store.leader_count, sim.leader_count(leader));
        assert_eq!(look(&sim, get(77), 1).await.store, None);

        sim.set_pending(id, other, true);
        sim.set_down(id, leader, Some(Duration::from_secs(400)));
        let get = |id| GetRegion {
            region_id: region_id(id),
        };
        let view = look(&sim, get(id), 2).await;
        let peer = |id| view.peers.iter().find(|peer| peer.store_id == store_id(id));
        assert!(peer(other).is_some_and(|peer| peer.pending && !peer.healthy));
        assert_eq!(peer(leader).and_then(|peer| peer.down_s), Some(400));
        assert!(!view.joint);
        let none = look(&sim, get(9_007_199_254_740_991), 1).await;
        assert!(!none.exists, "{version:?}");
    }
}

fn key(key: &str, form: KeyForm, encoding: KeyEncoding) -> FindRegion {
    FindRegion {
        key: Some(key.to_owned()),
        form: Some(form),
        encoding,
        ..FindRegion::default()
    }
}

#[tokio::test]
async fn a_table_an_index_and_a_row_of_tidb_are_found() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let of_table = |index_id, row_handle| FindRegion {
        table_id: TidbId::new(69),
        index_id,
        row_handle,
        ..FindRegion::default()
    };
    let row = Some(RowHandle::new(1));
    for (asked, key) in [
        (of_table(None, None), "7480000000000000FF4500000000000000F8"),
        (
            of_table(TidbId::new(2), None),
            "7480000000000000FF455F698000000000FF0000020000000000FA",
        ),
        (
            of_table(None, row),
            "7480000000000000FF455F728000000000FF0000010000000000FA",
        ),
    ] {
        let found = look(&sim, asked, 2).await;
        assert_eq!(found.key, key);
        assert!(found.region.is_some());
    }
}

#[test]
fn a_region_is_asked_for_in_one_way() {
    let mut registry = ActionRegistry::new();
    let pd = pd_client::Client::new("http://127.0.0.1:1").unwrap();
    registry.register(Tikv::new(pd)).unwrap();
    for (given, pointer) in [
        (json!({}), "/key"),
        (json!({"form": "hex"}), "/key"),
        (json!({"key": "61", "form": "hex", "table_id": 1}), "/key"),
        (json!({"form": "hex", "table_id": 1}), "/form"),
        (
            json!({"key": "61", "form": "hex", "row_handle": "1"}),
            "/table_id",
        ),
        (
            json!({"table_id": 1, "index_id": 1, "row_handle": "1"}),
            "/row_handle",
        ),
        (json!({"table_id": 0}), "/table_id"),
        (json!({"table_id": 1, "row_handle": "1.5"}), "/row_handle"),
    ] {
        let error = registry.validate("find_region", given.clone()).unwrap_err();
        assert_eq!(error.problems()[0].pointer, pointer, "{given}");
    }
    let given = json!({"table_id": 1, "row_handle": "-5"});
    assert!(registry.validate("find_region", given).is_ok());
}

#[tokio::test]
async fn a_key_is_found_in_every_form() {
    use KeyEncoding::{AsKept, AsWritten};
    use KeyForm::{Hex, Text};

    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let first = look(&sim, key("", Hex, AsKept), 2).await;
        let region = first.region.unwrap();
        assert_eq!(region.start_key, "", "{version:?}");

        // Behind the first border, in upper and in lower case.
        let border = region.end_key;
        for digits in [border.clone(), border.to_lowercase()] {
            let found = look(&sim, key(&digits, Hex, AsKept), 2).await;
            assert_eq!(found.key, border);
            let start = found.region.map(|region| region.start_key);
            assert_eq!(start, Some(border.clone()), "{version:?}");
        }
        let found = look(&sim, key("zzz", Text, AsKept), 2).await;
        assert_eq!(found.key, "7A7A7A");
        assert_eq!(
            found.region.map(|region| region.end_key),
            Some(String::new())
        );
        let found = look(&sim, key("zzz", Text, AsWritten), 2).await;
        assert_eq!(found.key, "7A7A7A0000000000FA");
    }
}

#[test]
fn a_key_that_is_not_hexadecimal_is_refused_before_anything_is_sent() {
    let mut registry = ActionRegistry::new();
    let pd = pd_client::Client::new("http://127.0.0.1:1").unwrap();
    registry.register(Tikv::new(pd)).unwrap();
    for wrong in ["7", "zz", "0x7A"] {
        let given = json!({"key": wrong, "form": "hex"});
        let error = registry.validate("find_region", given).unwrap_err();
        assert_eq!(error.problems()[0].pointer, "/key", "{wrong}");
    }
    let given = json!({"key": "zz", "form": "text"});
    assert!(registry.validate("find_region", given).is_ok());
    // Never guessed.
    let error = registry
        .validate("find_region", json!({"key": "61"}))
        .unwrap_err();
    assert_eq!(error.problems()[0].pointer, "/form");
}

#[tokio::test]
async fn operators_are_listed_oldest_first() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        for store in 1..=5 {
            sim.set_ignores_operators(store, true);
        }
        let ids: Vec<u64> = sim.region_ids()[..3].to_vec();
        for (at, id) in ids.iter().enumerate() {
            let leader = sim.leader_of(*id).unwrap();
            let free =
                (1..=5).find(|store| sim.peers(*id).iter().all(|peer| peer.store_id != *store));
            let mut operator =
                ForeignOperator::move_peer("balance-region", *id, leader, free.unwrap());
            if at == 1 {
                operator =
                    ForeignOperator::move_peer("admin-move-peer", *id, leader, free.unwrap())
                        .admin();
            }
            sim.insert_operator(operator).unwrap();
            sim.advance(Duration::from_secs(2));
        }
        let listed = ListOperators {
            limit: Limit::new(2).unwrap(),
        };
        let listed = look(&sim, listed, 1).await;
        assert_eq!((listed.total, listed.cut), (3, true), "{version:?}");
        let regions: Vec<_> = listed.operators.iter().map(|one| one.region_id).collect();
        assert_eq!(regions, [Some(region_id(ids[0])), Some(region_id(ids[1]))]);
        assert!(listed.operators[1].by_request && !listed.operators[0].by_request);
        assert_eq!(listed.by_desc[0].desc, "balance-region");
        assert_eq!(listed.by_desc[0].count, 2);
        let none = stepped(version).start().await.unwrap();
        assert_eq!(look(&none, ListOperators::default(), 1).await.total, 0);
    }
}

#[tokio::test]
async fn a_paused_scheduler_is_told_from_a_removed_one() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.advance(Duration::from_secs(1));
        let listed = look(&sim, ListSchedulers::default(), 3).await;
        assert!(
            listed
                .schedulers
                .iter()
                .all(|one| one.state == SchedulerState::Running)
        );
        assert!(listed.total >= 3, "{listed:?}");

        let (pause, remove) = (
            "/schedulers/balance-leader-scheduler",
            "/schedulers/balance-region-scheduler",
        );
        assert_eq!(request(&sim, "POST", pause, r#"{"delay":300}"#).await, 200);
        assert_eq!(request(&sim, "DELETE", remove, "").await, 200);
        let listed = ListSchedulers::default()
            .observe(&tikv(&sim))
            .await
            .unwrap();
        let of = |name: &str| {
            let mut all = listed.schedulers.iter();
            all.find(|one| one.name == name).unwrap()
        };
        let paused = of("balance-leader-scheduler");
        assert_eq!(paused.state, SchedulerState::Paused, "{version:?}");
        assert_eq!(
            paused.lasting_effect.as_deref(),
            Some("pause-scheduler/balance-leader-scheduler")
        );
        assert!(
            paused
                .resumes_in_s
                .is_some_and(|left| (290..=301).contains(&left)),
            "{paused:?}"
        );
        assert!(paused.paused_at_unix_ms.is_some());
        let removed = of("balance-region-scheduler");
        assert_eq!(removed.state, SchedulerState::Removed, "{version:?}");
    }
}

#[tokio::test]
async fn members_are_listed_with_their_leader() {
    for version in VERSIONS {
        let sim = stepped(version).members(3).start().await.unwrap();
        let listed = look(&sim, ListMembers::default(), 2).await;
        assert_eq!((listed.total, listed.healthy, listed.cut), (3, 3, false));
        let leads: Vec<_> = listed.members.iter().filter(|one| one.leads).collect();
        assert_eq!(leads.len(), 1, "{version:?}");
        assert_eq!(listed.leader.as_ref(), Some(&leads[0].name));
        // Text: larger than a double holds.
        let id = leads[0].member_id.as_ref().unwrap();
        assert!(id.parse::<u64>().unwrap() > 1 << 53, "{id}");
    }
}

#[tokio::test]
async fn health_counts_stores_by_state() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_heartbeat_age(2, Duration::from_secs(60));
        sim.set_heartbeat_age(3, Duration::from_secs(3_600));
        sim.set_store_state(4, StoreState::Offline);
        sim.set_evicting(1, true);
        let health = look(&sim, ClusterHealth::default(), 16).await;
        assert_eq!(health.stores, 5);
        let states = [
            health.stores_up,
            health.stores_disconnected,
            health.stores_down,
            health.stores_offline,
        ];
        assert_eq!(states, [2, 1, 1, 1], "{version:?}");
        assert_eq!(health.stores_draining, Some(1), "{version:?}");
        assert_eq!(health.regions, 20);
        assert!(health.bootstrapped && !health.scheduling_halted);

        let sim = stepped(version).bootstrapped(false).start().await.unwrap();
        let health = look(&sim, ClusterHealth::default(), 5).await;
        assert!(!health.bootstrapped && health.cluster_id.parse::<u64>().is_ok());
    }
}

/// Regions do not add to what any of these asks.
#[tokio::test]
async fn nothing_asks_for_all_regions() {
    let sim = stepped(Version::V8_5).regions(500).start().await.unwrap();
    let tikv = tikv(&sim);
    let mut registry = ActionRegistry::new();
    registry.register(tikv).unwrap();
    for (name, given) in [
        ("cluster_health", json!({})),
        ("list_stores", json!({})),
        ("list_operators", json!({})),
        ("list_drains", json!({})),
        ("list_schedulers", json!({})),
        ("list_members", json!({})),
        ("find_region", json!({"key": "", "form": "hex"})),
    ] {
        registry.observe(name, given).await.unwrap();
    }
    assert_eq!(
        sim.received("GET", "/regions"),
        ["/regions/key", "/regions/count", "/regions/range-holes"]
            .map(|path| sim.received("GET", path))
            .iter()
            .sum::<usize>()
    );
}

/// A member that finds no leader serves nothing, and does in a moment.
#[tokio::test]
async fn without_a_leader_a_read_is_unavailable_not_refused() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.fault(Fault::no_leader("GET", "/stores").always());
        let error = ListStores::default().observe(&tikv(&sim)).await;
        let kind = error.unwrap_err().kind();
        assert_eq!(kind, FailureKind::Unavailable, "{version:?}");
    }
}

/// One that PD tells nonsense of is shown as such, and spoils no list.
#[tokio::test]
async fn a_store_that_cannot_be_read_is_shown_as_such_beside_the_others() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let before = look(&sim, ListStores::default(), 9).await;
        altered(&sim, "/stores", |body| {
            let stores = body["stores"].as_array_mut().unwrap();
            for store in stores {
                match store["store"]["id"].as_u64() {
                    Some(2) => store["status"]["leader_count"] = json!(-1),
                    Some(3) => store["status"] = json!(null),
                    _ => {}
                }
            }
        })
        .await;
        let tikv = tikv(&sim);
        let all = ListStores::default().observe(&tikv).await.unwrap();
        let states: Vec<_> = all.stores.iter().map(|one| one.state.as_str()).collect();
        assert_eq!(
            states,
            ["Up", "unreadable", "Up", "Up", "Up"],
            "{version:?}"
        );
        assert_eq!(all.stores[2].region_count, 0);
        assert_eq!(all.stores[3..], before.stores[3..], "{version:?}");
        let health = ClusterHealth {}.observe(&tikv).await.unwrap();
        assert_eq!((health.stores, health.stores_up), (5, 4), "{version:?}");
        Doctor {}.observe(&tikv).await.unwrap();
    }
}
