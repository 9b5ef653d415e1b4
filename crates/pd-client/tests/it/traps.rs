//! Traps of PD's API that only show on a cluster that moves. `docs/pd-traps.md` lists them all.

use std::time::{Duration, SystemTime};

use pd_client::checkers::Checker;
use pd_client::hotspots::HotKind;
use pd_client::operators::{NewOperator, OperatorStatus, SplitPolicy};
use pd_client::stores::{StoreLife, StoreState};
use pd_client::{Client, Error, ErrorClass};
use pd_sim::{HotFlow, Outage, Version};

use crate::replay::Replay;
use crate::{region, simulated_pd, store};

const VERSIONS: [Version; 4] = [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0];

fn status(error: &Error) -> u16 {
    error.answer().unwrap().status
}

/// Trap 4.
#[tokio::test]
async fn accepted_is_not_done() {
    for version in VERSIONS {
        let (sim, pd) = simulated_pd(version, |builder| builder.executes_splits(false)).await;
        let id = region(sim.region_ids()[0]);
        let split = NewOperator::SplitRegion {
            region_id: id,
            policy: SplitPolicy::Approximate,
            keys: Vec::new(),
        };
        let accepted = pd.add_operator(split).await.unwrap();
        assert_eq!(accepted.message, "The operator is created.");
        sim.advance(Duration::from_secs(30));
        assert_eq!(pd.region_count().await.unwrap(), 60, "{version:?}");
        // A scatter that finds nothing to do is accepted with the same words.
        let scatter = NewOperator::ScatterRegion {
            region_id: region(sim.region_ids()[1]),
            group: None,
        };
        let accepted = pd.add_operator(scatter).await.unwrap();
        assert_eq!(accepted.message, "The operator is created.");
    }
}

/// Trap 9.
#[tokio::test]
async fn a_silent_store_is_up_by_number_and_down_by_name() {
    let (sim, pd) = simulated_pd(Version::V8_5, |builder| builder).await;
    sim.set_stuck(4, true);
    sim.advance(Duration::from_secs(31 * 60));
    let up = pd.stores_in(&[StoreLife::Up]).await.unwrap();
    let found = up.iter().find(|found| found.id == store(4)).unwrap();
    assert_eq!(found.state_name, StoreState::Down);
}

/// Trap 11.
#[tokio::test]
async fn a_store_is_removed_while_another_is_down() {
    let (sim, pd) = simulated_pd(Version::V8_5, |builder| builder.stores(4)).await;
    sim.set_stuck(4, true);
    sim.advance(Duration::from_secs(31 * 60));
    // Two healthy ones will be left for three replicas, and PD does not mind.
    pd.offline_store(store(3)).await.unwrap();
    let error = pd.offline_store(store(2)).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Refused);
    assert!(
        error
            .to_string()
            .contains("number of up stores would be 2 while need 3"),
        "{error}"
    );
}

/// Trap 12.
#[tokio::test]
async fn a_removal_taken_back_after_a_change_of_leader_leaves_its_limit() {
    for version in VERSIONS {
        for changes in [false, true] {
            let (sim, pd) = simulated_pd(version, |builder| builder.members(3)).await;
            let limit = async || {
                let config = pd.schedule_config().await.unwrap();
                config.store_limit[&store(5)].remove_peer
            };
            let before = limit().await;
            pd.offline_store(store(5)).await.unwrap();
            if changes {
                sim.change_leader(Duration::ZERO, Outage::NoLeader);
            }
            pd.cancel_offline(store(5)).await.unwrap();
            let after = limit().await;
            let expected = if changes { 1e8 } else { before };
            assert_eq!(after, expected, "{version:?} {changes}");
        }
    }
}

/// Trap 13.
#[tokio::test]
async fn pauses_are_forgotten_with_the_leader() {
    for version in VERSIONS {
        let (sim, pd) = simulated_pd(version, |builder| builder.members(3)).await;
        let hour = Duration::from_secs(3600);
        pd.pause_scheduler("balance-leader-scheduler", hour)
            .await
            .unwrap();
        pd.pause_checker(Checker::Merge, hour).await.unwrap();
        let paused = pd.paused_schedulers().await.unwrap();
        assert_eq!(paused[0].name, "balance-leader-scheduler");
        let times = (paused[0].paused_at.unwrap(), paused[0].resume_at.unwrap());
        assert_eq!(times.1.duration_since(times.0).unwrap(), hour);
        assert!(pd.checker_status(Checker::Merge).await.unwrap().paused);
        sim.change_leader(Duration::ZERO, Outage::NoLeader);
        assert_eq!(pd.paused_schedulers().await.unwrap(), []);
        assert!(!pd.checker_status(Checker::Merge).await.unwrap().paused);
        // Ending a pause that is not there is accepted.
        pd.resume_scheduler("balance-leader-scheduler")
            .await
            .unwrap();
        pd.resume_checker(Checker::Merge).await.unwrap();
    }
}

