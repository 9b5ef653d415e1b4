//! What is planned is what PD then does: each case is planned, sent, and compared.

use std::time::Duration;

use action_core::{Attempt, Mutation, Verdict};
use operator_tikv::{
    DrainStore, Error, MergeRegions, PauseScheduler, PauseSeconds, SchedulerName, StopDrain, Tikv,
    TransferLeader, TransferPdLeader, TransferPeer,
};
use pd_sim::{ForeignOperator, PlacementRule, Role, RuleRole, Sim, StoreState, Version};
use serde_json::json;

use crate::harness::Run;
use crate::{VERSIONS, altered, region, region_id, request, stepped, store_id, tikv};

/// Plans and sends; both must come to the same refusal, in PD's words.
#[track_caller]
fn same_refusal(verdict: &Verdict, sent: Result<action_core::Accepted, Error>, case: &str) {
    let Verdict::WouldReject { text, .. } = verdict else {
        unreachable!("{case}: planned {verdict:?}, PD said {sent:?}");
    };
    let error = match sent {
        Err(Error::Send(error)) => error,
        other => unreachable!("{case}: planned {verdict:?}, PD said {other:?}"),
    };
    let words = error.answer().map(|answer| answer.message.clone());
    assert_eq!(words.as_ref(), Some(text), "{case}");
}

async fn check<M: Mutation<Tikv>>(sim: &Sim, action: M, case: &str) {
    let tikv = tikv(sim);
    let (before, writes) = (sim.received_total(), sim.writes().len());
    let plan = action.plan(&tikv).await.unwrap();
    assert!(
        sim.received_total() - before <= 14,
        "{case}: too many reads"
    );
    assert_eq!(sim.writes().len(), writes, "{case}: a plan reads only");
    let sent = action
        .send(&tikv, &plan.before, &Attempt::untracked())
        .await;
    same_refusal(&plan.verdict, sent, case);
}

fn to_leader(id: u64, to: u64) -> TransferLeader {
    TransferLeader {
        region_id: region_id(id),
        to_store_id: store_id(to),
    }
}

fn move_peer(id: u64, from: u64, to: u64) -> TransferPeer {
    TransferPeer {
        region_id: region_id(id),
        from_store_id: store_id(from),
        to_store_id: store_id(to),
    }
}

/// Sets a fixture before a case; gets the region, its leader, another voter, and a free store.
type Fixture = fn(&Sim, u64, u64, u64, u64);

#[tokio::test]
async fn leader_transfers_are_refused_as_planned() {
    let cases: [(&str, Fixture); 8] = [
        ("pending", |sim, id, _, other, _| {
            sim.set_pending(id, other, true)
        }),
        ("down", |sim, id, _, other, _| {
            sim.set_down(id, other, Some(Duration::from_secs(400)))
        }),
        ("evicting", |sim, _, _, other, _| {
            sim.set_evicting(other, true)
        }),
        ("offline", |sim, _, _, other, _| {
            sim.set_store_state(other, StoreState::Offline)
        }),
        ("disconnected", |sim, _, _, other, _| {
            sim.set_heartbeat_age(other, Duration::from_secs(60))
        }),
        ("silent for an hour", |sim, _, _, other, _| {
            sim.set_heartbeat_age(other, Duration::from_secs(3_600))
        }),
        ("admin operator", |sim, id, _, _, free| {
            sim.insert_operator(
                ForeignOperator::move_peer("admin-move-peer", id, sim.leader_of(id).unwrap(), free)
                    .admin(),
            )
            .unwrap();
        }),
        ("no voter", |sim, id, _, other, _| {
            sim.remove_peer(id, other)
        }),
    ];
    for version in VERSIONS {
        for (case, fixture) in cases {
            let sim = stepped(version).start().await.unwrap();
            let (id, leader, other, free) = region(&sim);
            fixture(&sim, id, leader, other, free);
            check(&sim, to_leader(id, other), &format!("{version:?} {case}")).await;
        }
        let sim = stepped(version).start().await.unwrap();
        check(&sim, to_leader(9_007_199_254_740_991, 1), "no region").await;
    }
}

