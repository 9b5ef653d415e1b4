//! Every way a mutation can end, and what its probe makes of it.
//!
//! | | region operators | drain, offline | settings, pauses | PD's leader |
//! |---|---|---|---|---|
//! | applied | here, `round_trips` | `drain`, here | `round_trips` | `round_trips` |
//! | not applied | here | here | here | here |
//! | superseded by another operator | here | – no operator | changed by another, here | – |
//! | cancelled, and done all the same | here, `half_moved` | – | – | – |
//! | half done | here, `half_moved` | progress, `drain` | – one write | – |
//! | lost by a change of PD's leader | here | – kept by PD | pauses, here | – is one |
//! | stalled | here | `drain`, here | – one write | here |
//! | so already | here | here | here | here |
//!
//! Only operators live on a region, so only they are superseded or cancelled, and only those that
//! change replicas can be half done. Settings are one write of PD's: done or not, unless another
//! write at the same time takes them back.

mod without_operator;

use std::collections::BTreeSet;
use std::time::Duration;

use action_core::{Attribution, Progress, Undo};
use operator_tikv::OUTCOMES;
use pd_sim::{Builder, Fault, ForeignOperator, Outage, Sim, StoreState, Version};
use serde_json::{Value, json};

use crate::harness::{
    Run, applied, assert_are_all_mutations, code, is_code, not_known, pending, state,
};
use crate::{VERSIONS, region, request, stepped};

const NEVER: Duration = Duration::from_secs(86_400);

fn quiet(version: Version) -> Builder {
    stepped(version).checker_interval(NEVER)
}

/// The operators that a region can be asked for, each on the same region.
async fn operators(sim: &Sim) -> Vec<(&'static str, Value)> {
    let (id, _, other, free) = region(sim);
    let pd = pd_client::Client::new(sim.endpoint()).unwrap();
    let found = pd.region(pd_client::RegionId::new(id).unwrap()).await;
    let found = found.unwrap().unwrap();
    let next = pd.region_by_key(&found.end_key).await.unwrap().unwrap();
    let middle = format!("{}7F", found.start_key);
    vec![
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
        (
            "split_region",
            json!({"region_id": id, "policy": "usekey", "keys": [middle]}),
        ),
        (
            "merge_regions",
            json!({"source_region_id": id, "target_region_id": next.id.get()}),
        ),
    ]
}

#[test]
fn outcomes_are_of_mutations() {
    let mut rows = BTreeSet::new();
    for row in OUTCOMES {
        assert!(rows.insert((format!("{:?}", row.end), row.code)), "{row:?}");
        assert!(is_code(row.code), "{row:?}");
        assert!(
            row.meaning.ends_with('.') && row.next.ends_with('.'),
            "{row:?}"
        );
    }
    let named = OUTCOMES
        .iter()
        .flat_map(|row| row.mutations.iter().copied());
    assert_are_all_mutations("OUTCOMES", named);
}

/// Keys and replicas of all regions, without who leads them.
fn places(state: &Value) -> Vec<Value> {
    let regions = state["regions"].as_array().unwrap().iter();
    regions
        .map(|region| json!([region[0], region[1], region[2]]))
        .collect()
}

#[tokio::test]
async fn operators_that_ended_well_are_ours() {
    for version in VERSIONS {
        for place in 0..6 {
            let sim = quiet(version).start().await.unwrap();
            let (name, parameters) = operators(&sim).await.swap_remove(place);
            let run = Run::begin(&sim, name, parameters).await;
            let progress = run.probe().await;
            pending(&progress, format!("{version:?} {name}"));
            let progress = run.settled(60).await;
            assert_eq!(
                applied(&progress, format!("{version:?} {name}")),
                Attribution::Ours
            );
        }
    }
}

/// What is there to be changed by the mutation, as somebody asked for it before.
fn prepared(name: &str, id: u64, other: u64, free: u64) -> Option<(&'static str, Value)> {
    let pause = json!({"scheduler": "balance-region-scheduler", "seconds": 300});
    let moving = json!({"region_id": id, "from_store_id": other, "to_store_id": free});
    match name {
        "stop_drain" => Some(("drain_store", json!({"store_id": "2"}))),
        "cancel_offline" => Some(("offline_store", json!({"store_id": "2"}))),
        "resume_scheduler" => Some(("pause_scheduler", pause)),
        "cancel_operator" => Some(("transfer_peer", moving)),
        _ => None,
    }
}

