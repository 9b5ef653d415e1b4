//! Random requests: valid, borderline, and wrong.

use pd_client::regions::Region;
use serde_json::{Value, json};

use super::dice::Dice;
use super::ground::Ground;
use crate::harness::assert_are_all_mutations;

/// What there is, as PD shows it.
pub(super) struct Known {
    regions: Vec<Region>,
    stores: Vec<u64>,
    schedulers: Vec<String>,
    members: Vec<String>,
    remove_limits: Vec<f64>,
}

impl Known {
    pub(super) async fn of(ground: &Ground) -> Self {
        let pd = &ground.pd;
        // A few regions are enough; they are neighbours, so that some can be merged.
        let page = pd.regions_between("", "", std::num::NonZeroU16::new(24).unwrap());
        let stores = pd.stores().await.unwrap();
        let config = pd.schedule_config().await.unwrap();
        Self {
            regions: page.await.unwrap(),
            stores: stores.iter().map(|store| store.id.get()).collect(),
            schedulers: pd.schedulers().await.unwrap(),
            members: pd
                .members()
                .await
                .unwrap()
                .members
                .into_iter()
                .map(|member| member.name)
                .collect(),
            remove_limits: config
                .store_limit
                .values()
                .map(|limit| limit.remove_peer)
                .collect(),
        }
    }

    fn region(&self, dice: &mut Dice) -> Option<&Region> {
        dice.pick(&self.regions)
    }

    fn region_id(&self, dice: &mut Dice) -> u64 {
        if dice.one_in(25) {
            return 9_007_199_254_740_991 - dice.below(3);
        }
        self.region(dice).map_or(1, |region| region.id.get())
    }

    /// A store; of ten, one that there is not, and one that may be a tombstone.
    fn store(&self, dice: &mut Dice) -> u64 {
        match dice.below(20) {
            0 => 4_711,
            1 => 1 + dice.below(8),
            _ => *dice.pick(&self.stores).unwrap_or(&1),
        }
    }

    /// A store with or without a replica of a region, as a rule.
    fn store_for(&self, dice: &mut Dice, region: Option<&Region>, holding: bool) -> u64 {
        let held = |id: &&u64| {
            region.is_some_and(|region| region.peers.iter().any(|peer| peer.store_id.get() == **id))
        };
        let fitting: Vec<u64> = self
            .stores
            .iter()
            .filter(|id| held(id) == holding)
            .copied()
            .collect();
        if dice.one_in(6) {
            return self.store(dice);
        }
        dice.pick(&fitting).copied().unwrap_or(1)
    }
}

/// Asked for rarely: PD is without a leader meanwhile.
const RARE: &str = "transfer_pd_leader";

/// The kinds of requests, the more frequent ones more than once.
const KINDS: [&str; 31] = [
    "transfer_leader",
    "transfer_leader",
    "transfer_leader",
    "transfer_leader",
    "transfer_peer",
    "transfer_peer",
    "transfer_peer",
    "transfer_peer",
    "add_peer",
    "add_peer",
    "add_peer",
    "remove_peer",
    "remove_peer",
    "remove_peer",
    "split_region",
    "merge_regions",
    "merge_regions",
    "scatter_region",
    "cancel_operator",
    "drain_store",
    "stop_drain",
    "offline_store",
    "cancel_offline",
    "remove_tombstones",
    "set_leader_schedule_limit",
    "set_region_schedule_limit",
    "set_replica_schedule_limit",
    "set_low_space_threshold",
    "set_store_limit",
    "pause_scheduler",
    "resume_scheduler",
];

pub(super) fn random(dice: &mut Dice, known: &Known) -> (&'static str, Value) {
    let name = if dice.one_in(60) {
        RARE
    } else {
        *dice.pick(&KINDS).unwrap()
    };
    (name, of_kind(name, dice, known))
}