/// Trap 14.
#[tokio::test]
async fn a_scheduler_that_is_not_there_has_a_status_for_every_call() {
    for version in VERSIONS {
        let (_sim, pd) = simulated_pd(version, |builder| builder).await;
        let error = pd
            .pause_scheduler("nope", Duration::from_secs(1))
            .await
            .unwrap_err();
        assert_eq!((status(&error), error.is_not_found()), (500, true));
        let kind = pd_client::schedulers::SchedulerKind::ShuffleLeader;
        let error = pd.remove_scheduler(kind).await.unwrap_err();
        assert_eq!((status(&error), error.is_not_found()), (404, true));
        assert_eq!(pd.evict_leader_config().await.unwrap(), None);
        let error = pd.remove_evict_leader(store(3)).await.unwrap_err();
        assert_eq!((status(&error), error.is_not_found()), (404, true));
    }
}

/// Trap 18.
#[tokio::test]
async fn a_misspelt_item_is_refused() {
    for version in VERSIONS {
        let (_sim, pd) = simulated_pd(version, |builder| builder).await;
        let error = pd.set_config("leader-schedule-limti", 5).await.unwrap_err();
        assert_eq!((error.class(), status(&error)), (ErrorClass::Refused, 400));
        assert_eq!(
            error.to_string(),
            "config item leader-schedule-limti not found"
        );
        pd.set_config("leader-schedule-limit", 5).await.unwrap();
        assert_eq!(pd.schedule_config().await.unwrap().leader_schedule_limit, 5);
    }
}

/// Trap 27.
#[tokio::test]
async fn no_member_is_asked_to_answer_for_the_leader() {
    let replay = Replay::new(200, &[], "null");
    let pd = replay.client();
    let _ = pd.stores().await;
    let _ = pd.leader_only().leader().await;
    let _ = pd.offline_store(store(1)).await;
    let asked = replay.asked();
    assert!(asked.len() >= 2);
    for request in asked {
        assert!(!request.headers().contains_key("pd-allow-follower-handle"));
    }
}

/// Trap 28.
#[tokio::test]
async fn leaders_do_not_move_to_a_store_that_is_drained() {
    for version in VERSIONS {
        let (sim, pd) = simulated_pd(version, |builder| builder).await;
        pd.add_evict_leader_scheduler(store(2)).await.unwrap();
        let id = sim.region_ids().into_iter().find(|id| {
            let on_2 = sim.peers(*id).iter().any(|peer| peer.store_id == 2);
            on_2 && sim.leader_of(*id) != Some(2)
        });
        let error = pd
            .add_transfer_leader_operator(region(id.unwrap()), store(2))
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot create operator: target leader is not allowed"
        );
        let before = sim.region_count(2);
        sim.advance(Duration::from_secs(120));
        // Leaders have gone, replicas have not.
        assert_eq!((sim.leader_count(2), sim.region_count(2)), (0, before));
    }
}

/// Trap 31.
#[tokio::test]
async fn hot_spots_are_forgotten_with_the_leader() {
    let (sim, pd) = simulated_pd(Version::V8_5, |builder| builder.members(3)).await;
    let id = sim.region_ids()[0];
    let flow = HotFlow {
        is_read: false,
        bytes: 8_000_000,
        keys: 9_000,
        queries: 100,
        degree: 5,
    };
    sim.set_hot(id, Some(flow));
    let hot = |pd: Client| async move {
        let hot = pd.hot_regions(HotKind::Write, &[]).await.unwrap();
        let stores = hot.as_leader.into_values().flatten();
        stores.map(|store| store.statistics.len()).sum::<usize>()
    };
    assert_eq!(hot(pd.clone()).await, 1);
    sim.change_leader(Duration::ZERO, Outage::NoLeader);
    assert_eq!(hot(pd.clone()).await, 0);
}

