//! Operators of others between our send and our probes, at random: whatever a probe calls applied
//! or not applied is held against the simulator's own history of the region.
//!
//! ```text
//! INTERLEAVINGS=100000 INTERLEAVINGS_SEED=7 cargo test … interleavings -- --nocapture
//! ```

use std::time::Duration;

use action_core::{Attribution, Progress};
use pd_sim::{Fault, ForeignOperator, Outage, RegionState, Role, Sim};
use serde_json::{Value, json};

use crate::differential::dice::Dice;
use crate::differential::number;
use crate::harness::Run;
use crate::{VERSIONS, request, stepped};

#[derive(Debug, Default)]
struct Tally {
    cases: u64,
    not_sent: u64,
    applied: u64,
    not_applied: u64,
    unknown: u64,
    misreported: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_interleaving_with_operators_of_others_is_misreported() {
    let seed = number("INTERLEAVINGS_SEED", 1);
    let cases = number("INTERLEAVINGS", 300);
    let mut tasks = tokio::task::JoinSet::new();
    for part in 0..4 {
        tasks.spawn(async move {
            let mut tally = Tally::default();
            for number in (part..cases).step_by(4) {
                one_case(seed.wrapping_mul(1_000_003) + number, &mut tally).await;
            }
            tally
        });
    }
    let mut all = Tally::default();
    while let Some(part) = tasks.join_next().await {
        let part = part.unwrap();
        all.cases += part.cases;
        all.not_sent += part.not_sent;
        all.applied += part.applied;
        all.not_applied += part.not_applied;
        all.unknown += part.unknown;
        all.misreported.extend(part.misreported);
    }
    eprintln!("INTERLEAVINGS_SEED={seed}: {all:#?}");
    assert!(all.misreported.is_empty());
    // It would be easy to be right by deciding nothing.
    let decided = all.applied + all.not_applied;
    assert!(decided > 2 * all.unknown, "{all:?}");
}

/// A mutation, and where the region is looked at that shows it.
struct Asked {
    name: &'static str,
    parameters: Value,
    region: u64,
    source: u64,
    keys: Vec<String>,
    store: u64,
    from: u64,
    role: Role,
}

async fn asked(sim: &Sim, dice: &mut Dice) -> Asked {
    let ids = sim.region_ids();
    let region = *dice.pick(&ids).unwrap();
    let pd = pd_client::Client::new(sim.endpoint()).unwrap();
    let found = pd.region(pd_client::RegionId::new(region).unwrap()).await;
    let found = found.unwrap().unwrap();
    let leader = sim.leader_of(region).unwrap();
    let held: Vec<u64> = sim.peers(region).iter().map(|peer| peer.store_id).collect();
    let others: Vec<u64> = held.iter().copied().filter(|one| *one != leader).collect();
    let free: Vec<u64> = (1..=5).filter(|one| !held.contains(one)).collect();
    let (other, free) = (*dice.pick(&others).unwrap(), *dice.pick(&free).unwrap());
    let mut asked = Asked {
        name: "",
        parameters: Value::Null,
        region,
        source: region,
        keys: Vec::new(),
        store: free,
        from: other,
        role: Role::Voter,
    };
    (asked.name, asked.parameters) = match dice.below(8) {
        0 | 1 => {
            asked.store = other;
            let parameters = json!({"region_id": region, "to_store_id": other});
            ("transfer_leader", parameters)
        }
        2 => (
            "transfer_peer",
            json!({"region_id": region, "from_store_id": other, "to_store_id": free}),
        ),
        3 => ("add_peer", json!({"region_id": region, "store_id": free})),
        4 => {
            asked.role = Role::Learner;
            let parameters = json!({"region_id": region, "store_id": free, "role": "learner"});
            ("add_peer", parameters)
        }
        5 => {
            asked.from = other;
            (
                "remove_peer",
                json!({"region_id": region, "store_id": other}),
            )
        }
        6 => {
            let start = &found.start_key;
            let within = if start.is_empty() {
                "10"
            } else {
                start.as_str()
            };
            asked.keys = vec![format!("{within}7F")];
            let keys = &asked.keys;
            let parameters = json!({"region_id": region, "policy": "usekey", "keys": keys});
            ("split_region", parameters)
        }
        _ => match pd.region_by_key(&found.end_key).await.unwrap() {
            Some(next) if !found.end_key.is_empty() => {
                asked.region = next.id.get();
                asked.source = region;
                asked.keys = vec![found.start_key.clone(), next.end_key.clone()];
                let target = next.id.get();
                let parameters = json!({"source_region_id": region, "target_region_id": target});
                ("merge_regions", parameters)
            }
            _ => ("scatter_region", json!({"region_id": region})),
        },
    };
    asked
}

impl Asked {
    /// Whether it was so in any of these states of its region.
    fn was_so(&self, sim: &Sim, before: &RegionState, states: &[RegionState]) -> bool {
        let old = before.peers.iter().find(|peer| peer.store_id == self.from);
        let lost = |state: &RegionState| {
            old.is_some_and(|old| state.peers.iter().all(|peer| peer.id != old.id))
        };
        let has = |state: &RegionState, role: Role| {
            let mut peers = state.peers.iter();
            peers.any(|peer| peer.store_id == self.store && peer.role == role)
        };
        // A split of others elsewhere leaves the key in another region, and no border at it.
        let has_border =
            |state: &RegionState, key: &String| state.start_key == *key || state.end_key == *key;
        let mut states = states.iter();
        match self.name {
            "transfer_leader" => states.any(|state| state.leader == Some(self.store)),
            "transfer_peer" => states.any(|state| lost(state) && has(state, Role::Voter)),
            "add_peer" => states.any(|state| has(state, self.role)),
            "remove_peer" => states.any(lost),
            "split_region" => states.any(|state| has_border(state, &self.keys[0])),
            "merge_regions" => {
                let gone = sim.peers(self.source).is_empty();
                let whole = |state: &RegionState| {
                    state.start_key <= self.keys[0]
                        && (state.end_key.is_empty()
                            || (!self.keys[1].is_empty() && state.end_key >= self.keys[1]))
                };
                gone && states.any(whole)
            }
            _ => unreachable!("{}", self.name),
        }
    }
}

/// Somebody else has PD do something, if PD does.
async fn foreign(sim: &Sim, region: u64, dice: &mut Dice, changes: &mut u64) {
    let peers = sim.peers(region);
    if peers.is_empty() {
        return;
    }
    let held: Vec<u64> = peers.iter().map(|peer| peer.store_id).collect();
    let free: Vec<u64> = (1..=5).filter(|one| !held.contains(one)).collect();
    let there = *dice.pick(&held).unwrap();
    let free = dice.pick(&free).copied().unwrap_or(1);
    let role = *dice.pick(&[Role::Voter, Role::Learner]).unwrap();
    let key = format!("{:02X}", dice.below(256));
    let operator = match dice.below(9) {
        0..=2 => ForeignOperator::transfer_leader("balance-leader-scheduler", region, there),
        3 => ForeignOperator::move_peer("balance-region-scheduler", region, there, free),
        4 => ForeignOperator::add_peer("add-rule-peer", region, free, role),
        5 => ForeignOperator::remove_peer("remove-orphan-peer", region, there),
        6 => ForeignOperator::split("labeler-split-region", region, [key.as_str()]),
        7 => {
            request(sim, "DELETE", &format!("/operators/{region}"), "").await;
            return;
        }
        _ if *changes == 0 => {
            *changes += 1;
            sim.change_leader(Duration::from_secs(1), Outage::NoLeader);
            sim.advance(Duration::from_secs(2));
            return;
        }
        _ => return,
    };
    let operator = if dice.one_in(4) {
        operator.admin()
    } else {
        operator
    };
    let _ = sim.insert_operator(operator);
}

async fn one_case(seed: u64, tally: &mut Tally) {
    let mut dice = Dice::new(seed);
    let version = *dice.pick(&VERSIONS).unwrap();
    let patrols = [10, 50, 1_000, 86_400_000];
    let sim = stepped(version)
        .members(3)
        .regions(4)
        .checker_interval(Duration::from_millis(*dice.pick(&patrols).unwrap()))
        .start()
        .await
        .unwrap();
    let asked = asked(&sim, &mut dice).await;
    let mut changes = 0;
    if dice.one_in(2) {
        foreign(&sim, asked.region, &mut dice, &mut changes).await;
        sim.advance(Duration::from_millis(
            *dice.pick(&[20, 300, 2_000]).unwrap(),
        ));
    }
    tally.cases += 1;
    sim.keep_history();
    let Some(before) = sim.history(asked.region).pop() else {
        tally.not_sent += 1;
        return;
    };
    let planned = Run::planned(&sim, asked.name, asked.parameters.clone()).await;
    if !planned.plan.verdict.may_be_sent() {
        tally.not_sent += 1;
        return;
    }
    match dice.below(4) {
        0 => sim.fault(Fault::dropped_before_apply("POST", "/operators")),
        1 => sim.fault(Fault::reply_lost_after_apply("POST", "/operators")),
        _ => {}
    }
    let run = Run::begin(&sim, asked.name, asked.parameters.clone()).await;
    let mut told = vec![format!("{seed}: {} {}", asked.name, asked.parameters)];
    for _ in 0..dice.below(6) {
        let pauses = [0, 20, 50, 100, 200, 400, 2_000];
        sim.advance(Duration::from_millis(*dice.pick(&pauses).unwrap()));
        let at = if dice.one_in(5) {
            asked.source
        } else {
            asked.region
        };
        foreign(&sim, at, &mut dice, &mut changes).await;
        if dice.one_in(3) {
            judge(&sim, &run, &asked, &before, &mut told, tally).await;
        }
    }
    let mut progress = judge(&sim, &run, &asked, &before, &mut told, tally).await;
    let mut pause = 500;
    while matches!(progress, Progress::Pending { .. }) && pause < 600_000 {
        sim.advance(Duration::from_millis(pause));
        pause *= 3;
        progress = judge(&sim, &run, &asked, &before, &mut told, tally).await;
    }
    match progress {
        Progress::Applied { .. } => tally.applied += 1,
        Progress::NotApplied { .. } => tally.not_applied += 1,
        _ => tally.unknown += 1,
    }
}

/// Probes, and holds what is said against what happened.
async fn judge(
    sim: &Sim,
    run: &Run<'_>,
    asked: &Asked,
    before: &RegionState,
    told: &mut Vec<String>,
    tally: &mut Tally,
) -> Progress {
    let progress = run.probe().await;
    let desc = match (asked.name, asked.role) {
        ("transfer_leader", _) => "admin-transfer-leader",
        ("transfer_peer", _) => "admin-move-peer",
        ("add_peer", Role::Learner) => "admin-add-learner",
        ("add_peer", _) => "admin-add-peer",
        ("remove_peer", _) => "admin-remove-peer",
        ("split_region", _) => "admin-split-region",
        ("merge_regions", _) => "admin-merge-region",
        _ => "scatter-region",
    };
    let ended = sim.ended_operators();
    let ours = |one: &&String| one.contains(&format!("operator: {desc} "));
    let succeeded = ended
        .iter()
        .filter(ours)
        .any(|one| one.starts_with("status: SUCCESS"));
    let begun = succeeded
        || ended.iter().any(|one| ours(&one))
        || sim
            .operator(asked.region)
            .is_some_and(|one| one.starts_with(desc));
    let was_so = if asked.name == "scatter_region" {
        succeeded
    } else {
        // The operator of a merge's target succeeds by any change of that region's keys, so of its
        // end nothing is believed (`MergeRegion::IsFinish` in PD's step.go).
        asked.was_so(sim, before, &sim.history(asked.region))
    };
    let wrong = match &progress {
        Progress::Applied { by, .. } => {
            !was_so || (*by == Attribution::Ours && !begun) || *by == Attribution::Another
        }
        Progress::NotApplied { .. } => was_so,
        _ => false,
    };
    if wrong {
        let history = sim.history(asked.region);
        told.push(format!("{progress:?}\n{ended:#?}\n{history:#?}"));
        tally.misreported.push(told.join("\n"));
    }
    progress
}
