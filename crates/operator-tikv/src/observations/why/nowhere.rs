//! Where the leader and the replicas of one region may go: nowhere.

use action_core::Finding;
use pd_client::rules::Rule;
use pd_client::stores::Store;

use crate::facts::store::low_add_limit;
use crate::observations::findings::store_limit_low;
use crate::observations::reasons;
use crate::observations::why::leader_targets;
use crate::observations::why::snapshot::{AskedRegion, WhySnapshot};
use crate::observations::why::target::{could_take, has_room};
use crate::pd_rules::placement::rules_let_hold;

/// Where nothing may go; of replicas that `is_held` it is told already.
pub(super) fn nowhere(snapshot: &WhySnapshot, about: &AskedRegion, is_held: bool) -> Vec<Finding> {
    let region = &about.region;
    let rules = about.rules.as_deref();
    let mut findings = Vec::new();
    if snapshot.what.leaders() {
        findings.extend(leader_targets::none_for(snapshot, region, rules));
    }
    // With as many stores as replicas that is how it should be, unless one has to move.
    let must_move = !snapshot.what.leaders() || snapshot.from.is_some() || snapshot.is_on_emptied();
    let others = snapshot.stores.iter();
    let mut others = others.filter(|store| region.peer_on(store.id).is_none());
    let is_free = others
        .clone()
        .any(|store| could_take(snapshot, store, rules));
    if snapshot.what.replicas() && must_move && !is_free && !is_held {
        let limited = limited_targets(snapshot, others.by_ref(), rules);
        if limited.is_empty() {
            let text = format!("no store can take a replica of region {}", region.id);
            let count = snapshot.stores.len();
            findings.push(
                reasons::NO_FREE_STORE
                    .found(format!("region/{}", region.id), text)
                    .seen("GET /pd/api/v1/stores", "stores", count),
            );
        }
        findings.extend(limited);
    }
    findings
}

/// Stores that could take a replica if their limits let any in.
fn limited_targets<'a>(
    snapshot: &WhySnapshot,
    others: impl Iterator<Item = &'a Store>,
    rules: Option<&[Rule]>,
) -> Vec<Finding> {
    let could = |store: &&Store| {
        has_room(snapshot, store) && !store.is_tiflash() && rules_let_hold(rules, store)
    };
    let schedule = &snapshot.config.schedule;
    let low = others.filter(could).filter_map(|store| {
        let limit = low_add_limit(schedule, store)?;
        store_limit_low(store, "add-peer", limit)
    });
    low.collect()
}
