//! The rows of `docs/decisions/what-does-not-applied-need.md`: for each mutation of a region, the
//! readings that prove each end, and those that leave it unknown.

use std::time::Duration;

use action_core::{Attribution, Progress, SettledState};
use pd_sim::{Fault, ForeignOperator, Outage, Role, Sim, Version};
use serde_json::{Value, json};

use crate::harness::{Run, applied};
use crate::{region, request, stepped};

const NEVER: Duration = Duration::from_secs(86_400);

/// The region, its leader, another voter's store, one that holds nothing, and the third voter's.
struct Scene {
    sim: Sim,
    id: u64,
    leader: u64,
    other: u64,
    free: u64,
    third: u64,
}

async fn scene() -> Scene {
    let builder = stepped(Version::V8_5).checker_interval(NEVER).members(3);
    let sim = builder.start().await.unwrap();
    let (id, leader, other, free) = region(&sim);
    let peers = sim.peers(id);
    let mut stores = peers.iter().map(|peer| peer.store_id);
    let third = stores.find(|one| *one != leader && *one != other).unwrap();
    Scene {
        sim,
        id,
        leader,
        other,
        free,
        third,
    }
}

impl Scene {
    /// Somebody else's operator, begun and ended.
    fn foreign(&self, operator: ForeignOperator) {
        self.sim.insert_operator(operator).unwrap();
        self.sim.advance(Duration::from_secs(2));
    }

    async fn cancel(&self) {
        let path = format!("/operators/{}", self.id);
        assert_eq!(request(&self.sim, "DELETE", &path, "").await, 200);
    }

    fn lost_memory(&self) {
        self.sim
            .change_leader(Duration::from_secs(1), Outage::NoLeader);
        self.sim.advance(Duration::from_secs(2));
    }

    fn done(&self) {
        self.sim.advance(Duration::from_secs(2));
    }
}

