//! Ends of mutations that make no operator: stores, settings, pauses, PD's leader, cancelling.

use std::time::Duration;

use action_core::{Attribution, Progress, Undo, Verdict};
use pd_sim::{Fault, ForeignOperator, Outage, StoreState, Version};
use serde_json::json;

use super::quiet;
use crate::harness::{Run, applied, code, pending, stalled};
use crate::{VERSIONS, region, request, stepped};

/// The cancelling itself says what became of the region.
#[tokio::test]
async fn cancelling_tells_what_became_of_the_region() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, _, other, free) = region(&sim);
    let moving = json!({"region_id": id, "from_store_id": other, "to_store_id": free});
    Run::begin(&sim, "transfer_peer", moving).await;
    sim.advance(Duration::from_millis(300));
    let cancel = Run::begin(&sim, "cancel_operator", json!({"region_id": id})).await;
    pending(&cancel.probe().await, "");
    let progress = cancel.settled(60).await;
    let Progress::Applied { by, summary, .. } = &progress else {
        unreachable!("{progress:?}");
    };
    assert_eq!(*by, Attribution::Ours);
    assert!(summary.contains("the region has changed"), "{summary}");
}

/// One that a scheduler made is left alone, unless it is meant.
#[tokio::test]
async fn only_what_was_asked_for_is_cancelled_unless_all_is_meant() {
    for (by_request, others, proceeds) in [
        (true, false, true),
        (true, true, true),
        (false, false, false),
        (false, true, true),
    ] {
        let sim = quiet(Version::V8_5).start().await.unwrap();
        let (id, _, other, _) = region(&sim);
        let operator = ForeignOperator::transfer_leader("some-leader", id, other);
        let operator = match by_request {
            true => operator.admin(),
            false => operator,
        };
        sim.insert_operator(operator).unwrap();
        let parameters = json!({"region_id": id, "others": others});
        let verdict = Run::planned(&sim, "cancel_operator", parameters).await;
        let verdict = verdict.plan.verdict;
        let case = format!("{by_request} {others}: {verdict:?}");
        assert_eq!(verdict == Verdict::WouldProceed, proceeds, "{case}");
        if !proceeds {
            let is_spared =
                matches!(&verdict, Verdict::NotAskedFor { code, .. } if code == "operator_of_pd");
            assert!(is_spared, "{case}");
        }
    }
}

/// PD's answer says that it let go of one; if the next was cancelled too, of which is not known.
#[tokio::test]
async fn which_was_cancelled_is_not_known_when_the_next_was_too() {
    for (next_is_cancelled, expected) in
        [(true, Attribution::Undecided), (false, Attribution::Ours)]
    {
        let sim = quiet(Version::V8_5).start().await.unwrap();
        let (id, _, other, _) = region(&sim);
        for store in 1..=5 {
            sim.set_ignores_operators(store, true);
        }
        let first = ForeignOperator::transfer_leader("first", id, other).admin();
        sim.insert_operator(first).unwrap();
        let run = Run::begin(&sim, "cancel_operator", json!({"region_id": id})).await;
        sim.advance(Duration::from_secs(1));
        for store in 1..=5 {
            sim.set_ignores_operators(store, next_is_cancelled);
        }
        let next = ForeignOperator::transfer_leader("next", id, other);
        sim.insert_operator(next).unwrap();
        sim.advance(Duration::from_secs(1));
        if next_is_cancelled {
            let path = format!("/operators/{id}");
            assert_eq!(request(&sim, "DELETE", &path, "").await, 200);
        }
        let by = applied(&run.settled(30).await, next_is_cancelled);
        assert_eq!(by, expected, "{next_is_cancelled}");
    }
}

/// Between its last replica and PD's next look, ten seconds at most, it is said what is waited for.
#[tokio::test]
async fn a_store_that_is_empty_waits_for_pds_next_look() {
    let never = Duration::from_secs(86_400);
    let builder = stepped(Version::V8_5).checker_interval(never);
    let sim = builder.start().await.unwrap();
    let run = Run::begin(&sim, "offline_store", json!({"store_id": "2"})).await;
    for id in sim.region_ids() {
        sim.remove_peer(id, 2);
    }
    let Progress::Pending { summary, .. } = run.probe().await else {
        unreachable!("it is not buried yet");
    };
    let soon = "makes an empty store a tombstone";
    assert!(summary.ends_with(soon), "{summary}");
}