#[tokio::test]
async fn moves_are_refused_as_planned() {
    let cases: [(&str, Fixture); 4] = [
        ("tombstone", |sim, _, _, _, free| {
            sim.set_store_state(free, StoreState::Tombstone)
        }),
        ("silent for an hour", |sim, _, _, _, free| {
            sim.set_heartbeat_age(free, Duration::from_secs(3_600))
        }),
        ("learner there", |sim, id, _, _, free| {
            sim.add_peer(id, free, Role::Learner)
        }),
        ("admin operator", |sim, id, _, other, _| {
            sim.insert_operator(
                ForeignOperator::transfer_leader("admin-transfer-leader", id, other).admin(),
            )
            .unwrap();
        }),
    ];
    for version in VERSIONS {
        for (case, fixture) in cases {
            let sim = stepped(version).start().await.unwrap();
            let (id, leader, other, free) = region(&sim);
            fixture(&sim, id, leader, other, free);
            check(
                &sim,
                move_peer(id, other, free),
                &format!("{version:?} {case}"),
            )
            .await;
        }
        let sim = stepped(version).start().await.unwrap();
        let (id, _, other, free) = region(&sim);
        check(&sim, move_peer(id, free, other), "no peer").await;
        check(&sim, move_peer(id, other, 77), "no store").await;
        check(&sim, move_peer(9_007_199_254_740_991, 1, 2), "no region").await;
    }
}

#[tokio::test]
async fn drains_are_refused_as_planned() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let action = DrainStore {
            store_id: store_id(77),
        };
        check(&sim, action, &format!("{version:?} no store")).await;
        // With a drain in force PD asks itself, and passes on what it hears in quotes.
        sim.set_evicting(1, true);
        let action = DrainStore {
            store_id: store_id(77),
        };
        check(
            &sim,
            action,
            &format!("{version:?} no store, drain in force"),
        )
        .await;
        if version == Version::V9_0 {
            continue;
        }
        for (in_force, store) in [(true, 2), (false, 3)] {
            sim.set_evicting(1, in_force);
            let grant = format!(r#"{{"name":"grant-leader-scheduler","store_id":{store}}}"#);
            request(&sim, "POST", "/schedulers", &grant).await;
            let action = DrainStore {
                store_id: store_id(store),
            };
            check(&sim, action, &format!("{version:?} granted, {in_force}")).await;
        }
    }
}

#[tokio::test]
async fn a_member_that_does_not_answer_is_not_made_the_leader() {
    for version in VERSIONS {
        let sim = stepped(version).members(3).start().await.unwrap();
        sim.stop_member(1).await;
        let action = TransferPdLeader {
            member: "pd1".to_owned(),
        };
        check(&sim, action, &format!("{version:?} dead member")).await;
        assert_eq!(sim.leader_name().as_deref(), Some("pd0"), "{version:?}");
    }
}

/// PD of some versions panics there; what it would say cannot be compared.
#[tokio::test]
async fn without_a_cluster_everything_is_refused() {
    for version in VERSIONS {
        let sim = stepped(version).bootstrapped(false).start().await.unwrap();
        let tikv = tikv(&sim);
        let verdicts = [
            to_leader(1, 1).plan(&tikv).await.unwrap().verdict,
            move_peer(1, 1, 2).plan(&tikv).await.unwrap().verdict,
            DrainStore {
                store_id: store_id(1),
            }
            .plan(&tikv)
            .await
            .unwrap()
            .verdict,
            StopDrain {
                store_id: store_id(1),
            }
            .plan(&tikv)
            .await
            .unwrap()
            .verdict,
        ];
        for verdict in verdicts {
            assert!(
                matches!(&verdict, Verdict::WouldReject { code, .. } if code == "PD:cluster:ErrNotBootstrapped"),
                "{version:?}: {verdict:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_pause_that_is_there_is_displaced_and_named() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let scheduler = "balance-leader-scheduler";
        let pause = |seconds: u64| json!({"scheduler": scheduler, "seconds": seconds});
        let planned = async |seconds| Run::planned(&sim, "pause_scheduler", pause(seconds)).await;
        assert_eq!(planned(60).await.plan.verdict, Verdict::WouldProceed);
        Run::begin(&sim, "pause_scheduler", pause(600)).await;
        for (seconds, effect) in [(60, "shortens it to 60 s"), (900, "lengthens it to 900 s")] {
            let run = planned(seconds).await;
            let Verdict::WouldDisplace { displaced } = &run.plan.verdict else {
                unreachable!("{version:?}: {:?}", run.plan.verdict);
            };
            assert!(displaced.contains("in force until 20"), "{displaced}");
            assert!(displaced.contains(effect), "{version:?}: {displaced}");
        }
    }
}

#[tokio::test]
async fn where_the_replica_that_goes_leads_the_leader_does_not_come_back() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, other, free) = region(&sim);
    let says = async |from: u64| {
        let moves = json!({"region_id": id, "from_store_id": from, "to_store_id": free});
        let removes = json!({"region_id": id, "store_id": from});
        let mut says = Vec::new();
        for (name, parameters) in [("transfer_peer", moves), ("remove_peer", removes)] {
            let run = Run::planned(&sim, name, parameters).await;
            let unknowns = run.plan.unknowns.iter();
            says.push(
                unknowns
                    .filter(|one| one.contains("not the leader"))
                    .count(),
            );
        }
        says
    };
    assert_eq!(says(leader).await, [1, 1]);
    assert_eq!(says(other).await, [0, 0]);
}

