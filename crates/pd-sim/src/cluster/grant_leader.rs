//! The grant-leader scheduler: leaders come to the stores it is set to.

use crate::cluster::Cluster;
use crate::cluster::operator::{Kind, Level};
use crate::cluster::plan::Plan;
use crate::cluster::region::Region;

impl Cluster {
    /// One round: one leader for every store, while there is room under the leader limit.
    pub(crate) fn grant_leaders(&mut self) {
        let limit = self.config.limit("leader-schedule-limit", self.now);
        let stores: Vec<u64> = self.schedulers.granting.iter().copied().collect();
        for store_id in stores {
            if self.count_operators(Kind::LEADER) >= limit {
                return;
            }
            let followed: Vec<&Region> = self
                .regions
                .on(store_id)
                .filter(|region| {
                    region.leader.is_some_and(|leader| leader != store_id)
                        && region.voter_on(store_id).is_some()
                        && region.is_healthy()
                        && !self.operators.contains_key(&region.id)
                })
                .collect();
            let count = followed.len();
            if count == 0 {
                continue;
            }
            let Some(region) = followed.into_iter().nth(self.seeded.below(count)).cloned() else {
                continue;
            };
            let operator = Plan::new(self.rows().grant_desc, &region)
                .set_leader(store_id)
                .forced()
                .build(self, Kind::LEADER);
            if let Ok(operator) = operator {
                self.add_operators(vec![operator.at_level(Level::High)]);
            }
        }
    }
}
