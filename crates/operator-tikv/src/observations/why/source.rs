//! Why leaders and replicas do not leave a store.

use action_core::Finding;
use pd_client::stores::{Store, StoreState};
use serde_json::Value;

use crate::facts::store::limit_of;
use crate::observations::reasons;
use crate::observations::why::snapshot::WhySnapshot;
use crate::observations::why::target::{could_lead, could_take, gone, limit_zero, silence};

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
    let emptied = snapshot.what.replicas() && store.state_name == StoreState::Offline;
    // One region may leave for other reasons, and what is empty has nothing to give up.
    let asked = snapshot.region.is_some() || drained || emptied || is_empty(snapshot, store);
    if !asked {
        let text = format!("store {id} is neither drained nor offline");
        let found = reasons::NOTHING_ASKS.found(about.clone(), text);
        findings.push(found.seen(source.clone(), "draining", false).seen(
            source.clone(),
            "node_state",
            "serving",
        ));
    }
    let others = || snapshot.stores.iter().filter(|other| other.id != store.id);
    if drained
        && store.status.leader_count > 0
        && snapshot.region.is_none()
        && snapshot.to.is_none()
    {
        let leads = |other: &&Store| could_lead(snapshot, other, None);
        if others().filter(leads).count() == 0 {
            let text = "no other store may be given leaders";
            let found = reasons::NO_LEADER_TARGET.found(about.clone(), text);
            findings.push(found.seen(source.clone(), "leader_count", store.status.leader_count));
        }
    }
    let blocked = snapshot.blocked.iter().map(|cause| {
        let found = reasons::DRAIN_BLOCKED.found(about.clone(), cause.text.clone());
        let source = format!("GET /pd/api/v1/regions/store/{id}");
        found.seen(source, "cause", cause.code.clone())
    });
    // Where none may lead, each region says no more than that.
    let none_leads = findings
        .iter()
        .any(|one| one.code == reasons::NO_LEADER_TARGET.code);
    findings.extend(blocked.filter(|_| !none_leads));
    if emptied
        && store.status.region_count > 0
        && snapshot.region.is_none()
        && snapshot.to.is_none()
    {
        let takes = |other: &&Store| could_take(snapshot, other, None);
        let (takers, wanted) = (
            others().filter(takes).count() as u64,
            snapshot.config.replication.max_replicas,
        );
        if takers < wanted {
            let text = format!(
                "{takers} other stores could take replicas, and regions have {wanted} replicas on \
                 different stores"
            );
            let found = reasons::NO_FREE_STORE.found(about, text);
            findings.push(found.seen("GET /pd/api/v1/stores", "could_take_replicas", takers));
        }
    }
    let limit = limit_of(&snapshot.config.schedule, store);
    if snapshot.what.replicas() && limit.is_some_and(|limit| limit.remove_peer <= 0.0) {
        findings.push(limit_zero(store, "remove-peer"));
    }
    findings
}

fn is_empty(snapshot: &WhySnapshot, store: &Store) -> bool {
    let leads_nothing = !snapshot.what.leaders() || store.status.leader_count == 0;
    let holds_nothing = !snapshot.what.replicas() || store.status.region_count == 0;
    leads_nothing && holds_nothing
}
