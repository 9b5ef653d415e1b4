//! The evict-leader scheduler: leaders leave the stores it is set to, a batch at a time.

use crate::cluster::Cluster;
use crate::cluster::operator::{Kind, Level, Operator};
use crate::cluster::plan::Plan;
use crate::cluster::region::Region;

impl Cluster {
    /// One round: up to a batch of operators, while there is room under the leader limit.
    pub(crate) fn evict_leaders(&mut self) {
        let limit = self.config.limit("leader-schedule-limit", self.now);
        if self.count_operators(Kind::LEADER) >= limit {
            return;
        }
        let batch = usize::try_from(self.schedulers.evict_batch).unwrap_or(usize::MAX);
        let mut operators: Vec<Operator> = Vec::new();
        for _ in 0..batch {
            let picked: Vec<u64> = operators.iter().map(|op| op.region_id).collect();
            let once = self.evict_once(&picked);
            if once.is_empty() {
                break;
            }
            operators.extend(once);
            if operators.len() > batch {
                break;
            }
        }
        for operator in operators {
            self.add_operators(vec![operator]);
        }
    }

    /// One leader of every evicted store.
    fn evict_once(&mut self, picked: &[u64]) -> Vec<Operator> {
        let stores: Vec<u64> = self.schedulers.evicting.iter().copied().collect();
        let mut operators: Vec<Operator> = Vec::new();
        for store_id in stores {
            let movable: Vec<&Region> = self
                .regions
                .led_by(store_id)
                .filter(|region| !picked.contains(&region.id))
                .filter(|region| {
                    self.operators
                        .get(&region.id)
                        .is_none_or(|running| !running.is_urgent())
                })
                .filter(|region| !self.targets(region).is_empty())
                .filter(|region| {
                    !self.rows().deny_label_holds_drain || !self.labels.deny_scheduling(region)
                })
                .collect();
            let healthy: Vec<&Region> = movable
                .iter()
                .copied()
                .filter(|region| region.is_healthy())
                .collect();
            let from = if healthy.is_empty() { movable } else { healthy };
            let region = from.get(self.seeded.below(from.len())).copied().cloned();
            operators.extend(region.and_then(|region| self.evict(&region)));
        }
        operators
    }

    fn evict(&mut self, region: &Region) -> Option<Operator> {
        let targets = self.targets(region);
        let target = *targets.get(self.seeded.below(targets.len()))?;
        Plan::in_any_state(self.rows().evict_desc, region)
            .set_leader(target)
            .set_leaders(targets)
            .build(self, Kind::LEADER)
            .ok()
            .map(|operator| operator.at_level(Level::Urgent))
    }

    /// Stores a leader of the region may go to.
    fn targets(&self, region: &Region) -> Vec<u64> {
        region
            .peers
            .iter()
            .filter(|peer| peer.is_voter() && region.leader != Some(peer.store_id))
            .filter(|peer| !region.is_unhealthy_on(peer.store_id))
            .filter(|peer| self.takes_leaders(peer.store_id))
            .map(|peer| peer.store_id)
            .collect()
    }
}
