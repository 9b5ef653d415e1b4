//! After PD's process starts, until heartbeats are in: what it does not show yet proves nothing.

use std::time::Duration;

use action_core::{ActionRegistry, Mutation, Observation, Progress, SettledState, Verdict};
use operator_tikv::{
    CheckInvariants, ClusterHealth, Doctor, DrainStore, GetStore, ListDrains, ListSchedulers,
    ListStores, OfflineStore, PauseScheduler, ResumeScheduler, StopDrain, Tikv, Why,
};
use pd_sim::{Fault, Sim, Version};
use serde_json::json;

use crate::{Sending, VERSIONS, request, stepped, store_id, tikv};

const DRAIN_2: &str = r#"{"name": "evict-leader-scheduler", "store_id": 2}"#;

fn drain() -> DrainStore {
    DrainStore {
        store_id: store_id(2),
    }
}

/// PD is started anew, and hears of nothing.
fn restart(sim: &Sim) {
    // PD says in whole seconds since when it runs.
    sim.advance(Duration::from_secs(5));
    sim.hold_store_heartbeats(true);
    sim.hold_region_heartbeats(true);
    sim.restart();
    sim.advance(Duration::from_secs(1));
}

/// Stores are heard of, their regions are not.
fn stores_report(sim: &Sim) {
    sim.hold_store_heartbeats(false);
    sim.advance(Duration::from_secs(11));
}

fn regions_report(sim: &Sim) {
    sim.hold_region_heartbeats(false);
    sim.advance(Duration::from_secs(11));
}

#[tokio::test]
async fn counts_are_incomplete_until_regions_report() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let tikv = tikv(&sim);
        let seen = async || ListStores::default().observe(&tikv).await.unwrap();
        assert_eq!(seen().await.counts_incomplete, None);
        restart(&sim);
        let silent = seen().await.counts_incomplete.unwrap();
        assert!(
            silent.contains("has had no heartbeat of store 1"),
            "{silent}"
        );
        stores_report(&sim);
        let stores = seen().await;
        let text = stores.counts_incomplete.unwrap();
        assert!(text.contains("not known yet"), "{text}");
        assert!(text.contains("the leader of 0 of 20 regions"), "{text}");
        assert!(stores.stores.iter().all(|one| one.leader_count == 0));
        assert_eq!(stores.stores[1].draining, None, "{version:?}");
        let one = GetStore {
            store_id: store_id(2),
        };
        let one = one.observe(&tikv).await.unwrap();
        assert_eq!(one.counts_incomplete, Some(text), "{version:?}");
        regions_report(&sim);
        let stores = seen().await;
        assert_eq!(stores.counts_incomplete, None, "{version:?}");
        assert_eq!(stores.stores[1].draining, Some(false));
    }
}

/// Whether counts are complete is asked once of each process that leads PD.
#[tokio::test]
async fn counts_that_were_complete_are_not_counted_again() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let tikv = tikv(&sim);
    let look = async || ListStores::default().observe(&tikv).await.unwrap();
    for _ in 0..3 {
        look().await;
    }
    assert_eq!(sim.received("GET", "/regions/count"), 1);
    restart(&sim);
    stores_report(&sim);
    for asked in 2..4 {
        look().await;
        assert_eq!(sim.received("GET", "/regions/count"), asked);
    }
    regions_report(&sim);
    for _ in 0..3 {
        look().await;
    }
    assert_eq!(sim.received("GET", "/regions/count"), 4);
}

/// PD counts no leader that it was not told of. The drain is in force, and nothing has moved.
#[tokio::test]
async fn no_drain_is_proven_by_leaders_that_pd_does_not_know() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let tikv = tikv(&sim);
        let before = drain().plan(&tikv).await.unwrap().before;
        restart(&sim);
        // Asked for in the window it is in force at once, and this was not us.
        assert_eq!(request(&sim, "POST", "/schedulers", DRAIN_2).await, 200);
        let sending = Sending::now(&sim);
        let probe = async || drain().probe(&tikv, &before, &sending.sent(&sim)).await;
        for _ in 0..6 {
            let progress = probe().await.unwrap();
            assert!(matches!(progress, Progress::Pending { .. }), "{progress:?}");
            stores_report(&sim);
        }
        let Progress::Pending { summary, .. } = probe().await.unwrap() else {
            unreachable!("{version:?}");
        };
        assert!(summary.contains("such as"), "{summary}");
        assert!(
            summary.contains("the leader of 0 of 20 regions"),
            "{summary}"
        );
        assert!(sim.leader_count(2) > 0, "{version:?}");
        regions_report(&sim);
        for _ in 0..40 {
            match probe().await.unwrap() {
                Progress::Applied { .. } => break,
                Progress::Pending { .. } => sim.advance(Duration::from_secs(1)),
                other => unreachable!("{other:?}"),
            }
        }
        assert!(matches!(probe().await.unwrap(), Progress::Applied { .. }));
        assert_eq!(sim.leader_count(2), 0, "{version:?}");
    }
}

