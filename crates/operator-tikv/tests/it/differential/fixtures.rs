//! Random fixtures on the simulated PD.

use std::time::Duration;

use pd_sim::{ForeignOperator, HotFlow, Role, Sim, StoreState, Version};

use super::dice::Dice;
use crate::{altered, get, request, stepped};

pub(super) struct Fixture {
    pub(super) sim: Sim,
    pub(super) version: Version,
    /// Whether PD says its version.
    pub(super) has_number: bool,
}

impl Fixture {
    pub(super) async fn random(dice: &mut Dice, version: Version) -> Self {
        let builder = stepped(version)
            .stores(4 + dice.below(3))
            .regions(12)
            .members(1 + usize::try_from(dice.below(2)).unwrap())
            .executes_splits(!dice.one_in(4))
            .seed(dice.below(1_000));
        let sim = builder.start().await.unwrap();
        for _ in 0..dice.below(10) {
            match dice.below(5) {
                0 => ask(&sim, dice).await,
                1 => upset(&sim, dice).await,
                _ => disturb(&sim, dice),
            }
        }
        let has_number = !dice.one_in(10);
        if !has_number {
            altered(&sim, "/version", |said| said["version"] = "None".into()).await;
        }
        Self {
            sim,
            version,
            has_number,
        }
    }
}

fn seconds(dice: &mut Dice, choices: &[u64]) -> Duration {
    Duration::from_secs(*dice.pick(choices).unwrap())
}

/// Changes something that PD's answers hang on.
fn disturb(sim: &Sim, dice: &mut Dice) {
    let regions = sim.region_ids();
    let id = *dice.pick(&regions).unwrap();
    let store = 1 + dice.below(6);
    let peers = sim.peers(id);
    let held = dice.pick(&peers).map_or(1, |peer| peer.store_id);
    let free = (1..=6).find(|store| peers.iter().all(|peer| peer.store_id != *store));
    let free = free.unwrap_or(6);
    match dice.below(19) {
        17 => sim.set_labels(store, [("zone", "z2")]),
        0 => sim.set_store_state(store, StoreState::Offline),
        1 => sim.set_store_state(store, StoreState::Tombstone),
        2 | 3 => {
            // PD's limits are 20 s, ten minutes and half an hour.
            let age = seconds(dice, &[15, 30, 300, 590, 620, 1_700, 1_900, 7_200]);
            sim.set_heartbeat_age(store, age);
        }
        4 => sim.set_evicting(store, true),
        5 => sim.set_labels(store, [("engine", "tiflash")]),
        6 => sim.set_labels(store, [("zone", "z1"), ("host", "h1")]),
        7 => sim.set_pending(id, held, true),
        8 => sim.set_down(id, held, Some(Duration::from_secs(400))),
        9 => sim.add_peer(id, free, Role::Learner),
        10 => sim.add_peer(id, free, Role::Voter),
        11 => sim.add_peer(id, free, Role::IncomingVoter),
        12 => sim.add_peer(id, free, Role::DemotingVoter),
        13 => sim.remove_peer(id, held),
        14 => sim.set_leader(id, 0),
        15 => operator(sim, dice, id, held, free),
        16 => {
            let flow = HotFlow {
                is_read: dice.one_in(2),
                bytes: 1 << 24,
                keys: 10_000,
                queries: 1_000,
                degree: 2 + dice.below(4),
            };
            sim.set_hot(id, Some(flow));
        }
        _ => configure(sim, dice),
    }
}

/// Changes what keeps things from happening, rather than what PD answers.
async fn upset(sim: &Sim, dice: &mut Dice) {
    match dice.below(6) {
        0 => deny(sim, dice).await,
        1 => {
            for store in 1..=6 {
                let zone = *dice.pick(&["z1", "z2", "z3"]).unwrap();
                sim.set_labels(store, [("zone", zone), ("host", "h")]);
            }
            let labels = r#"{"location-labels": "zone,host", "isolation-level": "zone"}"#;
            request(sim, "POST", "/config/replicate", labels).await;
        }
        2 => sim.set_unsafe_recovery(true),
        3 => {
            let limit = dice.pick(&["leader", "region", "replica"]).unwrap();
            let body = format!(
                r#"{{"schedule.{limit}-schedule-limit": {}}}"#,
                dice.below(3)
            );
            request(sim, "POST", "/config?ttlSecond=6000", &body).await;
        }
        // Of three voters two are gone, of some regions.
        4 => {
            let gone = 1 + dice.below(5);
            for store in [gone, gone + 1] {
                sim.set_heartbeat_age(store, seconds(dice, &[30, 60, 300]));
            }
        }
        _ => {
            for store in [5, 6] {
                sim.set_labels(store, [("engine", "tiflash")]);
            }
            let rule = r#"{"group_id":"tiflash","id":"one","role":"learner","count":2,"start_key":"","end_key":"","label_constraints":[{"key":"engine","op":"in","values":["tiflash"]}]}"#;
            request(sim, "POST", "/config/rule", rule).await;
        }
    }
}