/// Every mutation, on a cluster where it would change something.
async fn all_mutations(sim: &Sim) -> Vec<(&'static str, Value)> {
    let id = region(sim).0;
    let scheduler = "balance-region-scheduler";
    let store = json!({"store_id": "2"});
    let limit = json!({"limit": 1});
    let rate = json!({"store_id": "2", "what": "add_peer", "per_minute": 1});
    let mut all = operators(sim).await;
    all.extend([
        ("scatter_region", json!({"region_id": id})),
        ("cancel_operator", json!({"region_id": id})),
        ("drain_store", store.clone()),
        ("stop_drain", store.clone()),
        ("offline_store", store.clone()),
        ("cancel_offline", store),
        ("remove_tombstones", json!({})),
        ("set_leader_schedule_limit", limit.clone()),
        ("set_region_schedule_limit", limit.clone()),
        ("set_replica_schedule_limit", limit),
        ("set_low_space_threshold", json!({"percent": 90})),
        ("set_store_limit", rate),
        (
            "pause_scheduler",
            json!({"scheduler": scheduler, "seconds": 60}),
        ),
        ("resume_scheduler", json!({"scheduler": scheduler})),
        ("transfer_pd_leader", json!({"member": "pd1"})),
    ]);
    assert_are_all_mutations("all_mutations", all.iter().map(|one| one.0));
    all
}

/// The request never arrived: nothing is said before it could no longer begin.
#[tokio::test]
async fn what_never_arrived_is_not_applied() {
    let sim = quiet(Version::V8_5).members(2).start().await.unwrap();
    for (name, parameters) in all_mutations(&sim).await {
        let sim = quiet(Version::V8_5).members(2).start().await.unwrap();
        let (id, _, other, free) = region(&sim);
        if let Some((first, parameters)) = prepared(name, id, other, free) {
            for store in 1..=5 {
                sim.set_ignores_operators(store, first == "transfer_peer");
            }
            Run::begin(&sim, first, parameters).await;
            sim.advance(Duration::from_secs(20));
        }
        if name == "remove_tombstones" {
            sim.set_store_state(5, StoreState::Tombstone);
        }
        let before = state(&sim).await;
        for (method, path) in [
            ("POST", "/operators"),
            ("DELETE", "/operators"),
            ("POST", "/schedulers"),
            ("DELETE", "/schedulers"),
            ("POST", "/config"),
            ("POST", "/store"),
            ("POST", "/leader"),
            ("DELETE", "/store"),
            ("DELETE", "/stores"),
        ] {
            sim.fault(Fault::dropped_before_apply(method, path));
        }
        let run = Run::begin(&sim, name, parameters).await;
        assert!(run.failure.is_some(), "{name}: the answer is lost");
        let settles = Duration::from_millis(run.plan.follow.settle_ms);
        sim.advance(settles - Duration::from_millis(1));
        let progress = run.probe().await;
        pending(&progress, format!("{name}: too early to say"));
        sim.advance(Duration::from_millis(1));
        let progress = run.probe().await;
        let known = [
            "no_trace",
            "not_draining",
            "another_leads",
            "still_running",
            "still_draining",
            "still_offline",
            "still_paused",
        ];
        assert!(known.contains(&code(&progress)), "{name}: {progress:?}");
        assert_eq!(state(&sim).await, before, "{name}");
    }
}

/// The answer was lost, and it was done.
#[tokio::test]
async fn what_was_done_is_found_without_an_answer() {
    for place in 0..6 {
        let sim = quiet(Version::V8_5).start().await.unwrap();
        let (name, parameters) = operators(&sim).await.swap_remove(place);
        sim.fault(Fault::reply_lost_after_apply("POST", "/operators"));
        let run = Run::begin(&sim, name, parameters).await;
        assert!(run.failure.is_some());
        let progress = run.settled(60).await;
        applied(&progress, name);
    }
}