fn of_kind(name: &str, dice: &mut Dice, known: &Known) -> Value {
    let region = known.region(dice).cloned();
    let region = region.as_ref();
    let id = match region {
        Some(region) if !dice.one_in(30) => region.id.get(),
        _ => known.region_id(dice),
    };
    let store = known.store(dice).to_string();
    match name {
        "transfer_leader" => {
            json!({"region_id": id, "to_store_id": known.store_for(dice, region, true)})
        }
        "transfer_peer" => {
            let from = known.store_for(dice, region, true);
            let mut to = known.store_for(dice, region, false);
            if to == from {
                to = from + 1;
            }
            json!({"region_id": id, "from_store_id": from, "to_store_id": to})
        }
        "add_peer" => {
            let to = known.store_for(dice, region, false);
            let role = if dice.one_in(3) { "learner" } else { "voter" };
            json!({"region_id": id, "store_id": to, "role": role})
        }
        "remove_peer" => json!({"region_id": id, "store_id": known.store_for(dice, region, true)}),
        "split_region" => split(id, region, dice),
        "merge_regions" => merge(id, region, dice, known),
        "scatter_region" if dice.one_in(2) => json!({"region_id": id, "group": "one"}),
        "scatter_region" => json!({"region_id": id}),
        "cancel_operator" => json!({"region_id": id, "others": !dice.one_in(4)}),
        "set_leader_schedule_limit"
        | "set_region_schedule_limit"
        | "set_replica_schedule_limit" => {
            json!({"limit": dice.pick(&[0_u64, 1, 4, 64, 2048, 9_007_199_254_740_991])})
        }
        "set_low_space_threshold" => {
            json!({"percent": dice.pick(&[1.0, 60.0, 69.9, 70.0, 70.5, 80.0, 95.0, 100.0])})
        }
        "set_store_limit" => {
            let what = if dice.one_in(2) {
                "add_peer"
            } else {
                "remove_peer"
            };
            let kept = known.remove_limits.first().copied().unwrap_or(15.0);
            let rates = [0.5, 15.0, 100_000_000.0, kept];
            json!({"store_id": store, "what": what, "per_minute": dice.pick(&rates)})
        }
        "pause_scheduler" => {
            json!({"scheduler": scheduler(dice, known), "seconds": 1 + dice.below(300)})
        }
        "resume_scheduler" => json!({"scheduler": scheduler(dice, known)}),
        "transfer_pd_leader" if dice.one_in(3) => json!({"member": "pd-nobody"}),
        "transfer_pd_leader" => json!({"member": dice.pick(&known.members)}),
        "drain_store" | "stop_drain" | "offline_store" | "cancel_offline" => {
            json!({"store_id": store})
        }
        "remove_tombstones" => json!({}),
        other => unreachable!("`{other}` has no request"),
    }
}

fn split(id: u64, region: Option<&Region>, dice: &mut Dice) -> Value {
    let inner = region.map_or_else(
        || "7A".to_owned(),
        |region| format!("{}{:02X}", region.start_key, 1 + dice.below(200)),
    );
    match dice.below(4) {
        0 => json!({"region_id": id, "policy": "scan"}),
        1 => json!({"region_id": id, "policy": "approximate"}),
        2 => json!({"region_id": id, "policy": "usekey", "keys": [inner]}),
        _ => json!({"region_id": id, "policy": "usekey", "keys": [inner.to_lowercase(), "FF"]}),
    }
}

/// A neighbour as a rule, and sometimes just any other.
fn merge(id: u64, region: Option<&Region>, dice: &mut Dice, known: &Known) -> Value {
    let neighbour = region.and_then(|region| {
        known.regions.iter().find(|other| {
            (other.start_key == region.end_key && !region.end_key.is_empty())
                || (other.end_key == region.start_key && !region.start_key.is_empty())
        })
    });
    let mut other = match neighbour {
        Some(neighbour) if !dice.one_in(5) => neighbour.id.get(),
        _ => known.region_id(dice),
    };
    if other == id {
        other += 1;
    }
    json!({"source_region_id": id, "target_region_id": other})
}

fn scheduler(dice: &mut Dice, known: &Known) -> String {
    if dice.one_in(6) {
        return "grant-hot-leader-scheduler".to_owned();
    }
    let names = &known.schedulers;
    dice.pick(names)
        .cloned()
        .unwrap_or_else(|| "none".to_owned())
}

#[test]
fn every_mutation_is_asked_for() {
    assert_are_all_mutations("KINDS", KINDS.into_iter().chain([RARE]));
}