/// Labels the keys of a region so that nothing is scheduled there.
async fn deny(sim: &Sim, dice: &mut Dice) {
    let id = *dice.pick(&sim.region_ids()).unwrap();
    let shown = get(sim, &format!("/region/id/{id}")).await;
    let rule = serde_json::json!({
        "id": "lab/deny",
        "labels": [{"key": "schedule", "value": "deny"}],
        "rule_type": "key-range",
        "data": [{"start_key": shown["start_key"], "end_key": shown["end_key"]}],
    });
    let path = "/config/region-label/rule";
    request(sim, "POST", path, &rule.to_string()).await;
}

/// Changes something by PD's own calls, which may refuse it.
async fn ask(sim: &Sim, dice: &mut Dice) {
    let store = 1 + dice.below(6);
    let rule = |id: &str, role: &str, count: u64, constraints: &str| {
        format!(
            r#"{{"group_id":"pd","id":"{id}","role":"{role}","count":{count},"start_key":"","end_key":"","label_constraints":[{constraints}]}}"#
        )
    };
    let in_z1 = r#"{"key":"zone","op":"in","values":["z1"]}"#;
    let not_z1 = r#"{"key":"zone","op":"notIn","values":["z1"]}"#;
    let schedulers = "/schedulers";
    let (path, body) = match dice.below(12) {
        0 => ("/config/rule", rule("default", "voter", 3, in_z1)),
        1 => ("/config/rule", rule("default", "voter", 3, not_z1)),
        2 => ("/config/rule", rule("default", "voter", 5, "")),
        3 => ("/config/rule", rule("more", "learner", 1, "")),
        4 => ("/config/rule", rule("more", "follower", 1, in_z1)),
        5 => (
            schedulers,
            format!(r#"{{"name":"grant-leader-scheduler","store_id":{store}}}"#),
        ),
        6 => (
            schedulers,
            r#"{"name":"evict-slow-store-scheduler"}"#.to_owned(),
        ),
        7 => (
            "/config/label-property",
            r#"{"action":"set","type":"reject-leader","label-key":"zone","label-value":"z1"}"#
                .to_owned(),
        ),
        8 => (
            "/config",
            r#"{"enable-placement-rules":"false"}"#.to_owned(),
        ),
        9 => (
            "/config/schedule",
            r#"{"store-limit-version":"v2"}"#.to_owned(),
        ),
        10 => ("/config/replicate", r#"{"max-replicas":2}"#.to_owned()),
        _ => (
            "/config/replicate",
            r#"{"location-labels":"zone"}"#.to_owned(),
        ),
    };
    request(sim, "POST", path, &body).await;
}

/// Somebody else's operator; it is no matter when the region cannot have one.
fn operator(sim: &Sim, dice: &mut Dice, id: u64, held: u64, free: u64) {
    let operator = match dice.below(4) {
        0 => ForeignOperator::transfer_leader("balance-leader", id, held),
        1 => ForeignOperator::move_peer("balance-region", id, held, free),
        2 => ForeignOperator::move_peer("admin-move-peer", id, held, free).admin(),
        _ => ForeignOperator::split("labeler-split-region", id, ["7A"]),
    };
    let _ = sim.insert_operator(operator);
}

fn configure(sim: &Sim, dice: &mut Dice) {
    let set = |name, value: serde_json::Value| assert!(sim.set_schedule(name, value), "{name}");
    match dice.below(6) {
        0 => set("scheduler-max-waiting-operator", 0.into()),
        1 => set("enable-joint-consensus", "false".into()),
        2 => set("leader-schedule-limit", 0.into()),
        3 => set("high-space-ratio", 0.65.into()),
        4 => set("halt-scheduling", "true".into()),
        _ => set("replica-schedule-limit", 0.into()),
    }
}