/// Another operator ended there by success, and ours never came to be.
#[tokio::test]
async fn anothers_success_is_never_ours() {
    for place in 0..6 {
        let sim = quiet(Version::V8_5).start().await.unwrap();
        let (name, parameters) = operators(&sim).await.swap_remove(place);
        let (id, leader, other, _) = region(&sim);
        let third = sim
            .peers(id)
            .iter()
            .map(|peer| peer.store_id)
            .find(|store| *store != leader && *store != other);
        sim.fault(Fault::dropped_before_apply("POST", "/operators"));
        let run = Run::begin(&sim, name, parameters).await;
        let foreign = ForeignOperator::transfer_leader("balance-leader", id, third.unwrap());
        sim.insert_operator(foreign).unwrap();
        sim.advance(Duration::from_secs(2));
        assert!(sim.operator_status(id).unwrap().contains("SUCCESS"));
        let progress = run.settled(60).await;
        // Replicas and ranges say themselves that nothing was done to them; a leader may have been
        // elsewhere and come back.
        if name == "transfer_leader" {
            assert_eq!(not_known(&progress), "operator_superseded");
            continue;
        }
        // A merge is looked for on the neighbour, where the other operator is not.
        let expected = if name == "merge_regions" {
            "no_trace"
        } else {
            "operator_superseded"
        };
        assert_eq!(code(&progress), expected, "{name}: {progress:?}");
    }
}

/// Ours never arrives, and somebody else asks for the very same: PD gives operators no id, so whose
/// it was is not known, and cannot be taken back. Nor does it matter how soon that was.
#[tokio::test]
async fn the_same_by_another_is_not_called_ours() {
    for place in 0..6 {
        for later in [0, 1, 8] {
            let sim = quiet(Version::V8_5).start().await.unwrap();
            let (name, parameters) = operators(&sim).await.swap_remove(place);
            sim.fault(Fault::dropped_before_apply("POST", "/operators"));
            let run = Run::begin(&sim, name, parameters.clone()).await;
            sim.advance(Duration::from_secs(later));
            let theirs = Run::begin(&sim, name, parameters).await;
            assert_eq!(applied(&theirs.settled(60).await, name), Attribution::Ours);
            let progress = run.settled(60).await;
            let Progress::Applied { by, .. } = &progress else {
                // Of a scattering nothing but its operator shows.
                assert_eq!(name, "scatter_region", "{progress:?}");
                continue;
            };
            assert_eq!(*by, Attribution::Undecided, "{name} {later}");
            let undo = run.undo(&progress);
            assert!(matches!(undo, Undo::None { .. }), "{name}: {undo:?}");
        }
    }
}

/// Ours was answered and seen, somebody ends it and asks for the very same at once: PD keeps the last
/// of a region only, and the two differ by when PD made them.
#[tokio::test]
async fn the_same_asked_for_after_ours_was_ended_is_not_called_ours() {
    let mut told = 0;
    for place in 0..6 {
        let sim = quiet(Version::V8_5).start().await.unwrap();
        let (name, parameters) = operators(&sim).await.swap_remove(place);
        let (id, ..) = region(&sim);
        let run = Run::begin(&sim, name, parameters.clone()).await;
        if !matches!(run.probe().await, Progress::Pending { .. }) {
            continue;
        }
        sim.advance(Duration::from_millis(1));
        let cancel = json!({"region_id": id});
        Run::begin(&sim, "cancel_operator", cancel).await;
        let theirs = Run::begin(&sim, name, parameters).await;
        // Of a move that was half done nothing is left to ask for.
        let done = theirs.settled(120).await;
        if !matches!(done, Progress::Applied { .. }) {
            continue;
        }
        assert_eq!(applied(&done, name), Attribution::Ours);
        let progress = run.settled(120).await;
        let Progress::Applied { by, .. } = &progress else {
            assert_eq!(name, "scatter_region", "{progress:?}");
            continue;
        };
        assert_eq!(*by, Attribution::Undecided, "{name}: {progress:?}");
        let undo = run.undo(&progress);
        assert!(matches!(undo, Undo::None { .. }), "{name}: {undo:?}");
        told += 1;
    }
    assert!(told >= 3, "{told}");
}