/// A region without a leader that has a replica on the store may be led by it, until it is overdue;
/// one that has none may not.
#[tokio::test]
async fn a_region_without_a_leader_counts_where_it_has_a_replica() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_evicting(2, true);
    sim.advance(Duration::from_secs(60));
    assert_eq!(sim.leader_count(2), 0);
    let holds = |id: &u64| sim.peers(*id).iter().any(|peer| peer.store_id == 2);
    let ids = sim.region_ids();
    let elsewhere = *ids.iter().find(|id| !holds(id)).unwrap();
    let here = *ids.iter().find(|id| holds(id)).unwrap();
    let tikv = tikv(&sim);
    let before = drain().plan(&tikv).await.unwrap().before;
    let sending = Sending::now(&sim);
    sim.advance(Duration::from_secs(11));
    let probe = async || {
        drain()
            .probe(&tikv, &before, &sending.sent(&sim))
            .await
            .unwrap()
    };
    sim.set_leader(elsewhere, 0);
    let progress = probe().await;
    assert!(matches!(progress, Progress::Applied { .. }), "{progress:?}");
    sim.set_leader(here, 0);
    let Progress::Pending { summary, .. } = probe().await else {
        unreachable!("region {here} may be led by store 2");
    };
    assert!(summary.contains(&format!("such as {here}")), "{summary}");
    sim.advance(Duration::from_secs(120));
    let progress = probe().await;
    assert!(matches!(progress, Progress::Applied { .. }), "{progress:?}");
}

/// How long regions may take to report is what was set.
/// A region that PD had not written down before its process ended is unknown to it until its leader
/// reports: the shape of the answer is that of PD 8.5.7 after 15 splits and a kill.
#[tokio::test]
async fn what_pd_has_forgotten_is_not_counted_as_absent() {
    const HOLE: &str = r#"[["7200000100000000FB", "7480000000000000FF0F00000000000000FA"]]"#;
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let holes = Fault::answer("GET", "/regions/range-holes", 200, "application/json", HOLE);
        sim.fault(holes.always());
        let tikv = tikv(&sim);
        let stores = ListStores::default().observe(&tikv).await.unwrap();
        let text = stores.counts_incomplete.unwrap();
        assert!(text.contains("none for 1 key ranges"), "{text}");
        let doctor = Doctor {}.observe(&tikv).await.unwrap();
        assert!(!doctor.not_known_yet.is_empty(), "{version:?}: {doctor:?}");

        // Nor is a store shown to lead nothing by what is counted.
        let before = drain().plan(&tikv).await.unwrap().before;
        assert_eq!(request(&sim, "POST", "/schedulers", DRAIN_2).await, 200);
        let sending = Sending::now(&sim);
        for _ in 0..60 {
            if sim.leader_count(2) > 0 {
                sim.advance(Duration::from_secs(1));
            }
        }
        assert_eq!(sim.leader_count(2), 0, "{version:?}");
        let probe = drain().probe(&tikv, &before, &sending.sent(&sim)).await;
        let Progress::Pending { summary, .. } = probe.unwrap() else {
            unreachable!("{version:?}");
        };
        assert!(summary.contains("key ranges"), "{summary}");
    }
}

#[tokio::test]
async fn regions_may_be_configured_to_report_more_often() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_evicting(2, true);
    sim.advance(Duration::from_secs(60));
    let held = |id: &&u64| sim.peers(**id).iter().any(|peer| peer.store_id == 2);
    let ids = sim.region_ids();
    sim.set_leader(*ids.iter().find(held).unwrap(), 0);
    let often = tikv(&sim).with_region_heartbeat_interval(Duration::from_secs(5));
    let before = drain().plan(&often).await.unwrap().before;
    let sending = Sending::now(&sim);
    sim.advance(Duration::from_secs(12));
    let progress = drain()
        .probe(&often, &before, &sending.sent(&sim))
        .await
        .unwrap();
    assert!(matches!(progress, Progress::Applied { .. }), "{progress:?}");
}

