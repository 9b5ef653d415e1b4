//! What PD refuses to put on a region, in its order and words.

use action_core::Verdict;
use pd_client::operators::OperatorReport;
use pd_client::regions::Region;
use pd_client::stores::{Store, StoreState};

use crate::error::Error;
use crate::ids::{RegionId, StoreId};
use crate::own_operator::is_running;
use crate::region_facts::in_joint_state;
use crate::tikv::Tikv;

pub(crate) fn rejected(code: &str, text: impl Into<String>) -> Verdict {
    Verdict::WouldReject {
        code: code.to_owned(),
        text: text.into(),
    }
}

/// The region; or what PD would say because there is none, or no cluster.
pub(crate) async fn region(tikv: &Tikv, id: RegionId) -> Result<Result<Region, Verdict>, Error> {
    match tikv.pd.region(id.pd()).await {
        Ok(Some(region)) => Ok(Ok(region)),
        Ok(None) => Ok(Err(rejected(
            "PD:region:ErrRegionNotFound",
            format!("region {id} not found"),
        ))),
        Err(error) => unless_not_bootstrapped(error).map(Err),
    }
}

/// What PD would say to any mutation when no TiKV has joined yet.
pub(crate) fn unless_not_bootstrapped(error: pd_client::Error) -> Result<Verdict, Error> {
    match error.answer() {
        Some(answer) if answer.is_not_bootstrapped() => Ok(rejected(
            "PD:cluster:ErrNotBootstrapped",
            answer.message.clone(),
        )),
        _ => Err(Error::Read(error)),
    }
}

/// What PD says to a region it cannot work on.
pub(crate) fn unworkable(region: &Region, may_be_joint: bool) -> Option<Verdict> {
    if region.leader.is_none() {
        let text = "cannot build operator for region with no leader";
        return Some(rejected("no_leader", text));
    }
    if !may_be_joint && region.peers.iter().any(in_joint_state) {
        let text = "cannot build operator for region which is in joint state";
        return Some(rejected("joint_state", text));
    }
    None
}

/// What PD says to a store that is to take a replica.
pub(crate) fn unfit_store(
    id: StoreId,
    store: Option<&Store>,
    clock_ahead_ms: i64,
) -> Option<Verdict> {
    let Some(store) = store else {
        return Some(store_not_found(id));
    };
    if store.state_name == StoreState::Tombstone {
        return Some(rejected(
            "PD:core:ErrStoreRemoved",
            format!("store {id} has been removed"),
        ));
    }
    let silent = crate::leader_target::silent_for(store, clock_ahead_ms);
    if silent.is_none_or(|silent| silent > UNHEALTHY_AFTER) {
        return Some(rejected(
            "PD:core:ErrStoreUnhealthy",
            format!("store {id} is unhealthy"),
        ));
    }
    None
}

pub(crate) fn store_not_found(id: StoreId) -> Verdict {
    rejected("PD:core:ErrStoreNotFound", format!("store {id} not found"))
}

/// PD calls a store unhealthy when it has not heard of it for ten minutes.
const UNHEALTHY_AFTER: std::time::Duration = std::time::Duration::from_secs(600);

/// What the operator on a region means for another one by request: it is refused when the one
/// there is as urgent, and takes its place otherwise.
pub(crate) async fn occupied(tikv: &Tikv, id: RegionId) -> Result<Option<Verdict>, Error> {
    let report = tikv.pd.operator(id.pd()).await.map_err(Error::Read)?;
    let Some(running) = report.filter(is_running) else {
        return Ok(None);
    };
    if is_urgent(&running) {
        let text = "failed to add operator, maybe already have one";
        return Ok(Some(rejected("PD:operator:ErrAddOperator", text)));
    }
    Ok(Some(Verdict::WouldDisplace {
        displaced: running.operator.raw,
    }))
}

/// Operators by request and those of a drain are as urgent as any can be.
fn is_urgent(report: &OperatorReport) -> bool {
    let operator = &report.operator;
    operator.kinds.iter().any(|kind| kind == "admin") || operator.desc.starts_with("evict-leader")
}