#[tokio::test]
async fn a_schedulers_operator_is_displaced_and_named() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, other, free) = region(&sim);
    let foreign = ForeignOperator::move_peer("balance-region", id, leader, free);
    sim.insert_operator(foreign).unwrap();
    let plan = to_leader(id, other).plan(&tikv(&sim)).await.unwrap();
    let Verdict::WouldDisplace { displaced } = plan.verdict else {
        unreachable!("{plan:?}");
    };
    assert!(displaced.starts_with("balance-region {"), "{displaced}");
    let sent = to_leader(id, other)
        .send(&tikv(&sim), &plan.before, &Attempt::untracked())
        .await;
    assert!(sent.is_ok(), "{sent:?}");
}

#[tokio::test]
async fn a_drain_that_will_not_get_on_says_why() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let action = DrainStore {
        store_id: store_id(1),
    };
    sim.set_schedule("leader-schedule-limit", 0);
    assert!(sim.set_schedule("halt-scheduling", "true"));
    for other in 2..=5 {
        sim.set_heartbeat_age(other, Duration::from_secs(60));
    }
    let plan = action.plan(&tikv(&sim)).await.unwrap();
    let Verdict::AcceptedButWillNotProgress { causes } = plan.verdict else {
        unreachable!("{plan:?}");
    };
    let codes: Vec<_> = causes.iter().map(|cause| cause.code.as_str()).collect();
    let expected = [
        "leader_schedule_limit_zero",
        "scheduling_halted",
        "no_target",
    ];
    assert_eq!(codes, expected);
}

/// Whether the region still serves depends on the replicas that stay.
#[tokio::test]
async fn a_removal_says_which_of_the_others_lag() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, other, _) = region(&sim);
    let third = sim.peers(id).into_iter().map(|peer| peer.store_id);
    let third = third.filter(|store| *store != leader && *store != other);
    let removes = json!({"region_id": id, "store_id": other});
    let lag = async || {
        let run = Run::planned(&sim, "remove_peer", removes.clone()).await;
        run.plan
            .unknowns
            .iter()
            .any(|one| one.contains("1 of the other replicas lag"))
    };
    assert!(!lag().await);
    let run = Run::planned(&sim, "remove_peer", removes.clone()).await;
    assert!(!run.plan.unknowns.join("; ").contains("other replicas"));
    for store in third {
        sim.set_pending(id, store, true);
    }
    assert!(lag().await);
}

