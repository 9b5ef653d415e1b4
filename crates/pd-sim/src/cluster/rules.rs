//! The placement rule: how many voters a region has, and which of its peers are too many.

use crate::cluster::Cluster;
use crate::cluster::region::{Peer, Region};

/// How a region's peers fit the one rule there is.
#[derive(Debug)]
pub(crate) struct Fit {
    /// Peers the rule takes, best first; learners among them should be voters.
    pub(crate) taken: Vec<Peer>,
    /// Peers no rule wants.
    pub(crate) orphans: Vec<Peer>,
    /// How many voters the rule wants.
    pub(crate) wanted: usize,
}

impl Fit {
    /// As many voters as wanted.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.taken.len() == self.wanted && self.taken.iter().all(Peer::is_voter)
    }
}

impl Cluster {
    /// Matches the region with the default rule. Healthy voters are taken first, older before newer.
    pub(crate) fn fit(&self, region: &Region) -> Fit {
        let wanted = usize::try_from(self.config.max_replicas()).unwrap_or(usize::MAX);
        let mut peers = region.peers.clone();
        peers.sort_unstable_by_key(|peer| {
            let unhealthy =
                region.is_unhealthy_on(peer.store_id) || self.is_disconnected(peer.store_id);
            (!peer.is_voter(), unhealthy, peer.id)
        });
        let orphans = peers.split_off(wanted.min(peers.len()));
        Fit {
            taken: peers,
            orphans,
            wanted,
        }
    }

    /// Exactly the peers the rules want, all well.
    pub(crate) fn is_normal(&self, region: &Region) -> bool {
        let fit = self.fit(region);
        region.is_healthy() && fit.is_satisfied() && fit.orphans.is_empty()
    }
}