/// The answer is lost, the store is seen to be emptied, and somebody puts it back: it did not leave no trace.
#[tokio::test]
async fn a_store_that_was_seen_to_be_emptied_is_called_taken_back() {
    let sim = quiet(Version::V8_5).start().await.unwrap();
    sim.fault(Fault::reply_lost_after_apply("DELETE", "/store"));
    let run = Run::begin(&sim, "offline_store", json!({"store_id": "2"})).await;
    assert!(run.failure.is_some(), "the answer is lost");
    pending(&run.probe().await, "it is being emptied");
    let up = request(&sim, "POST", "/store/2/state?state=Up", "").await;
    assert_eq!(up, 200);
    let progress = run.settled(60).await;
    assert_eq!(code(&progress), "taken_back", "{progress:?}");
}

/// Cancelled at every point: in the end it is called applied if and only if it was done.
#[tokio::test]
async fn a_cancelled_operator_is_judged_by_the_region() {
    let mut done_all_the_same = 0;
    let mut not_done = 0;
    for place in 0..6 {
        for after in [0_u64, 100, 200, 300, 500, 700] {
            let sim = stepped(Version::V8_5).start().await.unwrap();
            let (name, parameters) = operators(&sim).await.swap_remove(place);
            let (id, ..) = region(&sim);
            let before = state(&sim).await;
            let run = Run::begin(&sim, name, parameters).await;
            sim.advance(Duration::from_millis(after));
            if sim.operator(id).is_none() {
                continue;
            }
            let cancel = json!({"region_id": id});
            Run::begin(&sim, "cancel_operator", cancel).await;
            let progress = run.settled(120).await;
            match &progress {
                Progress::Applied { by, .. } => {
                    // A leader that has moved is our operator's doing, cancelled or not.
                    let leader = name == "transfer_leader" && *by == Attribution::Ours;
                    assert!(
                        leader || *by == Attribution::Undecided,
                        "{name}: {progress:?}"
                    );
                    done_all_the_same += 1;
                }
                Progress::NotApplied {
                    retryable: true, ..
                } => {
                    assert_eq!(
                        places(&state(&sim).await),
                        places(&before),
                        "{name}, {after} ms"
                    );
                    not_done += 1;
                }
                // PD has made something else of what was begun.
                Progress::NotApplied { cause, .. } => {
                    assert_eq!(cause.code, "region_changed", "{name}: {progress:?}");
                }
                other => unreachable!("{name}, after {after} ms: {other:?}"),
            }
        }
    }
    assert!(
        done_all_the_same > 2 && not_done > 2,
        "{done_all_the_same} done, {not_done} not"
    );
}

/// A new leader of PD knows of no operator; what the stores were told still happens.
#[tokio::test]
async fn an_operator_that_pd_forgot_is_judged_by_the_region() {
    let mut lost = 0;
    for place in 0..6 {
        for after in [0_u64, 250, 450] {
            let sim = stepped(Version::V8_5).members(3).start().await.unwrap();
            let (name, parameters) = operators(&sim).await.swap_remove(place);
            let before = state(&sim).await;
            let run = Run::begin(&sim, name, parameters).await;
            sim.advance(Duration::from_millis(after));
            sim.change_leader(Duration::from_secs(1), Outage::NoLeader);
            sim.advance(Duration::from_secs(2));
            let progress = run.settled(120).await;
            match &progress {
                Progress::Applied { .. } => {}
                Progress::NotApplied {
                    cause,
                    retryable: true,
                    ..
                } => {
                    assert_eq!(places(&state(&sim).await), places(&before), "{name}");
                    assert!(
                        ["operator_lost", "operator_superseded"].contains(&cause.code.as_str()),
                        "{name}: {progress:?}"
                    );
                    lost += 1;
                }
                Progress::NotApplied { cause, .. } => {
                    assert_eq!(cause.code, "region_changed", "{name}: {progress:?}");
                }
                other => unreachable!("{name}, after {after} ms: {other:?}"),
            }
        }
    }
    assert!(lost > 0, "none was lost before it began");
}

