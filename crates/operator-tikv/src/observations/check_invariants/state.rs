//! Disks have room, stores are heard of, leaders are spread, PD has enough members.

use pd_client::members::MemberHealth;
use pd_client::stores::{Store, StoreState};

use crate::facts::store::{state_text, used_share};
use crate::observations::check_invariants::thresholds::CheckInvariants;
use crate::observations::check_invariants::violation::{Clock, Violation};

/// Fewer leaders than this more or less are nothing to speak of.
const LEADERS_APART: f64 = 10.0;

pub(super) fn full_disks(bounds: &CheckInvariants, stores: &[Store]) -> Vec<Violation> {
    let bound = f64::from(bounds.disk_percent);
    let full = |store: &Store| {
        let percent = used_share(store)? * 100.0;
        let text = format!("{percent:.1} % of the disk of store {} is in use", store.id);
        let breach = || Violation::new("disk", format!("store/{}", store.id), text, percent, bound);
        (percent > bound).then(breach)
    };
    stores.iter().filter_map(full).collect()
}

pub(super) fn silent_stores(
    bounds: &CheckInvariants,
    stores: &[Store],
    clock: &Clock,
) -> Vec<Violation> {
    let silent = |store: &Store| {
        let at = store.last_heartbeat.or(store.status.last_heartbeat_ts);
        let (id, about) = (store.id, format!("store/{}", store.id));
        if matches!(
            store.state_name,
            StoreState::Disconnected | StoreState::Down
        ) {
            let text = format!("store {id} is {}", state_text(&store.state_name));
            let breach = Violation::new("store_heard_of", about, text, 0.0, 1.0);
            // One that was never heard of is silent for ever.
            return Some(match at {
                Some(at) => clock.since(breach, at, bounds.store_down_for_s),
                None => breach,
            });
        }
        let (at, now) = (at?, clock.age_s(at?)?);
        let bound = f64::from(bounds.heartbeat_s);
        (now > u64::from(bounds.heartbeat_s)).then(|| {
            let text = format!("the last heartbeat of store {id} is {now} s old");
            let breach = Violation::new("heartbeat", about, text, now as f64, bound);
            clock.since(breach, at, bounds.heartbeat_s)
        })
    };
    stores.iter().filter_map(silent).collect()
}

/// Between stores that may lead: Up, TiKV, and with a weight.
pub(super) fn imbalance(
    bounds: &CheckInvariants,
    stores: &[Store],
    clock: &Clock,
) -> Vec<Violation> {
    let leads = |store: &&Store| {
        let weighs = store.status.leader_weight > 0.0;
        store.state_name == StoreState::Up && !store.is_tiflash() && weighs
    };
    let leading: Vec<&Store> = stores.iter().filter(leads).collect();
    if leading.len() < 2 {
        return Vec::new();
    }
    let total: u64 = leading.iter().map(|store| store.status.leader_count).sum();
    let weights: f64 = leading.iter().map(|store| store.status.leader_weight).sum();
    let bound = f64::from(bounds.leader_imbalance_percent);
    let off = |store: &&Store| {
        let share = total as f64 * store.status.leader_weight / weights;
        let apart = (store.status.leader_count as f64 - share).abs();
        let percent = 100.0 * apart / share;
        (percent > bound && apart >= LEADERS_APART).then(|| {
            let (id, count) = (store.id, store.status.leader_count);
            let text = format!("store {id} leads {count} regions; an even share is {share:.0}");
            let about = format!("store/{id}");
            let breach = Violation::new("leader_balance", about, text, percent, bound);
            clock.since_seen(breach, bounds.grace_s)
        })
    };
    leading.iter().filter_map(off).collect()
}

pub(super) fn too_few_members(
    bounds: &CheckInvariants,
    health: &[MemberHealth],
    clock: &Clock,
) -> Option<Violation> {
    let healthy = health.iter().filter(|member| member.health).count();
    let needed = bounds.members;
    ((healthy as u64) < u64::from(needed)).then(|| {
        let text = format!("{healthy} PD members answer, {needed} are required");
        let about = "cluster".to_owned();
        let breach = Violation::new("members", about, text, healthy as f64, needed.into());
        clock.since_seen(breach, bounds.grace_s)
    })
}
