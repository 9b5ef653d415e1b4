//! Whether PD's own balancing takes a leader away again from the store it was moved to.
//!
//! The arithmetic of `shouldBalance` of `pkg/schedule/schedulers/utils.go`, where leaders are
//! balanced by count, as they are unless set otherwise; and what `balance_leader.go` leaves out.

use action_core::Cause;
use pd_client::config::Config;
use pd_client::schedulers::EvictLeaderConfig;
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::drains::is_draining;
use crate::facts::region::can_lead;
use crate::parameters::ids::StoreId;
use crate::pd_rules::leadership::{LeaderBlockers, MayLead, may_run};
use crate::pd_rules::placement_fit::PlacementFit;
use crate::pd_rules::region_snapshot::RegionSnapshot;

const BALANCE_LEADER: &str = "balance-leader-scheduler";

/// How many leaders stores may differ by, where `tolerant-size-ratio` leaves it to PD.
const TOLERATED: f64 = 5.0;

/// The least that PD takes a weight for.
const LEAST_WEIGHT: f64 = 1e-6;

/// What a plan says where leaders are balanced by size.
pub(crate) const BY_SIZE: &str = "whether balance-leader-scheduler moves the leader again: leader-schedule-policy is size, and PD does not show the total size of leaders";

/// Whether balancing is on and goes by what PD does not show.
pub(crate) fn goes_by_size(at: &RegionSnapshot) -> bool {
    runs(&at.config) && !is_by_count(&at.config)
}

/// What moves the leader of the region back, once it is on that store: two reads where something
/// does. Leaders counted just after PD has started are too few; the plan says then that counts are
/// not complete.
pub(crate) async fn moves_leader_back(
    tikv: &Tikv,
    at: &RegionSnapshot,
    blockers: &LeaderBlockers,
    to: StoreId,
) -> Result<Option<Cause>, Error> {
    if !runs(&at.config) || goes_by_size(at) {
        return Ok(None);
    }
    let Some((target, emptier)) = at.serving(to).and_then(|target| {
        let emptier = emptier_store(at, blockers, target)?;
        Some((target, emptier))
    }) else {
        return Ok(None);
    };
    let denied = tikv.pd.is_scheduling_denied(at.region.id).await;
    if denied.map_err(Error::Read)? {
        return Ok(None);
    }
    let paused = tikv.pd.paused_schedulers().await.map_err(Error::Read)?;
    let paused = paused.iter().any(|one| one.name == BALANCE_LEADER);
    let when = if paused { ", once its pause ends" } else { "" };
    let led = target.status.leader_count + 1;
    let which = match led {
        1 => "this one, the only one there".to_owned(),
        led => format!("one of {led}, chosen at random, until the difference is tolerated"),
    };
    let text = format!(
        "`{BALANCE_LEADER}` moves leaders off store {to} again{when}, {which}: it would lead {led} with weight {}, but store {}, which holds a voter of the region, leads {} with weight {}",
        target.status.leader_weight,
        emptier.id,
        emptier.status.leader_count,
        emptier.status.leader_weight
    );
    Ok(Some(Cause::new("balance_leader", text)))
}

/// A store with a voter of the region that PD would give the leader to.
fn emptier_store<'a>(
    at: &'a RegionSnapshot,
    blockers: &LeaderBlockers,
    target: &Store,
) -> Option<&'a Store> {
    let from = at.leader().filter(|from| from.pd() != target.id)?;
    let tolerated = tolerated(&at.config);
    let high = score(target, 1.0 - tolerated);
    let fit = PlacementFit::of(at, target.id.into());
    let peers = at.region.peers.iter().filter(|peer| can_lead(peer));
    let others = peers.filter(|peer| peer.store_id != target.id);
    let mut others = others.filter_map(|peer| at.serving(peer.store_id.into()));
    others.find(|other| {
        let moved = if other.id == from.pd() { -1.0 } else { 0.0 };
        let lets = blockers.lets_lead(Some(other), at.rules.as_deref());
        let then = PlacementFit::of(at, other.id.into());
        let keeps_rules = fit.as_ref().zip(then.as_ref());
        score(other, moved + tolerated) < high
            && !matches!(lets, MayLead::No)
            && keeps_rules.is_none_or(|(now, then)| now.is_no_better_than(then))
    })
}

/// How many leaders a store has at least once PD has balanced them; `None` where that is not by
/// their count. PD moves none while stores differ by less than it tolerates, so that a store may be
/// left with so many fewer than its share.
pub(crate) fn balanced_at_least(
    store: &Store,
    stores: &[Store],
    config: &Config,
    drains: Option<&EvictLeaderConfig>,
) -> Option<u64> {
    if !is_by_count(config) {
        return None;
    }
    if !runs(config) {
        return Some(0);
    }
    let weight = |store: &Store| store.status.leader_weight.max(LEAST_WEIGHT);
    let leaders: u64 = stores.iter().map(|store| store.status.leader_count).sum();
    let takes = |other: &&Store| {
        other.id != store.id
            && other.state_name == StoreState::Up
            && !other.is_tiflash()
            && !is_draining(drains, other.id.into())
    };
    let (mut others, mut their_weight) = (0.0, 0.0);
    for other in stores.iter().filter(takes) {
        others += 1.0;
        their_weight += weight(other);
    }
    // The others have as many more than this one as PD leaves them.
    let own = weight(store);
    let tolerated = tolerated(config);
    let left = own * (leaders as f64 - others * tolerated) - their_weight * tolerated;
    let least = (left / (own + their_weight)).floor().max(0.0);
    Some(least as u64)
}

fn is_by_count(config: &Config) -> bool {
    config.schedule.leader_schedule_policy.as_deref() != Some("size")
}

fn runs(config: &Config) -> bool {
    let schedule = &config.schedule;
    may_run(config, BALANCE_LEADER)
        && schedule.leader_schedule_limit > 0
        && !schedule.halt_scheduling
}

/// How many leaders stores may differ by.
fn tolerated(config: &Config) -> f64 {
    let ratio = config.schedule.tolerant_size_ratio;
    let ratio = ratio.filter(|ratio| *ratio > 0.0);
    ratio.unwrap_or(TOLERATED).trunc()
}

/// What leaders are balanced by, with so many more of them.
fn score(store: &Store, more: f64) -> f64 {
    let leaders = store.status.leader_count as f64 + more;
    leaders / store.status.leader_weight.max(LEAST_WEIGHT)
}