/// No store does anything: PD gives up in the end, and so it is told.
#[tokio::test]
async fn an_operator_that_stalls_times_out() {
    for place in 0..6 {
        let sim = quiet(Version::V8_5)
            .executes_splits(false)
            .start()
            .await
            .unwrap();
        let (name, parameters) = operators(&sim).await.swap_remove(place);
        for store in 1..=5 {
            sim.set_ignores_operators(store, true);
        }
        let run = Run::begin(&sim, name, parameters).await;
        for _ in 0..5 {
            sim.advance(Duration::from_secs(10));
            let progress = run.probe().await;
            pending(&progress, name);
        }
        let mut progress = run.probe().await;
        for _ in 0..200 {
            if !matches!(progress, Progress::Pending { .. }) {
                break;
            }
            sim.advance(Duration::from_secs(20));
            progress = run.probe().await;
        }
        // Of a merge one half times out and takes the other along.
        let expected = if name == "merge_regions" {
            "operator_cancelled"
        } else {
            "operator_timed_out"
        };
        assert_eq!(code(&progress), expected, "{name}: {progress:?}");
        // The end is PD's word for it, and nothing is proposed instead.
        if let Progress::NotApplied { cause, .. } = &progress {
            let word = expected.trim_start_matches("operator_");
            let word = match word {
                "cancelled" => "CANCEL",
                _ => "TIMEOUT",
            };
            assert!(cause.text.ends_with(word), "{name}: {}", cause.text);
        }
    }
}

#[tokio::test]
async fn a_scattering_that_finds_nothing_to_move_says_so() {
    let sim = quiet(Version::V8_5).start().await.unwrap();
    let mut codes = Vec::new();
    for id in sim.region_ids().into_iter().take(8) {
        let run = Run::begin(&sim, "scatter_region", json!({"region_id": id})).await;
        let made = sim.operator(id).is_some();
        let progress = run.settled(60).await;
        match &progress {
            Progress::Applied { by, .. } => assert!(made && *by == Attribution::Ours),
            _ => {
                assert!(!made, "{progress:?}");
                codes.push(code(&progress).to_owned());
            }
        }
    }
    codes.dedup();
    assert!(codes.is_empty() || codes == ["nothing_moved"], "{codes:?}");
}

/// TiKV has no estimate of the middle of a region that was just made, and says nothing.
#[tokio::test]
async fn a_split_by_estimate_that_was_not_made_says_to_scan() {
    for version in VERSIONS {
        let sim = quiet(version).executes_splits(false).start().await.unwrap();
        let id = region(&sim).0;
        for (policy, says_scan) in [("approximate", true), ("scan", false)] {
            let parameters = json!({"region_id": id, "policy": policy});
            let run = Run::begin(&sim, "split_region", parameters).await;
            let unknowns = run.plan.unknowns.join("\n");
            assert_eq!(
                unknowns.contains("`scan` reads the keys"),
                says_scan,
                "{unknowns}"
            );
            pending(&run.probe().await, policy);
            let Progress::NotApplied {
                cause, retryable, ..
            } = run.settled(180).await
            else {
                unreachable!("{version:?} {policy}");
            };
            assert_eq!(
                (cause.code.as_str(), retryable),
                ("operator_timed_out", true)
            );
            let text = &cause.text;
            assert_eq!(text.contains("use `scan`"), says_scan, "{text}");
        }
    }
}

/// With as many stores as replicas a scattering moves leaders and nothing else.
#[tokio::test]
async fn a_scattering_of_the_leader_alone_says_so() {
    let sim = quiet(Version::V8_5).stores(3).start().await.unwrap();
    let mut moved = 0;
    for id in sim.region_ids() {
        // PD spreads the leaders of those that it has scattered.
        sim.set_leader(id, 1);
        let before = (sim.leader_of(id), sim.peers(id));
        let run = Run::begin(&sim, "scatter_region", json!({"region_id": id})).await;
        let progress = run.settled(60).await;
        assert_eq!(sim.peers(id), before.1);
        let told = format!("{progress:?}");
        let is_moved = sim.leader_of(id) != before.0;
        let says = told.contains("only the leader moved, no replicas");
        assert_eq!(says, is_moved, "{told}");
        moved += usize::from(is_moved);
    }
    assert!(moved > 0, "no leader moved");
}