/// Likely and at most, in milliseconds, as the actions' descriptions say: 20 ms for each MiB that is
/// copied, and PD's time-outs.
#[tokio::test]
async fn how_long_it_takes_follows_from_what_is_copied() {
    let times = |run: &Run<'_>| {
        let duration = run.plan.duration.as_ref().unwrap();
        (duration.likely_ms, duration.at_most_ms)
    };
    for (size, at_most) in [(50, 660_000), (500, 3_060_000)] {
        let sim = stepped(Version::V8_5).start().await.unwrap();
        let (id, _, _, free) = region(&sim);
        sim.set_region_size(id, i64::try_from(size).unwrap());
        let adds = json!({"region_id": id, "store_id": free});
        let run = Run::planned(&sim, "add_peer", adds).await;
        assert_eq!(times(&run), (1_000 + 20 * size, at_most), "{size}");
        // A merge copies to the stores of the neighbour that hold nothing of the region.
        let pd = pd_client::Client::new(sim.endpoint()).unwrap();
        let region = pd_client::RegionId::new(id).unwrap();
        let border = pd.region(region).await.unwrap().unwrap().end_key;
        let next = pd.region_by_key(&border).await.unwrap().unwrap().id.get();
        let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
        let missing = sim.peers(next).into_iter();
        let missing = missing.filter(|peer| !held.contains(&peer.store_id));
        let copied = size * u64::try_from(missing.count()).unwrap();
        let merge = json!({"source_region_id": id, "target_region_id": next});
        let run = Run::planned(&sim, "merge_regions", merge).await;
        let expected = (1_000 + 20 * copied, 600_000 + 6_000 * copied);
        assert_eq!(times(&run), expected, "{size}");
    }
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, _, other, _) = region(&sim);
    let operator = ForeignOperator::transfer_leader("some-leader", id, other).admin();
    sim.insert_operator(operator).unwrap();
    let run = Run::planned(&sim, "cancel_operator", json!({"region_id": id})).await;
    assert_eq!(times(&run), (1_000, 17_000));
    let leaders = sim.leader_count(2);
    let run = Run::planned(&sim, "drain_store", json!({"store_id": "2"})).await;
    let likely = 1_000 + 125 * leaders;
    assert_eq!(times(&run), (likely, 20 * likely));
    // An hour at least, a week at most.
    for (size, expected) in [
        (100, (62_000, 3_600_000)),
        (1_000_000, (20_060_000, 401_200_000)),
        (10_000_000, (200_060_000, 604_800_000)),
    ] {
        altered(&sim, "/store/2", |store| {
            store["status"]["region_size"] = json!(size)
        })
        .await;
        let run = Run::planned(&sim, "offline_store", json!({"store_id": "2"})).await;
        assert_eq!(times(&run), expected, "{size}");
        sim.clear_faults();
    }
}

/// Before PD has loaded its schedulers one that is not listed may be there all the same, and a drain
/// that somebody asked for since is listed alone.
#[tokio::test]
async fn a_scheduler_that_is_not_listed_may_not_be_loaded_yet() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    altered(&sim, "/schedulers", |names| {
        *names = json!(["evict-leader-scheduler"])
    })
    .await;
    let action = PauseScheduler {
        scheduler: SchedulerName::new("balance-region-scheduler").unwrap(),
        seconds: PauseSeconds::new(60).unwrap(),
    };
    let planned = action.plan(&tikv(&sim)).await;
    assert!(
        matches!(planned, Err(Error::NotKnownYet { .. })),
        "{planned:?}"
    );
}

/// A leader that becomes a learner takes a joint state, of which PD speaks in other words.
#[tokio::test]
async fn a_merge_that_leaves_nobody_to_lead_is_refused_as_planned() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        assert!(sim.set_schedule("replica-schedule-limit", 0));
        assert!(sim.set_schedule("region-schedule-limit", 0));
        let rules = [
            ("voters", RuleRole::Voter, 2),
            ("learners", RuleRole::Learner, 1),
        ];
        let rules = rules.map(|(id, role, count)| PlacementRule::new(id, role, count));
        sim.set_rules(rules).unwrap();
        let ids = sim.region_ids();
        for (id, learner) in [(ids[0], 3), (ids[1], 1)] {
            for store in 1..=5 {
                sim.remove_peer(id, store);
            }
            for store in 1..=3 {
                let role = if store == learner {
                    Role::Learner
                } else {
                    Role::Voter
                };
                sim.add_peer(id, store, role);
            }
            sim.set_leader(id, if learner == 1 { 2 } else { 1 });
        }
        sim.set_evicting(2, true);
        sim.set_evicting(3, true);
        let merge = MergeRegions {
            source_region_id: region_id(ids[0]),
            target_region_id: region_id(ids[1]),
        };
        check(&sim, merge, &format!("{version:?}")).await;
    }
}
