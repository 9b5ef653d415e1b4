//! Mutations that are asked for, what others do meanwhile, and what of it PD's history shows.

use pd_sim::{ForeignOperator, RegionState, Role, Sim};
use serde_json::{Value, json};

use crate::adversary::fixture::Fixture;
use crate::adversary::random::Random;

/// A mutation, and where it shows.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) name: &'static str,
    pub(super) parameters: Value,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// On a region: to this store, from this one.
    Region {
        id: u64,
        to: u64,
        from: u64,
    },
    Setting {
        item: &'static str,
        value: u64,
    },
    Drain {
        store: u64,
    },
    Offline {
        store: u64,
    },
}

const SETTINGS: &[(&str, &str)] = &[
    ("set_leader_schedule_limit", "leader-schedule-limit"),
    ("set_region_schedule_limit", "region-schedule-limit"),
    ("set_replica_schedule_limit", "replica-schedule-limit"),
];

impl Asked {
    /// Anything.
    pub(super) fn any(fixture: &Fixture, random: &mut Random) -> Self {
        match random.one_in(3) {
            true => Self::lasting(fixture, random),
            false => Self::on_a_region(&fixture.sim, random),
        }
    }

    /// Something that stays until it is taken back.
    pub(super) fn lasting(fixture: &Fixture, random: &mut Random) -> Self {
        let store = 1 + random.below(5);
        let parameters = json!({"store_id": store.to_string()});
        match random.below(5) {
            0 => Self {
                name: "drain_store",
                parameters,
                what: What::Drain { store },
            },
            1 if fixture.has_patrols => Self {
                name: "offline_store",
                parameters,
                what: What::Offline { store },
            },
            _ => {
                let (name, item) = random.pick(SETTINGS);
                let value = 100 + random.below(900);
                Self {
                    name,
                    parameters: json!({"limit": value}),
                    what: What::Setting { item, value },
                }
            }
        }
    }

    /// Something on a region.
    pub(super) fn on_a_region(sim: &Sim, random: &mut Random) -> Self {
        let id = random.pick(&sim.region_ids());
        let leader = sim.leader_of(id);
        let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
        let others: Vec<u64> = held
            .iter()
            .copied()
            .filter(|one| Some(*one) != leader)
            .collect();
        let free: Vec<u64> = (1..=5).filter(|one| !held.contains(one)).collect();
        let (other, free) = (random.pick(&others), random.pick(&free));
        let (name, parameters, to, from) = match random.below(5) {
            0 | 1 => (
                "transfer_leader",
                json!({"region_id": id, "to_store_id": other}),
                other,
                0,
            ),
            2 => (
                "transfer_peer",
                json!({"region_id": id, "from_store_id": other, "to_store_id": free}),
                free,
                other,
            ),
            3 => (
                "add_peer",
                json!({"region_id": id, "store_id": free}),
                free,
                0,
            ),
            _ => (
                "remove_peer",
                json!({"region_id": id, "store_id": other}),
                0,
                other,
            ),
        };
        Self {
            name,
            parameters,
            what: What::Region { id, to, from },
        }
    }

    /// Whether one of these states of its region shows it, given the one when it was asked for.
    pub(super) fn was_so(&self, before: &RegionState, states: &[RegionState]) -> bool {
        let What::Region { to, from, .. } = self.what else {
            return false;
        };
        let old = before.peers.iter().find(|peer| peer.store_id == from);
        let lost = |state: &RegionState| {
            old.is_some_and(|old| state.peers.iter().all(|peer| peer.id != old.id))
        };
        let has = |state: &RegionState| {
            let mut peers = state.peers.iter();
            peers.any(|peer| peer.store_id == to && peer.role == Role::Voter)
        };
        let mut states = states.iter();
        match self.name {
            "transfer_leader" => states.any(|state| state.leader == Some(to)),
            "transfer_peer" => states.any(|state| lost(state) && has(state)),
            "add_peer" => states.any(has),
            _ => states.any(lost),
        }
    }

    /// Whether it is in force now.
    pub(super) fn is_in_force(&self, sim: &Sim) -> bool {
        match self.what {
            What::Region { .. } => false,
            What::Setting { item, value } => sim.limit_in_force(item) == value,
            What::Drain { store } => sim.evicting().contains(&store),
            What::Offline { store } => sim.state_name(store) == Some("Offline"),
        }
    }

    /// Makes another cluster look as if it had been done there.
    pub(super) fn is_so_in(&self, other: &Sim) {
        match self.what {
            What::Region { id, to, from } => {
                if from != 0 {
                    other.remove_peer(id, from);
                }
                if self.name == "transfer_leader" {
                    other.set_leader(id, to);
                } else if to != 0 {
                    other.add_peer(id, to, Role::Voter);
                }
            }
            What::Setting { item, value } => {
                other.set_schedule(item, value);
            }
            What::Drain { store } => other.set_evicting(store, true),
            What::Offline { .. } => {}
        }
    }

    /// Somebody else does something at the same place, if PD lets them: never what was asked for,
    /// so that it shows whose doing it was.
    pub(super) fn beside(&self, sim: &Sim, random: &mut Random) {
        let (id, to, from) = match self.what {
            What::Region { id, to, from } => (id, to, from),
            What::Setting { item, .. } => {
                sim.set_schedule(item, 2_000 + random.below(1_000));
                return;
            }
            What::Drain { .. } | What::Offline { .. } => (random.pick(&sim.region_ids()), 0, 0),
        };
        let peers = sim.peers(id);
        let is_free = |one: &u64| *one != to && peers.iter().all(|peer| peer.store_id != *one);
        let held: Vec<u64> = peers.iter().map(|peer| peer.store_id).collect();
        let free: Vec<u64> = (1..=5).filter(is_free).collect();
        let leads: Vec<u64> = held.iter().copied().filter(|one| *one != to).collect();
        let goes: Vec<u64> = held.iter().copied().filter(|one| *one != from).collect();
        if free.is_empty() || leads.is_empty() || goes.is_empty() {
            return;
        }
        let (free, leads, goes) = (random.pick(&free), random.pick(&leads), random.pick(&goes));
        let operator = match random.below(8) {
            0..=3 => ForeignOperator::transfer_leader("balance-leader-scheduler", id, leads),
            4 => ForeignOperator::move_peer("balance-region-scheduler", id, goes, free),
            5 => ForeignOperator::add_peer("add-rule-peer", id, free, Role::Voter),
            6 => ForeignOperator::remove_peer("remove-orphan-peer", id, goes),
            _ => {
                let key = format!("{:02X}", random.below(256));
                ForeignOperator::split("labeler-split-region", id, [key.as_str()])
            }
        };
        let operator = match random.one_in(4) {
            true => operator.admin(),
            false => operator,
        };
        let _ = sim.insert_operator(operator);
    }
}
