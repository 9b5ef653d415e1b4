//! Whether PD's own balancing takes a leader away again from the store it was moved to.
//!
//! The arithmetic of `shouldBalance` of `pkg/schedule/schedulers/utils.go`, where leaders are
//! balanced by count, as they are unless set otherwise.

use action_core::Cause;
use pd_client::stores::Store;

use crate::facts::region::can_lead;
use crate::parameters::ids::StoreId;
use crate::pd_rules::leadership::may_run;
use crate::pd_rules::region_snapshot::RegionSnapshot;

const BALANCE_LEADER: &str = "balance-leader-scheduler";

/// How many leaders stores may differ by, where `tolerant-size-ratio` leaves it to PD.
const TOLERATED: f64 = 5.0;

/// The least that PD takes a weight for.
const LEAST_WEIGHT: f64 = 1e-6;

/// What moves the leader of the region back, once it is on that store. Leaders counted just after
/// PD has started are too few; the plan says then that counts are not complete.
pub(crate) fn moves_leader_back(at: &RegionSnapshot, to: StoreId) -> Option<Cause> {
    let schedule = &at.config.schedule;
    let by_count = schedule.leader_schedule_policy.as_deref() != Some("size");
    let runs = may_run(&at.config, BALANCE_LEADER)
        && schedule.leader_schedule_limit > 0
        && !schedule.halt_scheduling;
    let from = at.leader().filter(|from| *from != to)?;
    if !by_count || !runs {
        return None;
    }
    let ratio = schedule.tolerant_size_ratio.filter(|ratio| *ratio > 0.0);
    let tolerated = ratio.unwrap_or(TOLERATED).trunc();
    let target = at.serving(to)?;
    let high = score(target, 1.0 - tolerated);
    let peers = at.region.peers.iter().filter(|peer| can_lead(peer));
    let others = peers.filter(|peer| peer.store_id != to.pd());
    let mut others = others.filter_map(|peer| at.serving(peer.store_id.into()));
    let emptier = others.find(|other| {
        let moved = if other.id == from.pd() { -1.0 } else { 0.0 };
        score(other, moved + tolerated) < high
    })?;
    let text = format!(
        "`{BALANCE_LEADER}` takes leaders away from store {to} again: it would lead {} with weight \
         {}, and store {}, which holds a voter of the region, leads {} with weight {}",
        target.status.leader_count + 1,
        target.status.leader_weight,
        emptier.id,
        emptier.status.leader_count,
        emptier.status.leader_weight
    );
    Some(Cause::new("balance_leader", text))
}

/// What leaders are balanced by, with so many more of them.
fn score(store: &Store, more: f64) -> f64 {
    let leaders = store.status.leader_count as f64 + more;
    leaders / store.status.leader_weight.max(LEAST_WEIGHT)
}
