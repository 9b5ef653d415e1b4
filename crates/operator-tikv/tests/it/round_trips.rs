//! Every mutation that can be taken back is done and taken back, and everything is as it was.
//!
//! On the way the requests are counted: a plan reads ten times at most, a send is one write, a
//! probe reads six times at most.
//!
//! Without a way back are `scatter_region`, where PD chose the places, `cancel_operator`, and
//! `remove_tombstones`.

use std::time::Duration;

use action_core::{Attribution, Observation as _, Progress, Undo, Verdict};
use operator_tikv::ListStores;
use pd_sim::{Sim, StoreState, Version};
use serde_json::{Value, json};

use crate::harness::{Run, applied, assert_are_all_mutations, mutations, state};
use crate::{VERSIONS, region, stepped, tikv};

/// Checkers do not come round: what they take back by themselves is not what is tested here.
const NEVER: Duration = Duration::from_secs(86_400);

async fn quiet(version: Version) -> Sim {
    let builder = stepped(version).members(3).checker_interval(NEVER);
    builder.start().await.unwrap()
}

/// Does it, sees it applied, takes it back, sees that applied, and compares.
async fn there_and_back(sim: &Sim, name: &str, parameters: Value) {
    let before = state(sim).await;
    let run = Run::begin(sim, name, parameters).await;
    assert!(
        run.plan.verdict.may_be_sent(),
        "{name}: {:?}",
        run.plan.verdict
    );
    let progress = run.settled(60).await;
    applied(&progress, name);
    let after = state(sim).await;
    assert_ne!(after, before, "{name}: `harness::state` shows its change");
    let back = run.take_back(&progress).await;
    let progress = back.settled(60).await;
    applied(&progress, format!("undo of {name}"));
    assert_eq!(state(sim).await, before, "{name}: it is as it was");
}

#[test]
fn every_mutation_is_in_this_file() {
    let all = mutations();
    let text = include_str!("round_trips.rs");
    let is_named = |name: &&String| text.contains(&format!("\"{name}\""));
    let named = all.iter().filter(is_named).map(String::as_str);
    assert_are_all_mutations("round_trips.rs", named);
}

#[tokio::test]
async fn leaders_and_replicas_go_and_come_back() {
    for version in VERSIONS {
        let sim = quiet(version).await;
        let (id, _, other, free) = region(&sim);
        for (name, parameters) in [
            (
                "transfer_leader",
                json!({"region_id": id, "to_store_id": other}),
            ),
            (
                "transfer_peer",
                json!({"region_id": id, "from_store_id": other, "to_store_id": free}),
            ),
            ("add_peer", json!({"region_id": id, "store_id": free})),
            (
                "add_peer",
                json!({"region_id": id, "store_id": free, "role": "learner"}),
            ),
            ("remove_peer", json!({"region_id": id, "store_id": other})),
        ] {
            there_and_back(&sim, name, parameters).await;
        }
    }
}

/// The key in the middle of a region, and the neighbour after it with the same stores.
async fn keys(sim: &Sim, id: u64) -> (String, Option<u64>) {
    let pd = pd_client::Client::new(sim.endpoint()).unwrap();
    let region = pd.region(pd_client::RegionId::new(id).unwrap()).await;
    let region = region.unwrap().unwrap();
    let next = pd.region_by_key(&region.end_key).await.unwrap();
    (
        format!("{}7F", region.start_key),
        next.map(|next| next.id.get()),
    )
}

#[tokio::test]
async fn regions_are_split_and_merged_again() {
    for version in VERSIONS {
        let sim = quiet(version).await;
        let (id, ..) = region(&sim);
        let (middle, _) = keys(&sim, id).await;
        let parameters = json!({"region_id": id, "policy": "usekey", "keys": [middle]});
        there_and_back(&sim, "split_region", parameters).await;
    }
}

