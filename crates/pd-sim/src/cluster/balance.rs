//! balance-leader, kept simple: from the store with the most leaders to the one with the fewest.

use crate::cluster::Cluster;
use crate::cluster::operator::Kind;
use crate::cluster::plan::Plan;

/// So many leaders are taken from the one count and added to the other before they are compared:
/// `leaderTolerantSizeRatio` in PD's `pkg/schedule/schedulers/utils.go`, unless `tolerant-size-ratio` says.
const TOLERATED: u64 = 5;

impl Cluster {
    /// One round: at most one leader moves.
    pub(crate) fn balance_leaders(&mut self) {
        let limit = self.config.limit("leader-schedule-limit", self.now);
        if self.count_operators(Kind::LEADER) >= limit {
            return;
        }
        let leaders = |store_id: u64| self.regions.held_by(store_id).leaders;
        let mut stores: Vec<u64> = self
            .stores
            .values()
            .filter(|store| !store.is_tiflash() && self.takes_leaders(store.id))
            .map(|store| store.id)
            .collect();
        stores.sort_by_key(|store_id| leaders(*store_id));
        let mut sources = stores.iter().rev();
        let from = sources.find(|id| !self.schedulers.pauses_leader_transfer_from(**id));
        let (Some(&to), Some(&from)) = (stores.first(), from) else {
            return;
        };
        let tolerated = match self.config.float("tolerant-size-ratio") {
            ratio if ratio > 0.0 => ratio as u64,
            _ => TOLERATED,
        };
        if leaders(from) <= leaders(to) + 2 * tolerated {
            return;
        }
        let region = self
            .regions
            .led_by(from)
            .find(|region| {
                region.voter_on(to).is_some()
                    && region.is_healthy()
                    && !self.labels.deny_scheduling(region)
                    && !self.operators.contains_key(&region.id)
            })
            .cloned();
        let Some(region) = region else { return };
        let operator = Plan::new(self.rows().balance_leader_desc, &region)
            .set_leader(to)
            .build(self, Kind::LEADER);
        if let Ok(operator) = operator {
            self.add_operators(vec![operator]);
        }
    }
}