#[tokio::test]
async fn an_emptied_store_is_a_tombstone_in_the_end() {
    for version in VERSIONS {
        let sim = stepped(version).regions(9).start().await.unwrap();
        let run = Run::begin(&sim, "offline_store", json!({"store_id": "2"})).await;
        let held = sim.region_count(2);
        let mut counts = Vec::new();
        let mut last = run.probe().await;
        for _ in 0..2_000 {
            let Progress::Pending {
                done: Some(done),
                stalled,
                summary,
                ..
            } = &last
            else {
                break;
            };
            assert!(stalled.is_empty(), "{stalled:?}");
            let soon = summary.ends_with("makes an empty store a tombstone");
            assert_eq!(soon, done.done == done.total, "{summary}");
            counts.push(done.done);
            sim.advance(Duration::from_secs(5));
            last = run.probe().await;
        }
        applied(&last, "");
        assert!(
            counts.is_sorted() && counts.last() <= Some(&held),
            "{counts:?}"
        );
        // A tombstone is not taken back.
        let undo = run.undo(&last);
        assert!(matches!(undo, Undo::None { .. }), "{undo:?}");
    }
}

#[tokio::test]
async fn a_store_that_is_not_being_emptied_says_why() {
    let sim = quiet(Version::V8_5).start().await.unwrap();
    let run = Run::begin(&sim, "offline_store", json!({"store_id": "2"})).await;
    assert!(sim.set_schedule("replica-schedule-limit", 0));
    let progress = run.probe().await;
    assert_eq!(stalled(&progress), "replica_schedule_limit_zero");
    // Taken back by somebody.
    sim.set_store_state(2, StoreState::Up);
    sim.advance(Duration::from_secs(20));
    assert_eq!(code(&run.probe().await), "taken_back");
}

#[tokio::test]
async fn settings_tell_overrides_lost_updates_and_others_apart() {
    let limit = |limit: u64| json!({"limit": limit});
    for version in VERSIONS {
        let sim = quiet(version).start().await.unwrap();
        // An override with a time to live refuses the change in PD's words.
        let path = "/config?ttlSecond=60";
        let body = r#"{"schedule.leader-schedule-limit":9}"#;
        assert_eq!(request(&sim, "POST", path, body).await, 200);
        let run = Run::begin(&sim, "set_leader_schedule_limit", limit(1)).await;
        let words = "need to clean up TTL first for schedule.leader-schedule-limit";
        let foretold = Verdict::WouldReject {
            code: "overridden".to_owned(),
            text: words.to_owned(),
        };
        assert_eq!(run.plan.verdict, foretold, "{version:?}");
        let failure = run.failure.as_deref();
        assert_eq!(failure, Some(words), "{version:?}");

        // Accepted, and put back by another write at the same time.
        let sim = quiet(version).start().await.unwrap();
        let run = Run::begin(&sim, "set_leader_schedule_limit", limit(1)).await;
        // That there is no override was read.
        assert_eq!(run.plan.unknowns, [""; 0], "{version:?}");
        assert!(sim.set_schedule("leader-schedule-limit", 4));
        assert_eq!(code(&run.settled(30).await), "update_lost");

        // Accepted, and set to something else since.
        assert!(sim.set_schedule("leader-schedule-limit", 7));
        assert_eq!(code(&run.settled(30).await), "changed_by_another");
    }
}

#[tokio::test]
async fn a_pause_is_lost_with_pds_leader() {
    let sim = quiet(Version::V8_5).members(3).start().await.unwrap();
    let parameters = json!({"scheduler": "balance-region-scheduler", "seconds": 300});
    let run = Run::begin(&sim, "pause_scheduler", parameters.clone()).await;
    let progress = run.probe().await;
    assert_eq!(applied(&progress, ""), Attribution::Ours);
    sim.change_leader(Duration::from_secs(1), Outage::NoLeader);
    sim.advance(Duration::from_secs(20));
    assert_eq!(code(&run.probe().await), "pause_lost");
    // One whose time is over was there all the same.
    let run = Run::begin(&sim, "pause_scheduler", parameters).await;
    sim.advance(Duration::from_secs(400));
    let progress = run.probe().await;
    applied(&progress, "");
}

