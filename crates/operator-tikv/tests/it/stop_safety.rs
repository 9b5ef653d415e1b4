//! Whether stores can go down: case by case, and against what a count over all regions gives.

mod cases;
mod oracle;
mod random;

use std::collections::BTreeSet;

use action_core::{Observation, Safety};
use operator_tikv::{Limit, SafeToStop, ScanSafeToStop, StopSafety, Tikv};
use pd_sim::Sim;

use crate::{store_id, tikv};

fn ids(stores: &[u64]) -> Option<Vec<operator_tikv::StoreId>> {
    Some(stores.iter().map(|id| store_id(*id)).collect())
}

async fn look(sim: &Sim, stores: &[u64]) -> StopSafety {
    look_by(&tikv(sim), sim, stores).await
}

async fn look_by(tikv: &Tikv, sim: &Sim, stores: &[u64]) -> StopSafety {
    let asked = SafeToStop {
        store_ids: ids(stores),
        limit: Limit::new(1_000).unwrap(),
        ..SafeToStop::default()
    };
    let reads = sim.received_total();
    let seen = asked.observe(tikv).await.unwrap();
    let reads = sim.received_total() - reads;
    let most = 30 + stores.len();
    assert!(reads <= most, "{reads} reads for {stores:?}");
    assert!(sim.writes().is_empty());
    seen
}

async fn scan(sim: &Sim, stores: &[u64]) -> StopSafety {
    let asked = ScanSafeToStop {
        store_ids: ids(stores),
        limit: Limit::new(1_000).unwrap(),
        ..ScanSafeToStop::default()
    };
    asked.observe(&tikv(sim)).await.unwrap()
}

fn unsafe_ids(seen: &StopSafety) -> BTreeSet<u64> {
    let regions = seen.unsafe_regions.iter();
    regions.map(|region| region.region_id.get()).collect()
}

fn undecided(seen: &StopSafety) -> Vec<&str> {
    let causes = seen.undecided.iter();
    causes.map(|cause| cause.code.as_str()).collect()
}

#[track_caller]
fn check(seen: &StopSafety, answer: Safety, words: &str) {
    assert_eq!(seen.answer, answer, "{seen:#?}");
    assert!(seen.summary.contains(words), "{seen:#?}");
}