/// What a row ends with.
#[derive(Debug, PartialEq)]
enum End {
    /// By whom, and whose name is told as having changed it.
    Applied(Attribution, &'static str),
    NotApplied(&'static str, bool),
    Unknown(&'static str),
}

/// How the request fared.
#[derive(Clone, Copy)]
enum Fate {
    Answered,
    AnswerLost,
    NeverArrived,
}

async fn ended(run: &Run<'_>) -> End {
    match run.settled(40).await {
        Progress::Applied { by, summary, .. } => {
            let names = [
                "balance-leader-scheduler",
                "remove-orphan-peer",
                "add-rule-peer",
                "move-to-better-location",
                "labeler-split-region",
            ];
            let told = |name: &&&str| summary.contains(&format!("changed by `{name}`"));
            End::Applied(by, names.iter().find(told).copied().unwrap_or(""))
        }
        Progress::NotApplied {
            cause, retryable, ..
        } => {
            let codes = [
                "no_trace",
                "operator_cancelled",
                "operator_superseded",
                "operator_lost",
                "region_changed",
                "nothing_moved",
            ];
            let code = codes.iter().find(|code| **code == cause.code);
            End::NotApplied(code.unwrap_or(&"another code"), retryable)
        }
        Progress::Pending { stalled, .. } => {
            let codes = ["operator_superseded", "operator_lost", "trace_lost"];
            let cause = stalled.first().map(|cause| cause.code.as_str());
            let code = codes.iter().find(|code| Some(**code) == cause);
            End::Unknown(code.unwrap_or(&"another code"))
        }
        other => unreachable!("{other:?}"),
    }
}

async fn begun<'a>(scene: &'a Scene, fate: Fate, name: &str, parameters: Value) -> Run<'a> {
    match fate {
        Fate::Answered => {}
        Fate::AnswerLost => {
            let fault = Fault::reply_lost_after_apply("POST", "/operators");
            scene.sim.fault(fault);
        }
        Fate::NeverArrived => {
            let fault = Fault::dropped_before_apply("POST", "/operators");
            scene.sim.fault(fault);
        }
    }
    Run::begin(&scene.sim, name, parameters).await
}

/// The region's leader has no history but what operators say of it.
#[tokio::test]
async fn a_transfer_of_the_leader_is_proven_by_who_moved_it_on() {
    use Fate::{AnswerLost, Answered, NeverArrived};
    type Then = fn(&Scene);
    let back: Then = |scene| {
        scene.done();
        let desc = "balance-leader-scheduler";
        scene.foreign(ForeignOperator::transfer_leader(
            desc,
            scene.id,
            scene.leader,
        ));
    };
    let elsewhere: Then = |scene| {
        let desc = "balance-leader-scheduler";
        scene.foreign(ForeignOperator::transfer_leader(
            desc,
            scene.id,
            scene.third,
        ));
    };
    let twice: Then = |scene| {
        scene.done();
        let desc = "balance-leader-scheduler";
        scene.foreign(ForeignOperator::transfer_leader(
            desc,
            scene.id,
            scene.leader,
        ));
        scene.foreign(ForeignOperator::transfer_leader(
            desc,
            scene.id,
            scene.third,
        ));
    };
    let forgotten: Then = |scene| {
        scene.done();
        scene.sim.set_leader(scene.id, scene.leader);
        scene.lost_memory();
    };
    let expired: Then = |scene| {
        scene.done();
        scene.sim.set_leader(scene.id, scene.leader);
        scene.sim.advance(Duration::from_secs(900));
    };
    let undecided = |name| End::Applied(Attribution::Undecided, name);
    for (row, fate, then, end) in [
        (
            "moved back",
            Answered,
            back,
            undecided("balance-leader-scheduler"),
        ),
        (
            "moved back",
            AnswerLost,
            back,
            undecided("balance-leader-scheduler"),
        ),
        (
            "moved twice",
            Answered,
            twice,
            End::Unknown("operator_superseded"),
        ),
        (
            "moved twice",
            AnswerLost,
            twice,
            End::Unknown("operator_superseded"),
        ),
        (
            "moved elsewhere",
            NeverArrived,
            elsewhere,
            End::Unknown("operator_superseded"),
        ),
        (
            "nothing",
            NeverArrived,
            |_| (),
            End::NotApplied("no_trace", true),
        ),
        (
            "PD forgot",
            Answered,
            forgotten,
            End::Unknown("operator_lost"),
        ),
        (
            "PD forgot",
            AnswerLost,
            forgotten,
            End::Unknown("trace_lost"),
        ),
        (
            "PD forgot",
            NeverArrived,
            Scene::lost_memory,
            End::Unknown("trace_lost"),
        ),
        ("too late", AnswerLost, expired, End::Unknown("trace_lost")),
    ] {
        let scene = scene().await;
        let parameters = json!({"region_id": scene.id, "to_store_id": scene.other});
        let run = begun(&scene, fate, "transfer_leader", parameters).await;
        then(&scene);
        assert_eq!(ended(&run).await, end, "{row}");
    }
}

/// What was there at planning tells the new from the old, without a clock.
#[tokio::test]
async fn an_operator_that_was_there_before_proves_that_none_was_made_since() {
    let scene = scene().await;
    let desc = "balance-leader-scheduler";
    // To where ours is to go, and back, in the very second of the plan.
    scene.foreign(ForeignOperator::transfer_leader(
        desc,
        scene.id,
        scene.other,
    ));
    scene.foreign(ForeignOperator::transfer_leader(
        desc,
        scene.id,
        scene.leader,
    ));
    let parameters = json!({"region_id": scene.id, "to_store_id": scene.other});
    let run = begun(&scene, Fate::NeverArrived, "transfer_leader", parameters).await;
    assert_eq!(ended(&run).await, End::NotApplied("no_trace", true));
}

#[tokio::test]
async fn replicas_are_proven_by_their_own_ids() {
    use Fate::{AnswerLost, Answered, NeverArrived};
    type Then = fn(&Scene);
    let orphan: Then = |scene| {
        scene.done();
        scene.foreign(ForeignOperator::remove_peer(
            "remove-orphan-peer",
            scene.id,
            scene.free,
        ));
    };
    let made_up: Then = |scene| {
        scene.done();
        let desc = "add-rule-peer";
        scene.foreign(ForeignOperator::add_peer(
            desc,
            scene.id,
            scene.other,
            Role::Voter,
        ));
    };
    let better: Then = |scene| {
        scene.sim.advance(Duration::from_secs(5));
        let desc = "move-to-better-location";
        scene.foreign(ForeignOperator::move_peer(
            desc,
            scene.id,
            scene.third,
            scene.other,
        ));
    };
    let elsewhere: Then = |scene| {
        let desc = "balance-leader-scheduler";
        scene.foreign(ForeignOperator::transfer_leader(
            desc,
            scene.id,
            scene.third,
        ));
    };
    let undecided = |name| End::Applied(Attribution::Undecided, name);
    for (row, fate, name, then, end) in [
        (
            "orphan",
            Answered,
            "add_peer",
            orphan,
            undecided("remove-orphan-peer"),
        ),
        (
            "orphan",
            AnswerLost,
            "add_peer",
            orphan,
            undecided("remove-orphan-peer"),
        ),
        (
            "made up",
            Answered,
            "remove_peer",
            made_up,
            undecided("add-rule-peer"),
        ),
        (
            "made up",
            AnswerLost,
            "remove_peer",
            made_up,
            undecided("add-rule-peer"),
        ),
        (
            "better",
            Answered,
            "transfer_peer",
            better,
            undecided("move-to-better-location"),
        ),
        (
            "better",
            AnswerLost,
            "transfer_peer",
            better,
            undecided("move-to-better-location"),
        ),
        (
            "leader",
            NeverArrived,
            "add_peer",
            elsewhere,
            End::NotApplied("operator_superseded", true),
        ),
        (
            "leader",
            NeverArrived,
            "remove_peer",
            elsewhere,
            End::NotApplied("operator_superseded", true),
        ),
        (
            "leader",
            NeverArrived,
            "transfer_peer",
            elsewhere,
            End::NotApplied("operator_superseded", true),
        ),
        (
            "forgot",
            NeverArrived,
            "add_peer",
            Scene::lost_memory,
            End::NotApplied("no_trace", true),
        ),
        (
            "forgot",
            NeverArrived,
            "remove_peer",
            Scene::lost_memory,
            End::NotApplied("no_trace", true),
        ),
        (
            "forgot",
            NeverArrived,
            "transfer_peer",
            Scene::lost_memory,
            End::NotApplied("no_trace", true),
        ),
    ] {
        let scene = scene().await;
        let id = scene.id;
        let parameters = match name {
            "add_peer" => json!({"region_id": id, "store_id": scene.free}),
            "remove_peer" => json!({"region_id": id, "store_id": scene.other}),
            _ => json!({"region_id": id, "from_store_id": scene.other, "to_store_id": scene.free}),
        };
        let run = begun(&scene, fate, name, parameters).await;
        then(&scene);
        assert_eq!(ended(&run).await, end, "{row}: {name}");
        if let End::Applied(_, by) = end {
            let settled = run.look_again().await;
            assert_eq!(settled.state, SettledState::Reversed, "{row}: {name}");
            let cause = settled.cause.unwrap();
            assert_eq!(cause.code, "changed_by_operator", "{row}: {name}");
            assert!(cause.text.contains(by), "{row}: {name}: {}", cause.text);
        }
    }
}

/// A learner that was taken away again was never the voter that was asked for.
#[tokio::test]
async fn a_replica_that_never_voted_was_not_added_as_a_voter() {
    let scene = scene().await;
    let parameters = json!({"region_id": scene.id, "store_id": scene.free});
    let run = begun(&scene, Fate::Answered, "add_peer", parameters).await;
    let is_there = |scene: &Scene| scene.sim.peers(scene.id).len() == 4;
    for _ in 0..100 {
        if is_there(&scene) {
            break;
        }
        scene.sim.advance(Duration::from_millis(10));
    }
    scene.cancel().await;
    scene.sim.advance(Duration::from_millis(500));
    let learner = scene.sim.peers(scene.id).pop().unwrap();
    let desc = "remove-orphan-peer";
    scene.foreign(ForeignOperator::remove_peer(desc, scene.id, scene.free));
    let expected = if learner.role == Role::Learner {
        End::NotApplied("operator_superseded", false)
    } else {
        End::Applied(Attribution::Undecided, desc)
    };
    let end = ended(&run).await;
    let retryable = matches!(end, End::NotApplied(_, true));
    let end = match end {
        End::NotApplied(code, _) => End::NotApplied(code, false),
        other => other,
    };
    assert_eq!(end, expected);
    assert_eq!(retryable, learner.role == Role::Learner);
}

#[tokio::test]
async fn ranges_are_proven_by_their_borders() {
    // A merge that is split again at the old border.
    let scene = scene().await;
    let pd = pd_client::Client::new(scene.sim.endpoint()).unwrap();
    let found = pd.region(pd_client::RegionId::new(scene.id).unwrap()).await;
    let border = found.unwrap().unwrap().end_key;
    let next = pd.region_by_key(&border).await.unwrap().unwrap().id.get();
    let parameters = json!({"source_region_id": scene.id, "target_region_id": next});
    let run = begun(&scene, Fate::AnswerLost, "merge_regions", parameters).await;
    scene.sim.advance(Duration::from_secs(20));
    assert!(scene.sim.peers(scene.id).is_empty(), "merged");
    let desc = "labeler-split-region";
    scene.foreign(ForeignOperator::split(desc, next, [border.as_str()]));
    assert_eq!(
        ended(&run).await,
        End::Applied(Attribution::Undecided, desc)
    );
    let settled = run.look_again().await;
    assert_eq!(settled.state, SettledState::Reversed, "{settled:?}");

    // A split that never arrived, and a leader that moved.
    let scene = self::scene().await;
    let parameters = json!({"region_id": scene.id, "policy": "scan"});
    let run = begun(&scene, Fate::NeverArrived, "split_region", parameters).await;
    let desc = "balance-leader-scheduler";
    scene.foreign(ForeignOperator::transfer_leader(
        desc,
        scene.id,
        scene.third,
    ));
    let end = End::NotApplied("operator_superseded", true);
    assert_eq!(ended(&run).await, end);
}

#[tokio::test]
async fn a_scattering_is_proven_by_its_operator_alone() {
    let scene = scene().await;
    let parameters = json!({"region_id": scene.id});
    let run = begun(
        &scene,
        Fate::NeverArrived,
        "scatter_region",
        parameters.clone(),
    )
    .await;
    assert_eq!(ended(&run).await, End::NotApplied("no_trace", true));

    let scene = self::scene().await;
    let run = begun(&scene, Fate::NeverArrived, "scatter_region", parameters).await;
    let desc = "balance-leader-scheduler";
    scene.foreign(ForeignOperator::transfer_leader(
        desc,
        scene.id,
        scene.third,
    ));
    assert_eq!(ended(&run).await, End::Unknown("operator_superseded"));
}

/// The end is told by the first probe that sees it, not at the end of a time-out.
#[tokio::test]
async fn what_was_applied_and_changed_is_told_at_once() {
    let scene = scene().await;
    let parameters = json!({"region_id": scene.id, "store_id": scene.other});
    let run = begun(&scene, Fate::Answered, "remove_peer", parameters).await;
    scene.sim.advance(Duration::from_millis(500));
    let desc = "add-rule-peer";
    let made_up = ForeignOperator::add_peer(desc, scene.id, scene.other, Role::Voter);
    scene.sim.insert_operator(made_up).unwrap();
    // While the other still runs, ours is on record.
    let Progress::Applied { by, .. } = run.probe().await else {
        unreachable!("{:?}", run.probe().await);
    };
    assert_eq!(by, Attribution::Ours);
    scene.sim.advance(Duration::from_millis(600));
    applied(&run.probe().await, "");
}
