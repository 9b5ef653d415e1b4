//! Whether a store may be given leaders.

use std::time::{Duration, SystemTime};

use pd_client::rules::{LabelConstraint, LabelOp, Rule, RuleRole};
use pd_client::schedulers::EvictLeaderConfig;
use pd_client::stores::{Store, StoreState};

use crate::ids::StoreId;

/// Why PD does not give leaders to a store; `None` when it does, as far as can be read.
pub(crate) fn refusing_leaders(
    store: Option<&Store>,
    drains: Option<&EvictLeaderConfig>,
) -> Option<String> {
    let Some(store) = store else {
        return Some("the store does not exist".to_owned());
    };
    if store.state_name != StoreState::Up {
        return Some(format!("the store is {}", state_text(&store.state_name)));
    }
    if drains.is_some_and(|drains| drains.stores.contains_key(&store.id)) {
        return Some("leaders are being drained from the store".to_owned());
    }
    if store.status.pause_leader_transfer_in == Some(true) {
        return Some("a scheduler keeps leaders from the store".to_owned());
    }
    if store.status.is_busy {
        return Some("the store says that it is busy".to_owned());
    }
    None
}

/// Whether the rules of a region let a store lead it.
pub(crate) fn rules_let_lead(rules: Option<&[Rule]>, store: &Store) -> bool {
    let Some(rules) = rules else {
        return true;
    };
    let leads = |rule: &&Rule| matches!(rule.role, RuleRole::Voter | RuleRole::Leader);
    rules.iter().filter(leads).any(|rule| {
        rule.label_constraints
            .iter()
            .all(|constraint| fits(constraint, store))
    })
}

fn fits(constraint: &LabelConstraint, store: &Store) -> bool {
    let value = store.label(&constraint.key);
    let listed = || value.is_some_and(|value| constraint.values.iter().any(|one| one == value));
    match constraint.op {
        LabelOp::In => listed(),
        LabelOp::NotIn => !listed(),
        LabelOp::Exists => value.is_some(),
        LabelOp::NotExists => value.is_none(),
        _ => true,
    }
}

/// How long PD has not heard of a store; `None` when it never has.
pub(crate) fn silent_for(store: &Store, clock_ahead_ms: i64) -> Option<Duration> {
    let heard = store.last_heartbeat.or(store.status.last_heartbeat_ts)?;
    let ahead = Duration::from_millis(clock_ahead_ms.unsigned_abs());
    let now = SystemTime::now();
    let now = if clock_ahead_ms < 0 {
        now - ahead
    } else {
        now + ahead
    };
    Some(now.duration_since(heard).unwrap_or_default())
}

/// Stores other than one that may be given leaders.
pub(crate) fn other_targets(
    stores: &[Store],
    not: StoreId,
    drains: Option<&EvictLeaderConfig>,
) -> usize {
    let others = stores
        .iter()
        .filter(|store| store.id != not.pd() && !store.is_tiflash());
    others
        .filter(|store| refusing_leaders(Some(store), drains).is_none())
        .count()
}

/// A state in PD's word.
pub(crate) fn state_text(state: &StoreState) -> String {
    match state {
        StoreState::Up => "Up".to_owned(),
        StoreState::Disconnected => "Disconnected".to_owned(),
        StoreState::Down => "Down".to_owned(),
        StoreState::Offline => "Offline".to_owned(),
        StoreState::Tombstone => "Tombstone".to_owned(),
        StoreState::Other(word) => word.clone(),
        _ => "unknown".to_owned(),
    }
}
