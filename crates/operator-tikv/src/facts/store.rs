//! What a store shows of itself: its state, its disk, its limits, and what fails together with it.

use pd_client::StoreId as PdStoreId;
use pd_client::config::{Config, ScheduleConfig};
use pd_client::stores::{Store, StoreLimit, StoreState};

use crate::parameters::ids::StoreId;

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

/// So many stores are named.
const NAMED: usize = 5;

/// Stores as text, such as `store 4` or `stores 4, 5`.
pub(crate) fn named(stores: &[PdStoreId]) -> String {
    let some: Vec<String> = stores.iter().take(NAMED).map(ToString::to_string).collect();
    let some = some.join(", ");
    match stores.len() {
        1 => format!("store {some}"),
        count if count > NAMED => format!("stores {some} and {} more", count - NAMED),
        _ => format!("stores {some}"),
    }
}

/// What fails together with a store.
pub(crate) fn failure_domain(id: StoreId, store: Option<&Store>, config: &Config) -> String {
    let labels = config.replication.location_labels.iter();
    let mut known = labels.filter_map(|key| Some((key, store?.label(key)?)));
    match known.find(|(_, value)| !value.is_empty()) {
        Some((key, value)) => format!("{key}={value}"),
        None => format!("store/{id}"),
    }
}

/// How much of a store's disk is in use, 0 to 1.
pub(crate) fn used_share(store: &Store) -> Option<f64> {
    let capacity = store.status.capacity.bytes().filter(|bytes| *bytes > 0)?;
    let available = store.status.available.bytes()?;
    Some(1.0 - available as f64 / capacity as f64)
}

/// So few replicas a minute are as good as none: PD lets one through, and the next in ten minutes or
/// later.
const LOW: f64 = 0.1;

/// Whether a store's limit lets next to nothing through.
pub(crate) fn is_low(per_minute: f64) -> bool {
    per_minute < LOW
}

/// The limit for adding replicas to a store, where that lets next to nothing through.
pub(crate) fn low_add_limit(schedule: &ScheduleConfig, store: &Store) -> Option<f64> {
    let limit = limit_of(schedule, store)?.add_peer;
    is_low(limit).then_some(limit)
}

pub(crate) fn limit_of<'a>(schedule: &'a ScheduleConfig, store: &Store) -> Option<&'a StoreLimit> {
    // Limits of the second version are not by replicas per minute.
    let is_first = schedule.store_limit_version.as_deref() != Some("v2");
    schedule.store_limit.get(&store.id).filter(|_| is_first)
}