/// Trap 32.
#[tokio::test]
async fn a_merge_is_recorded_for_both_regions() {
    for version in VERSIONS {
        let (sim, pd) = simulated_pd(version, |builder| builder).await;
        let (source, target) = neighbours_on_the_same_stores(&pd).await;
        let merge = NewOperator::MergeRegion { source, target };
        pd.add_operator(merge).await.unwrap();
        sim.advance(Duration::from_secs(10));
        assert_eq!(pd.region(source).await.unwrap(), None, "{version:?}");
        assert!(pd.region(target).await.unwrap().is_some());
        let records = pd.operator_records(SystemTime::UNIX_EPOCH).await.unwrap();
        let of = |id| {
            let mut records = records.iter();
            records.any(|record| record.operator.region_id == Some(id))
        };
        assert!(of(source) && of(target), "{version:?}");
    }
}

async fn neighbours_on_the_same_stores(pd: &Client) -> (pd_client::RegionId, pd_client::RegionId) {
    let two = std::num::NonZeroU16::new(2).unwrap();
    let regions = pd.regions_between("", "", two).await.unwrap();
    (regions[0].id, regions[1].id)
}

/// Trap 36.
#[tokio::test]
async fn a_refused_retry_hides_what_was_done() {
    let (sim, pd) = simulated_pd(Version::V8_5, |builder| builder).await;
    let id = region(sim.region_ids()[0]);
    pd.add_transfer_leader_operator(id, store(2)).await.unwrap();
    let first = pd.operator(id).await.unwrap().unwrap().operator.created;
    let error = pd
        .add_transfer_leader_operator(id, store(2))
        .await
        .unwrap_err();
    assert!(error.answer().unwrap().is_operator_in_the_way());
    // While the first one runs it is the one that is shown.
    let report = pd.operator(id).await.unwrap().unwrap();
    assert_eq!(
        (report.status, report.operator.created),
        (OperatorStatus::Running, first)
    );
    sim.advance(Duration::from_secs(2));
    let report = pd.operator(id).await.unwrap().unwrap();
    assert_eq!(
        (report.status, report.operator.created),
        (OperatorStatus::Success, first)
    );
}

/// Trap 37. Seen on 6.5.12 and 8.5.7, whose process was killed and started again.
#[tokio::test]
async fn after_its_start_pd_shows_neither_leaders_nor_schedulers() {
    for version in VERSIONS {
        let (sim, pd) = simulated_pd(version, |builder| builder).await;
        sim.set_evicting(2, true);
        sim.hold_store_heartbeats(true);
        sim.hold_region_heartbeats(true);
        sim.restart();
        let stores = pd.stores().await.unwrap();
        assert!(stores.iter().all(|one| one.status.leader_count == 0));
        assert!(stores.iter().all(|one| one.status.region_count > 0));
        assert!(
            stores
                .iter()
                .all(|one| one.status.capacity.as_str() == "0B")
        );
        let all = std::num::NonZeroU16::new(100).unwrap();
        let regions = pd.regions_between("", "", all).await.unwrap();
        assert!(regions.iter().all(|region| region.leader.is_none()));
        assert_eq!(pd.region_count().await.unwrap(), 60);
        assert_eq!(pd.schedulers().await.unwrap(), [""; 0], "{version:?}");
        assert_eq!(pd.evict_leader_config().await.unwrap(), None);
        assert!(pd.cluster_status().await.unwrap().is_initialized);
        let stored = pd.schedule_config().await.unwrap().rest["schedulers-v2"].to_string();
        assert!(stored.contains("evict-leader"), "{stored}");
        // Reports of stores change nothing of that, those of regions do.
        sim.hold_store_heartbeats(false);
        sim.advance(Duration::from_secs(20));
        assert_eq!(pd.evict_leader_config().await.unwrap(), None);
        sim.hold_region_heartbeats(false);
        sim.advance(Duration::from_secs(20));
        let loaded = |names: &Vec<String>| !names.is_empty();
        let read = |pd: Client| async move { pd.schedulers().await };
        let names = pd.read_until(Duration::ZERO, read, loaded).await.unwrap();
        assert!(names.len() > 1, "{version:?}: {names:?}");
        assert!(pd.evict_leader_config().await.unwrap().is_some());
    }
}

/// Trap 38. Seen on 6.5.12 and 8.5.7.
#[tokio::test]
async fn a_drain_asked_for_too_early_makes_pd_forget_the_others() {
    for version in VERSIONS {
        let (sim, pd) = simulated_pd(version, |builder| builder).await;
        sim.set_evicting(4, true);
        sim.hold_region_heartbeats(true);
        sim.restart();
        pd.add_evict_leader_scheduler(store(2)).await.unwrap();
        let names = pd.schedulers().await.unwrap();
        assert_eq!(names, ["evict-leader-scheduler"], "{version:?}");
        sim.hold_region_heartbeats(false);
        sim.advance(Duration::from_secs(20));
        assert_eq!(sim.evicting(), [2], "{version:?}");
    }
}
