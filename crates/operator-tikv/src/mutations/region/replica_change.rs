//! What a region's replicas show of a change of them.

use pd_client::regions::Region;

use crate::facts::region::{RegionFacts, in_joint_state};
use crate::mutations::region::region_operator::Shows;

/// A change of replicas, by how they are now.
pub(crate) struct ReplicaChange {
    /// What to say when they are as they should be.
    pub(crate) done: Option<String>,
    /// How they are, when they are on the way.
    pub(crate) half_done: Option<String>,
}

impl ReplicaChange {
    pub(crate) fn shows(self, before: &RegionFacts, region: &Region, now: &RegionFacts) -> Shows {
        let joint = region.peers.iter().any(in_joint_state);
        let changed = now.conf_ver > before.conf_ver;
        if let Some(summary) = self.done.filter(|_| changed && !joint) {
            return Shows::Done(summary);
        }
        if now.peers == before.peers {
            return Shows::Untouched;
        }
        match self.half_done {
            Some(how) => Shows::HalfDone(how),
            None if joint => Shows::HalfDone(format!("half changed: {}", now.peers_text())),
            None => Shows::Other,
        }
    }
}