#[tokio::test]
async fn regions_are_merged_and_split_again() {
    let sim = quiet(Version::V8_5).await;
    let (id, ..) = region(&sim);
    let (middle, _) = keys(&sim, id).await;
    let parameters = json!({"region_id": id, "policy": "usekey", "keys": [middle]});
    let split = Run::begin(&sim, "split_region", parameters).await;
    let split_up = split.settled(30).await;
    let halves = state(&sim).await;
    // Merged by the undo of the split, and split again by the undo of the merge.
    let merge = split.take_back(&split_up).await;
    assert_eq!(merge.name, "merge_regions");
    let merged = merge.settled(60).await;
    let again = merge.take_back(&merged).await;
    assert_eq!(again.name, "split_region");
    let progress = again.settled(60).await;
    applied(&progress, "");
    assert_eq!(state(&sim).await["regions"], halves["regions"]);
}

#[tokio::test]
async fn settings_are_set_and_set_back() {
    for version in VERSIONS {
        let sim = quiet(version).await;
        for (name, parameters) in [
            ("set_leader_schedule_limit", json!({"limit": 0})),
            ("set_region_schedule_limit", json!({"limit": 7})),
            (
                "set_replica_schedule_limit",
                json!({"limit": 9_007_199_254_740_991_u64}),
            ),
            ("set_low_space_threshold", json!({"percent": 92.3})),
            (
                "set_store_limit",
                json!({"store_id": "2", "what": "add_peer", "per_minute": 0.5}),
            ),
            (
                "set_store_limit",
                json!({"store_id": "2", "what": "remove_peer", "per_minute": 200}),
            ),
        ] {
            there_and_back(&sim, name, parameters).await;
        }
    }
}

#[tokio::test]
async fn lasting_effects_are_taken_back() {
    for version in VERSIONS {
        let sim = quiet(version).await;
        let scheduler = "balance-region-scheduler";
        let parameters = json!({"scheduler": scheduler, "seconds": 300});
        there_and_back(&sim, "pause_scheduler", parameters).await;

        let leader = sim.leader_name().unwrap();
        let other = ["pd0", "pd1", "pd2"]
            .into_iter()
            .find(|name| *name != leader);
        there_and_back(&sim, "transfer_pd_leader", json!({"member": other})).await;

        // A drain moves leaders, which do not come back by themselves.
        let run = Run::begin(&sim, "drain_store", json!({"store_id": "2"})).await;
        let progress = run.settled(60).await;
        assert_eq!((sim.leader_count(2), sim.evicting()), (0, vec![2]));
        let back = run.take_back(&progress).await;
        assert_eq!(back.name, "stop_drain");
        let stopped = back.settled(30).await;
        applied(&stopped, "");
        assert!(sim.evicting().is_empty());
        let again = back.take_back(&stopped).await;
        assert_eq!(
            (again.name.as_str(), sim.evicting()),
            ("drain_store", vec![2])
        );
    }
}

#[tokio::test]
async fn a_resumed_scheduler_is_paused_for_the_rest() {
    let sim = quiet(Version::V8_5).await;
    let scheduler = "balance-leader-scheduler";
    let pause = json!({"scheduler": scheduler, "seconds": 300});
    Run::begin(&sim, "pause_scheduler", pause).await;
    let before = state(&sim).await;
    sim.advance(Duration::from_secs(100));
    let resume = json!({"scheduler": scheduler});
    let run = Run::begin(&sim, "resume_scheduler", resume).await;
    let progress = run.settled(30).await;
    let back = run.take_back(&progress).await;
    assert_eq!(back.name, "pause_scheduler");
    let seconds = back.parameters["seconds"].as_u64().unwrap();
    assert!((190..=201).contains(&seconds), "{seconds}");
    assert_eq!(state(&sim).await["paused"], before["paused"]);
}