#[tokio::test]
async fn nothing_is_concluded_from_schedulers_that_are_not_loaded() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        sim.set_evicting(2, true);
        let tikv = tikv(&sim);
        let begun = drain().plan(&tikv).await.unwrap().before;
        restart(&sim);
        stores_report(&sim);
        let stop = StopDrain {
            store_id: store_id(2),
        };
        let other = DrainStore {
            store_id: store_id(4),
        };
        let errors = [
            ListDrains::default().observe(&tikv).await.err(),
            ListSchedulers::default().observe(&tikv).await.err(),
            stop.plan(&tikv).await.err(),
            drain().plan(&tikv).await.err(),
            other.plan(&tikv).await.err(),
        ];
        for error in errors {
            let text = error.unwrap().to_string();
            assert!(text.starts_with("not known yet"), "{version:?}: {text}");
        }
        let health = ClusterHealth {}.observe(&tikv).await.unwrap();
        assert_eq!(health.stores_draining, None);
        let left = Doctor {}.observe(&tikv).await.unwrap();
        for not_yet in [health.not_known_yet, left.not_known_yet] {
            let not_yet = not_yet.join("; ");
            assert!(
                not_yet.contains("drains and paused schedulers"),
                "{not_yet}"
            );
            assert!(not_yet.contains("stores and regions report"), "{not_yet}");
        }
        let mut sending = Sending::now(&sim);
        sending.at -= Duration::from_secs(20);
        for progress in [
            drain().probe(&tikv, &begun, &sending.sent(&sim)).await,
            stop.probe(&tikv, &begun, &sending.sent(&sim)).await,
        ] {
            let Progress::Pending { summary, .. } = progress.unwrap() else {
                unreachable!("{version:?}");
            };
            assert!(summary.starts_with("not known yet"), "{summary}");
        }
        // What was applied just before is not reversed: it is not known.
        let settled = drain().settled(&tikv, &begun, &sending.sent(&sim)).await;
        let settled = settled.unwrap();
        assert_eq!(settled.state, SettledState::NotKnown, "{settled:?}");
        // Nor is what we left in force long ago called gone.
        let in_force = async || {
            let sent = sending.sent(&sim);
            drain().still_in_force(&tikv, &begun, &sent).await.unwrap()
        };
        let unknown = in_force().await;
        assert_eq!(unknown.state, SettledState::NotKnown, "{unknown:?}");
        regions_report(&sim);
        assert_eq!(in_force().await.state, SettledState::Held);
        let drains = ListDrains::default().observe(&tikv).await.unwrap();
        assert_eq!(drains.total, 1, "{version:?}");
        assert!(stop.plan(&tikv).await.unwrap().verdict.may_be_sent());
        let removed = request(&sim, "DELETE", "/schedulers/evict-leader-scheduler-2", "");
        assert_eq!(removed.await, 200, "{version:?}");
        let gone = in_force().await;
        assert_eq!(gone.state, SettledState::Reversed, "{version:?}");
    }
}

/// What finds nothing says what it does not know yet, and nothing of it once regions have reported.
#[tokio::test]
async fn what_finds_nothing_says_what_is_not_known_yet() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let tikv = tikv(&sim);
        let seen = async || {
            let why = Why::default().observe(&tikv).await.unwrap().not_known_yet;
            let left = Doctor {}.observe(&tikv).await.unwrap().not_known_yet;
            let checked = CheckInvariants::default().observe(&tikv).await.unwrap();
            let health = ClusterHealth {}.observe(&tikv).await.unwrap();
            [why, left, checked.not_known_yet, health.not_known_yet]
        };
        let nothing: [Vec<String>; 4] = Default::default();
        assert_eq!(seen().await, nothing, "{version:?}");
        restart(&sim);
        let silent = "what stores and regions report: not known yet: PD was started";
        for not_yet in seen().await {
            assert!(not_yet[0].starts_with(silent), "{version:?}: {not_yet:?}");
        }
        stores_report(&sim);
        let [why, left, checked, health] = seen().await;
        assert_eq!(checked.len(), 1, "{version:?}: {checked:?}");
        for not_yet in [why, left, health] {
            assert!(
                not_yet[1].contains("schedulers"),
                "{version:?}: {not_yet:?}"
            );
        }
        regions_report(&sim);
        assert_eq!(seen().await, nothing, "{version:?}");
    }
}

