//! Why replicas stay on stores that PD empties.

use action_core::Finding;
use pd_client::rules::Rule;
use pd_client::stores::Store;

use crate::facts::store::limit_of;
use crate::observations::findings::store_limit_low;
use crate::observations::left_on_store::{being_replaced, held_on, no_room};
use crate::observations::why::emptied::Emptied;
use crate::observations::why::snapshot::WhySnapshot;
use crate::pd_rules::room::Room;

/// What keeps replicas on such stores.
pub(super) fn findings(snapshot: &WhySnapshot) -> Vec<Finding> {
    // Where a target was named, what is told is of that.
    let emptied = snapshot.emptied.iter().filter(|_| snapshot.to.is_none());
    emptied.flat_map(|one| of(snapshot, one)).collect()
}

fn of(snapshot: &WhySnapshot, Emptied { store, rules, left }: &Emptied) -> Vec<Finding> {
    let mut findings = Vec::new();
    if snapshot.region.is_none() {
        findings.extend(being_replaced(store, &snapshot.config));
    }
    findings.extend(nobody_has_room(snapshot, store, rules.as_deref()));
    findings.extend(held_on(store, left));
    let limit = limit_of(&snapshot.config.schedule, store);
    let low = limit.and_then(|limit| store_limit_low(store, "remove-peer", limit.remove_peer));
    findings.extend(low);
    findings
}

/// The replicas have nowhere to go: by the rules, by limits, or because of what the other stores
/// are at.
fn nobody_has_room(snapshot: &WhySnapshot, store: &Store, rules: Option<&[Rule]>) -> Vec<Finding> {
    if store.status.region_count == 0 {
        return Vec::new();
    }
    let room = Room::of(store, rules, &snapshot.config, &snapshot.stores);
    let mut findings = no_room(store, &room, snapshot.takers());
    let limited = room.limited_takers().into_iter();
    findings.extend(limited.filter_map(|(one, limit)| store_limit_low(one, "add-peer", limit)));
    findings
}
