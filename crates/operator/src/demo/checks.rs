//! What the demo insists on after each step.

use serde_json::Value;

use super::cluster::{Carried, DemoCluster};

/// The regions that the steps before have used.
pub(super) fn used(cluster: &DemoCluster) -> Vec<u64> {
    let writes = cluster.sim.writes();
    let bodies = writes
        .iter()
        .filter_map(|write| serde_json::from_str::<Value>(&write.body).ok());
    bodies
        .filter_map(|body| body["region_id"].as_u64())
        .collect()
}

pub(super) fn sent_once(carried: &Carried) -> Result<(), String> {
    match carried.writes.len() {
        1 => Ok(()),
        sends => Err(format!("PD received {sends} requests instead of one")),
    }
}

pub(super) fn leads(cluster: &DemoCluster, region: u64, store: u64) -> Result<(), String> {
    let is_leader = cluster.sim.leader_of(region) == Some(store);
    ensure(is_leader, "the simulator has another leader")
}

pub(super) fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}