/// Pauses are of schedulers that are there: before they are loaded nothing is known of them.
#[tokio::test]
async fn nothing_is_concluded_of_pauses_from_schedulers_that_are_not_loaded() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let tikv = tikv(&sim);
        let asked = json!({"scheduler": "balance-region-scheduler", "seconds": 600});
        let pause: PauseScheduler = serde_json::from_value(asked).unwrap();
        let resume = ResumeScheduler {
            scheduler: pause.scheduler.clone(),
        };
        let before = pause.plan(&tikv).await.unwrap().before;
        let mut sending = Sending::now(&sim);
        sending.accepted = pause.send(&tikv, &before, &sending.attempt).await.ok();
        restart(&sim);
        stores_report(&sim);
        let errors = [
            pause.plan(&tikv).await.err(),
            resume.plan(&tikv).await.err(),
        ];
        for error in errors {
            let text = error.unwrap().to_string();
            assert!(text.starts_with("not known yet"), "{version:?}: {text}");
        }
        let sent = sending.sent(&sim);
        let unknown = pause.still_in_force(&tikv, &before, &sent).await.unwrap();
        assert_eq!(unknown.state, SettledState::NotKnown, "{version:?}");
        for progress in [
            pause.probe(&tikv, &before, &sending.sent(&sim)).await,
            resume.probe(&tikv, &before, &sending.sent(&sim)).await,
        ] {
            let Progress::Pending { summary, .. } = progress.unwrap() else {
                unreachable!("{version:?}");
            };
            assert!(summary.starts_with("not known yet"), "{summary}");
        }
        regions_report(&sim);
        // PD keeps pauses in memory only.
        let sent = sending.sent(&sim);
        let gone = pause.still_in_force(&tikv, &before, &sent).await.unwrap();
        assert_eq!(gone.state, SettledState::Reversed, "{version:?}");
        let progress = pause.probe(&tikv, &before, &sending.sent(&sim)).await;
        let Progress::NotApplied { cause, .. } = progress.unwrap() else {
            unreachable!("{version:?}");
        };
        assert_eq!(cause.code, "pause_lost");
        let plan = resume.plan(&tikv).await.unwrap();
        assert!(matches!(plan.verdict, Verdict::NoOp { .. }), "{version:?}");
        assert!(pause.plan(&tikv).await.unwrap().verdict.may_be_sent());
    }
}

/// An undo is planned as its inverse is: what is not known is no reason to leave it alone.
#[tokio::test]
async fn what_is_not_known_yet_may_be_asked_for_again() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_evicting(2, true);
    restart(&sim);
    let mut registry = ActionRegistry::new();
    registry.register::<Tikv>(tikv(&sim)).unwrap();
    let error = registry.plan("stop_drain", json!({"store_id": "2"})).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), "not_known_yet");
    assert_eq!(error.kind(), action_core::FailureKind::Unavailable);
}

/// Who may wait for answers waits for this one.
#[tokio::test]
async fn what_is_not_known_yet_is_waited_for() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    sim.set_evicting(2, true);
    restart(&sim);
    stores_report(&sim);
    let asked = || sim.received("GET", "/schedulers");
    let before = asked();
    let heartbeats = async {
        while asked() < before + 2 {
            tokio::task::yield_now().await;
        }
        regions_report(&sim);
    };
    let list = ListDrains::default();
    let patient = tikv(&sim).waiting(Duration::from_secs(60));
    let (drains, ()) = tokio::join!(list.observe(&patient), heartbeats);
    assert_eq!(drains.unwrap().total, 1);
}

/// Replicas are counted by the regions as PD loaded them, which is said.
#[tokio::test]
async fn what_is_left_of_an_offline_store_is_told_with_what_is_not_known() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let tikv = tikv(&sim);
    let offline = OfflineStore {
        store_id: store_id(2),
    };
    let before = offline.plan(&tikv).await.unwrap().before;
    let mut sending = Sending::now(&sim);
    sending.accepted = offline.send(&tikv, &before, &sending.attempt).await.ok();
    restart(&sim);
    let progress = offline.probe(&tikv, &before, &sending.sent(&sim)).await;
    let Progress::Pending { summary, .. } = progress.unwrap() else {
        unreachable!("it is not empty");
    };
    assert!(summary.contains("not known yet"), "{summary}");
}
