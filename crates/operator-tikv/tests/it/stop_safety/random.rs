//! Clusters and questions by dice.

use std::collections::BTreeSet;
use std::time::Duration;

use action_core::Safety;
use pd_sim::{Role, Sim, StoreState, Version};

use super::oracle::{Done, lost};
use super::{look, scan, unsafe_ids};
use crate::differential::dice::Dice;
use crate::{VERSIONS, stepped};

/// How many stores, TiFlash stores and regions a cluster has, and how many of its regions are ill.
struct Size {
    stores: u64,
    tiflash: u64,
    regions: u64,
    ill: u64,
}

/// A cluster in which some stores and some regions are ill.
async fn cluster(dice: &mut Dice, version: Version, size: &Size) -> (Sim, Done) {
    let sim = stepped(version)
        .stores(size.stores)
        .tiflash_stores(size.tiflash)
        .regions(size.regions);
    let sim = sim.start().await.unwrap();
    let mut done = Done {
        tiflash: (size.stores + 1..=size.stores + size.tiflash).collect(),
        ..Done::default()
    };
    let all = size.stores + size.tiflash;
    let ids = sim.region_ids();
    for _ in 0..size.ill {
        let id = *dice.pick(&ids).unwrap();
        let leader = sim.leader_of(id).unwrap();
        let store = 1 + dice.below(all);
        let held: BTreeSet<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
        let roles = [
            Role::Learner,
            Role::Voter,
            Role::IncomingVoter,
            Role::DemotingVoter,
        ];
        let joint = |role: Role| matches!(role, Role::IncomingVoter | Role::DemotingVoter);
        let is_joint = sim.peers(id).iter().any(|peer| joint(peer.role));
        match dice.below(4) {
            0 if held.contains(&store) => {
                sim.set_pending(id, store, true);
                done.unwell.insert((id, store));
            }
            1 if held.contains(&store) => {
                sim.set_down(id, store, Some(Duration::from_secs(700)));
                done.unwell.insert((id, store));
                done.down.insert((id, store));
            }
            // PD goes between two sets of voters with a replica more, and removes one afterwards.
            2 if held.contains(&store) && store != leader && !is_joint => {
                sim.remove_peer(id, store);
                done.unwell.remove(&(id, store));
                done.down.remove(&(id, store));
            }
            _ if !held.contains(&store) => {
                let learns = done.tiflash.contains(&store);
                let choices = if learns {
                    1
                } else if held.len() < 3 {
                    2
                } else {
                    4
                };
                let role = dice.pick(&roles[..choices]).unwrap();
                sim.add_peer(id, store, *role);
            }
            _ => {}
        }
    }
    for store in 1..=all {
        match dice.below(24) {
            0 => {
                sim.set_heartbeat_age(store, Duration::from_secs(90));
                done.silent.insert(store);
            }
            1 => {
                sim.set_store_state(store, StoreState::Offline);
                done.offline.insert(store);
            }
            2 if store <= size.stores => {
                sim.set_evicting(store, true);
                done.drained.insert(store);
            }
            _ => {}
        }
    }
    (sim, done)
}

fn some_stores(dice: &mut Dice, all: u64) -> Vec<u64> {
    let mut asked = BTreeSet::new();
    for _ in 0..1 + dice.below(3) {
        asked.insert(1 + dice.below(all));
    }
    asked.into_iter().collect()
}

/// The answers to a few questions about a cluster: a scan finds what is lost and no more, and what
/// is called safe by fewer reads is. Gives how many were known by those.
async fn ask(sim: &Sim, done: &Done, dice: &mut Dice, all: u64) -> [u64; 3] {
    let mut answers = [0; 3];
    for _ in 0..4 {
        let asked = some_stores(dice, all);
        let expected = lost(sim, done, &asked);
        let context = format!("{asked:?} of {done:?}");
        let seen = scan(sim, &asked).await;
        let found = unsafe_ids(&seen);
        let shown = found.len() == expected.len().min(1_000);
        assert!(shown && found.is_subset(&expected), "{context}");
        assert_eq!(seen.unsafe_total, expected.len() as u64, "{context}");
        let is_safe = seen.answer == Safety::Safe;
        let has_reason = !seen.reasons.is_empty();
        assert_eq!(
            is_safe,
            expected.is_empty() && !has_reason,
            "{context}: {}",
            seen.summary
        );

        let seen = look(sim, &asked).await;
        assert!(
            unsafe_ids(&seen).is_subset(&expected),
            "{context}: {}",
            seen.summary
        );
        match seen.answer {
            Safety::Safe => {
                assert!(expected.is_empty(), "{context}: {}", seen.summary);
                answers[0] += 1;
            }
            Safety::NotSafe => {
                assert!(!is_safe, "{context}: {}", seen.summary);
                answers[1] += 1;
            }
            _ => answers[2] += 1,
        }
    }
    answers
}

/// Few regions on each store: they are all read, and nothing is left open.
#[tokio::test]
async fn by_the_regions_of_the_stores_everything_is_known() {
    let mut answers = [0; 3];
    for seed in 0..60 {
        let mut dice = Dice::new(seed);
        let version = *dice.pick(&VERSIONS).unwrap();
        let size = Size {
            stores: 3 + dice.below(5),
            tiflash: dice.below(3),
            regions: 10 + dice.below(30),
            ill: dice.below(10),
        };
        let (sim, done) = cluster(&mut dice, version, &size).await;
        let all = size.stores + size.tiflash;
        let seen = ask(&sim, &done, &mut dice, all).await;
        (0..3).for_each(|at| answers[at] += seen[at]);
    }
    let [safe, not_safe, not_known] = answers;
    assert!(safe > 40 && not_safe > 40, "{answers:?}");
    assert_eq!(not_known, 0, "{answers:?}");
}

/// Many: what PD lists is all that is read, and some is left open.
#[tokio::test]
async fn by_pds_lists_nothing_is_called_safe_that_is_not() {
    let mut answers = [0; 3];
    for seed in 100..112 {
        let mut dice = Dice::new(seed);
        let version = *dice.pick(&VERSIONS).unwrap();
        let size = Size {
            stores: 3 + dice.below(2),
            tiflash: dice.below(2),
            regions: 1_400,
            ill: dice.below(5),
        };
        let (sim, done) = cluster(&mut dice, version, &size).await;
        let all = size.stores + size.tiflash;
        let seen = ask(&sim, &done, &mut dice, all).await;
        (0..3).for_each(|at| answers[at] += seen[at]);
    }
    assert!(answers.iter().all(|many| *many > 3), "{answers:?}");
}
