//! Why leaders and replicas do not leave a store.

use action_core::Finding;
use pd_client::stores::{Store, StoreState};
use serde_json::Value;

use crate::facts::store::limit_of;
use crate::observations::findings::store_limit_low;
use crate::observations::reasons;
use crate::observations::why::emptied::is_emptied;
use crate::observations::why::leader_targets::none_besides;
use crate::observations::why::snapshot::WhySnapshot;
use crate::observations::why::staying;
use crate::observations::why::target::{gone, granted as leaders_granted, is_granted, silence};

pub(super) fn findings(snapshot: &WhySnapshot) -> Vec<Finding> {
    let Some((id, store)) = &snapshot.from else {
        return Vec::new();
    };
    let about = format!("store/{id}");
    let source = format!("GET /pd/api/v1/store/{id}");
    let Some(store) = store else {
        let found = reasons::STORE_NOT_FOUND.found(about, format!("there is no store {id}"));
        return vec![found.seen(source, "store", Value::Null)];
    };
    if store.state_name == StoreState::Tombstone {
        return gone(store).into_iter().collect();
    }
    let mut findings: Vec<Finding> = silence(store).into_iter().collect();
    let drained = snapshot.what.leaders() && snapshot.is_draining(store.id);
    let emptied = snapshot.what.replicas() && is_emptied(store);
    let is_down = store.state_name == StoreState::Down;
    let granted = snapshot.what.leaders() && snapshot.region.is_none();
    if granted && is_granted(snapshot, store) {
        findings.push(leaders_granted(store));
    }
    // One region may leave for other reasons, what is empty has nothing to give up, and the
    // leaders of a store that is down are elected elsewhere.
    let asked = drained || emptied || is_down;
    let asked = asked || snapshot.region.is_some() || is_empty(snapshot, store);
    if !asked {
        let text = format!("store {id} is neither drained nor offline");
        let found = reasons::NOTHING_ASKS.found(about, text);
        let found = found.next(snapshot.offers.next());
        findings.push(found.seen(source.clone(), "draining", false).seen(
            source.clone(),
            "node_state",
            "serving",
        ));
    }
    let is_only_question = snapshot.region.is_none() && snapshot.to.is_none();
    let no_target = (drained && is_only_question).then(|| none_besides(snapshot, store));
    let no_target = no_target.flatten();
    // Where none may lead, each region says no more than that.
    if no_target.is_none() {
        findings.extend(blocked(snapshot, store));
    }
    findings.extend(no_target);
    if emptied {
        // Of a region it is told with the region.
        if snapshot.region.is_none() {
            findings.extend(staying::findings(snapshot));
        }
    } else if snapshot.what.replicas() {
        let limit = limit_of(&snapshot.config.schedule, store);
        let low = limit.and_then(|limit| store_limit_low(store, "remove-peer", limit.remove_peer));
        findings.extend(low);
    }
    findings
}

/// What keeps the last regions on a drained store.
fn blocked(snapshot: &WhySnapshot, store: &Store) -> impl Iterator<Item = Finding> {
    let id = store.id;
    snapshot.blocked.iter().map(move |cause| {
        let found = reasons::DRAIN_BLOCKED.found(format!("store/{id}"), cause.text.clone());
        let source = format!("GET /pd/api/v1/regions/store/{id}");
        found.seen(source, "cause", cause.code.clone())
    })
}

/// Whether a finding explains that nothing leaves a store that is being emptied.
pub(super) fn holds_all(finding: &Finding) -> bool {
    let reasons = [
        reasons::SCHEDULING_HALTED,
        reasons::UNSAFE_RECOVERY,
        reasons::LIMIT_ZERO,
        reasons::LIMIT_USED_UP,
        reasons::TTL_OVERRIDE,
        reasons::CHECKER_PAUSED,
        reasons::PATROL_INTERVAL_LONG,
        reasons::NO_FREE_STORE,
        reasons::STORE_LIMIT_ZERO,
        reasons::STORE_LIMIT_LOW,
    ];
    reasons.iter().any(|reason| reason.code == finding.code)
}

fn is_empty(snapshot: &WhySnapshot, store: &Store) -> bool {
    let leads_nothing = !snapshot.what.leaders() || store.status.leader_count == 0;
    let holds_nothing = !snapshot.what.replicas() || store.status.region_count == 0;
    leads_nothing && holds_nothing
}