/// A split that is somebody else's is not merged again: ours was dropped before it arrived.
#[tokio::test]
async fn a_split_of_somebody_else_is_not_taken_back() {
    let sim = quiet(Version::V8_5).await;
    let id = sim.region_ids()[1];
    sim.fault(pd_sim::Fault::dropped_before_apply("POST", "/operators"));
    let split = json!({"region_id": id, "policy": "scan"});
    let run = Run::begin(&sim, "split_region", split).await;
    sim.advance(Duration::from_secs(1));
    let pd = pd_client::Client::new(sim.endpoint()).unwrap();
    let region = pd.region(pd_client::RegionId::new(id).unwrap()).await;
    let key = format!("{}7F", region.unwrap().unwrap().start_key);
    let split = pd_sim::ForeignOperator::split("admin-split-region", id, [key.as_str()]);
    sim.insert_operator(split).unwrap();
    let progress = run.settled(30).await;
    let Progress::Applied { by, .. } = &progress else {
        unreachable!("{progress:?}");
    };
    assert_eq!(*by, Attribution::Undecided);
    assert!(matches!(run.undo(&progress), Undo::None { .. }));
}

/// The undo of a pause ends that pause, and no other.
#[tokio::test]
async fn a_pause_that_somebody_set_anew_is_not_taken_back() {
    let sim = quiet(Version::V8_5).await;
    let resume = json!({"scheduler": "balance-leader-scheduler"});
    let pause = json!({"scheduler": "balance-leader-scheduler", "seconds": 300});
    let run = Run::begin(&sim, "pause_scheduler", pause).await;
    let undo = run.undo(&run.settled(30).await);
    let planned = Run::planned(&sim, "resume_scheduler", resume.clone()).await;
    assert!(undo.drift(&planned.plan).is_empty());
    let path = "/schedulers/balance-leader-scheduler";
    assert_eq!(
        crate::request(&sim, "POST", path, r#"{"delay": 9000}"#).await,
        200
    );
    let planned = Run::planned(&sim, "resume_scheduler", resume).await;
    let drift = undo.drift(&planned.plan);
    assert_eq!(drift[0].0.name, "paused_until_unix_ms", "{drift:?}");
}

#[tokio::test]
async fn a_store_is_emptied_and_spared() {
    for version in VERSIONS {
        let sim = quiet(version).await;
        let before = state(&sim).await;
        let run = Run::begin(&sim, "offline_store", json!({"store_id": "2"})).await;
        let progress = run.probe().await;
        let Progress::Pending {
            done: Some(done), ..
        } = &progress
        else {
            unreachable!("{progress:?}");
        };
        assert_eq!((done.done, done.total), (0, sim.region_count(2)));
        let back = run.take_back(&progress).await;
        assert_eq!(back.name, "cancel_offline");
        let progress = back.settled(30).await;
        applied(&progress, "");
        assert_eq!(state(&sim).await, before, "{version:?}");
    }
}

/// PD restores the limit from its leader's memory, which a change of leader loses.
#[tokio::test]
async fn a_limit_left_behind_is_told_and_set() {
    let sim = quiet(Version::V8_5).await;
    let before = state(&sim).await;
    let run = Run::begin(&sim, "offline_store", json!({"store_id": "2"})).await;
    let other = if sim.leader_name().as_deref() == Some("pd0") {
        "pd1"
    } else {
        "pd0"
    };
    let change = Run::begin(&sim, "transfer_pd_leader", json!({"member": other})).await;
    change.settled(60).await;
    let progress = run.probe().await;
    let back = run.take_back(&progress).await;
    let Progress::Applied { summary, .. } = back.settled(30).await else {
        unreachable!("the store is up again");
    };
    assert!(summary.contains("still 100000000"), "{summary}");
    assert!(summary.contains("`set_store_limit`"), "{summary}");
    let limit = json!({"store_id": "2", "what": "remove_peer", "per_minute": 15});
    Run::begin(&sim, "set_store_limit", limit).await;
    assert_eq!(state(&sim).await["schedule"], before["schedule"]);
}

#[tokio::test]
async fn what_cannot_be_taken_back_says_why() {
    let sim = quiet(Version::V8_5).await;
    let (id, _, other, _) = region(&sim);
    let scatter = Run::begin(&sim, "scatter_region", json!({"region_id": id})).await;
    let end = scatter.settled(60).await;
    assert!(matches!(scatter.undo(&end), Undo::None { .. }));
    let cancel = Run::planned(&sim, "cancel_operator", json!({"region_id": id})).await;
    let Verdict::WouldReject { text, .. } = &cancel.plan.verdict else {
        unreachable!("{:?}", cancel.plan.verdict);
    };
    assert_eq!(text, "operator not found");
    assert!(matches!(cancel.undo(&end), Undo::None { .. }));
    // Nor is what was so before.
    let already = json!({"region_id": id, "store_id": other});
    let add = Run::planned(&sim, "add_peer", already).await;
    assert!(matches!(add.plan.verdict, Verdict::NoOp { .. }));
    assert!(matches!(add.undo(&end), Undo::None { .. }));
}

/// Somebody has changed it since: taking back would take back theirs.
#[tokio::test]
async fn an_undo_expects_what_was_done_to_be_still_so() {
    let sim = quiet(Version::V8_5).await;
    let run = Run::begin(&sim, "set_leader_schedule_limit", json!({"limit": 1})).await;
    let progress = run.settled(30).await;
    let undo = run.undo(&progress);
    assert!(sim.set_schedule("leader-schedule-limit", 9));
    let Undo::Action {
        name, parameters, ..
    } = &undo
    else {
        unreachable!("{undo:?}");
    };
    let planned = Run::planned(&sim, name, Value::Object(parameters.clone())).await;
    let drift = undo.drift(&planned.plan);
    assert_eq!(drift.len(), 1, "{drift:?}");
    assert_eq!(drift[0].0.value, json!(1));
    assert_eq!(drift[0].1.map(|now| &now.value), Some(&json!(9)));
}

/// All of them, with their limits, and there is no way back.
#[tokio::test]
async fn tombstones_are_listed_and_forgotten() {
    for version in VERSIONS {
        let builder = stepped(version).tiflash_stores(2).checker_interval(NEVER);
        let sim = builder.start().await.unwrap();
        let none = Run::planned(&sim, "remove_tombstones", json!({})).await;
        assert!(matches!(none.plan.verdict, Verdict::NoOp { .. }));
        for id in [6, 7] {
            sim.set_store_state(id, StoreState::Tombstone);
        }
        let list = async |tombstones| {
            let list = ListStores {
                tombstones,
                ..ListStores::default()
            };
            let found = list.observe(&tikv(&sim)).await.unwrap();
            assert_eq!(found.total, found.stores.len() as u64);
            let gone = found.stores.iter().filter(|one| one.state == "Tombstone");
            let gone: Vec<u64> = gone.map(|one| one.store_id.get()).collect();
            (found.total, gone)
        };
        assert_eq!(list(true).await, (7, vec![6, 7]), "{version:?}");
        assert_eq!(list(false).await, (5, vec![]), "{version:?}");

        let run = Run::begin(&sim, "remove_tombstones", json!({})).await;
        assert_eq!(run.plan.verdict, Verdict::WouldProceed);
        let relied = &run.plan.preconditions[0];
        assert_eq!(
            (relied.name.as_str(), &relied.value),
            ("tombstones", &json!("6, 7"))
        );
        assert_eq!(run.plan.impact[0].value, 2);
        let progress = run.probe().await;
        assert_eq!(applied(&progress, ""), Attribution::Ours);
        assert_eq!(list(true).await, (5, vec![]), "{version:?}");
        let limits = state(&sim).await["schedule"].to_string();
        assert!(!limits.contains("StoreId(6)"), "{limits}");
        assert!(matches!(run.undo(&progress), Undo::None { .. }));
        let again = Run::planned(&sim, "remove_tombstones", json!({})).await;
        assert!(matches!(again.plan.verdict, Verdict::NoOp { .. }));
    }
}