#[tokio::test]
async fn what_is_so_already_is_nothing_to_do_for_any_action() {
    let sim = quiet(Version::V8_5).members(2).start().await.unwrap();
    let (id, leader, other, free) = region(&sim);
    sim.set_evicting(2, true);
    sim.set_store_state(4, StoreState::Offline);
    let leads = sim.leader_name();
    for (name, parameters) in [
        (
            "transfer_leader",
            json!({"region_id": id, "to_store_id": leader}),
        ),
        ("add_peer", json!({"region_id": id, "store_id": other})),
        ("remove_peer", json!({"region_id": id, "store_id": free})),
        ("drain_store", json!({"store_id": "2"})),
        ("stop_drain", json!({"store_id": "3"})),
        ("offline_store", json!({"store_id": "4"})),
        ("cancel_offline", json!({"store_id": "3"})),
        ("remove_tombstones", json!({})),
        ("set_leader_schedule_limit", json!({"limit": 4})),
        ("set_region_schedule_limit", json!({"limit": 2048})),
        ("set_replica_schedule_limit", json!({"limit": 64})),
        ("set_low_space_threshold", json!({"percent": 80})),
        (
            "set_store_limit",
            json!({"store_id": "3", "what": "add_peer", "per_minute": 15}),
        ),
        (
            "resume_scheduler",
            json!({"scheduler": "balance-region-scheduler"}),
        ),
        ("transfer_pd_leader", json!({"member": leads})),
    ] {
        let run = Run::planned(&sim, name, parameters).await;
        let verdict = &run.plan.verdict;
        assert!(
            matches!(verdict, Verdict::NoOp { .. }),
            "{name}: {verdict:?}"
        );
        assert!(!verdict.may_be_sent(), "{name}");
    }
}

/// What was so before is not ours to take back.
#[tokio::test]
async fn what_was_so_before_has_no_undo() {
    let sim = quiet(Version::V8_5).members(2).start().await.unwrap();
    sim.set_evicting(2, true);
    sim.set_store_state(4, StoreState::Offline);
    let leads = sim.leader_name();
    for (name, parameters) in [
        ("drain_store", json!({"store_id": "2"})),
        ("offline_store", json!({"store_id": "4"})),
        ("cancel_offline", json!({"store_id": "3"})),
        ("set_leader_schedule_limit", json!({"limit": 4})),
        ("set_low_space_threshold", json!({"percent": 80})),
        ("transfer_pd_leader", json!({"member": leads})),
    ] {
        let run = Run::planned(&sim, name, parameters).await;
        let undo = run.undo(&Progress::pending("", Vec::new()));
        assert!(matches!(undo, Undo::None { .. }), "{name}: {undo:?}");
    }
    // Of a store that is being emptied it is.
    let run = Run::planned(&sim, "cancel_offline", json!({"store_id": "4"})).await;
    let undo = run.undo(&Progress::pending("", Vec::new()));
    assert!(matches!(undo, Undo::Action { .. }), "{undo:?}");
}

/// A pause is told by its end, and whose it is by its length.
#[tokio::test]
async fn a_pause_is_proven_by_its_end() {
    let scheduler = "balance-region-scheduler";
    let path = format!("/schedulers/{scheduler}");
    let pause = |seconds: u64| json!({"scheduler": scheduler, "seconds": seconds});
    let lost = || Fault::dropped_before_apply("POST", "/schedulers");
    // The pause of before was ended by somebody, and ours never came.
    let sim = quiet(Version::V8_5).start().await.unwrap();
    Run::begin(&sim, "pause_scheduler", pause(600)).await;
    sim.fault(lost());
    let run = Run::begin(&sim, "pause_scheduler", pause(300)).await;
    assert_eq!(request(&sim, "POST", &path, r#"{"delay":0}"#).await, 200);
    assert_eq!(code(&run.settled(20).await), "no_trace");
    // One that never came was not there when its time is over either.
    let sim = quiet(Version::V8_5).start().await.unwrap();
    sim.fault(lost());
    let run = Run::begin(&sim, "pause_scheduler", pause(10)).await;
    sim.advance(Duration::from_secs(20));
    assert_eq!(code(&run.probe().await), "no_trace");
    // Another's of another length, and one that may be ours.
    for (delay, expected) in [(300, Attribution::Undecided), (303, Attribution::Another)] {
        let sim = quiet(Version::V8_5).start().await.unwrap();
        sim.fault(lost());
        let run = Run::begin(&sim, "pause_scheduler", pause(300)).await;
        let body = json!({"delay": delay}).to_string();
        assert_eq!(request(&sim, "POST", &path, &body).await, 200);
        assert_eq!(applied(&run.probe().await, delay), expected, "{delay}");
    }
}

#[tokio::test]
async fn a_pause_is_planned_for_the_scheduler_that_is_named() {
    for version in VERSIONS {
        let sim = quiet(version).start().await.unwrap();
        let pause = |name: &str| json!({"scheduler": name, "seconds": 60});
        let begun = Run::begin(&sim, "pause_scheduler", pause("balance-leader-scheduler"));
        begun.await;
        let run = Run::planned(&sim, "pause_scheduler", pause("balance-region-scheduler")).await;
        assert_eq!(run.plan.verdict, Verdict::WouldProceed, "{version:?}");
        let run = Run::planned(&sim, "pause_scheduler", pause("no-such-scheduler")).await;
        let verdict = &run.plan.verdict;
        let not_found = "PD:scheduler:ErrSchedulerNotFound";
        assert!(
            matches!(verdict, Verdict::WouldReject { code, .. } if code == not_found),
            "{version:?}: {verdict:?}"
        );
    }
}

#[tokio::test]
async fn a_change_of_pds_leader_says_what_is_lost() {
    let sim = quiet(Version::V8_5).members(2).start().await.unwrap();
    let (id, _, other, _) = region(&sim);
    let operator = ForeignOperator::transfer_leader("some-leader", id, other);
    sim.insert_operator(operator).unwrap();
    let pause = json!({"scheduler": "balance-leader-scheduler", "seconds": 60});
    Run::begin(&sim, "pause_scheduler", pause).await;
    let run = Run::planned(&sim, "transfer_pd_leader", json!({"member": "pd1"})).await;
    assert_eq!(run.plan.verdict, Verdict::WouldProceed);
    let impact = run.plan.impact.iter();
    let lost: Vec<_> = impact.map(|one| (one.name.as_str(), one.value)).collect();
    assert_eq!(lost, [("operators_lost", 1), ("pauses_lost", 1)]);
    // A member there is not.
    let run = Run::planned(&sim, "transfer_pd_leader", json!({"member": "pd9"})).await;
    let verdict = &run.plan.verdict;
    assert!(
        matches!(verdict, Verdict::WouldReject { code, .. } if code == "no_such_member"),
        "{verdict:?}"
    );
}

/// A member that does not answer cannot take over.
#[tokio::test]
async fn a_change_of_leader_that_does_not_come_is_told() {
    let sim = quiet(Version::V8_5).members(3).start().await.unwrap();
    let leader = sim.leader_name().unwrap();
    let names = ["pd0", "pd1", "pd2"];
    let place = names.iter().position(|name| *name != leader).unwrap();
    sim.stop_member(place).await;
    let parameters = json!({"member": names[place]});
    let run = Run::planned(&sim, "transfer_pd_leader", parameters).await;
    let Verdict::WouldReject { code, .. } = &run.plan.verdict else {
        unreachable!("{:?}", run.plan.verdict);
    };
    assert_eq!(code, "PD:etcd:ErrEtcdMoveLeader");
}

/// PD keeps a tombstone that a region has a replica on, and forgets the others all the same.
#[tokio::test]
async fn tombstones_with_replicas_are_kept_and_named() {
    for version in VERSIONS {
        let sim = quiet(version).tiflash_stores(1).start().await.unwrap();
        for id in [2, 3, 6] {
            sim.set_store_state(id, StoreState::Tombstone);
        }
        let planned = Run::planned(&sim, "remove_tombstones", json!({})).await;
        let words = "failed stores: 2, 3";
        let foretold = Verdict::WouldReject {
            code: "tombstones_hold_replicas".to_owned(),
            text: words.to_owned(),
        };
        assert_eq!(planned.plan.verdict, foretold, "{version:?}");
        // Sent all the same, as if the replicas had come to be known in between.
        let run = Run::begin(&sim, "remove_tombstones", json!({})).await;
        assert_eq!(run.failure.as_deref(), Some(words));
        let progress = run.probe().await;
        pending(&progress, "PD refused for some");
        sim.advance(Duration::from_secs(20));
        let progress = run.probe().await;
        assert_eq!(code(&progress), "tombstones_left");
        let Progress::NotApplied { cause, .. } = &progress else {
            unreachable!("{progress:?}");
        };
        let told = "1 of 3 tombstones are gone, PD keeps those of store 2, 3";
        assert_eq!(cause.text, told);
    }
}
