//! What PD says to a scattering, in its order.

use action_core::Verdict;
use pd_client::Capability;
use pd_client::hotspots::{HotKind, HotRegions};
use pd_client::regions::Peer;
use pd_client::rules::RegionFit;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::parameters::ids::RegionId;
use crate::pd_rules::operator_priority::{Level, OPERATOR_IN_THE_WAY};
use crate::pd_rules::placement::is_replicated;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::stop::{Checked, Stop, refused, undecided, verdict};
use crate::pd_rules::version;

/// Scattering a region, with how its replicas fit its rules.
pub(crate) async fn check_scatter(
    tikv: &Tikv,
    at: &RegionSnapshot,
    fit: Option<RegionFit>,
) -> Checked<Verdict> {
    let id = RegionId::from(at.region.id);
    for kind in [HotKind::Write, HotKind::Read] {
        let hot = tikv.pd.hot_regions(kind, &[]).await.map_err(Error::Read)?;
        let degree = at.config.schedule.hot_region_cache_hits_threshold;
        if is_among(id, &hot, degree.unwrap_or(3)) {
            let text = format!("region {id} is a hot region");
            return Err(refused("hot_region", text));
        }
    }
    if !is_replicated(&at.region, fit.as_ref(), &at.config) {
        let text = format!("region {id} is not fully replicated");
        return Err(refused("not_replicated", text));
    }
    let in_the_way = match verdict(at.check_free(Level::High))? {
        Verdict::WouldReject { code, text } => Some((code, text)),
        _ => None,
    };
    let by_another = matches!(&in_the_way, Some((code, _)) if code == OPERATOR_IN_THE_WAY);
    if by_another && version::has(tikv, Capability::ScatterRefusedByOperator).await? {
        return Err(by_running(at));
    }
    let is_gone = |leader: Peer| at.region.peer_on(leader.store_id).is_none();
    if at.region.leader.is_none_or(is_gone) {
        let text = format!("region {id} has no leader");
        return Err(refused("no_leader", text));
    }
    Err(match in_the_way {
        // Whether PD finds anything to move decides whether it comes to that.
        Some((_, text)) => undecided("operator_in_the_way", text),
        // PD refuses when a store it chooses has used up its limit; neither is shown.
        None => undecided(
            "store_limits_not_shown",
            "whether the limits of the stores that PD chooses are used up: PD does not show it",
        ),
    })
}

/// What PD says when an operator is there, where it looks for one first.
fn by_running(at: &RegionSnapshot) -> Stop {
    let running = at.running.as_ref();
    if running.is_some_and(|report| report.operator.desc == "scatter-region") {
        // It is accepted when it is of the same group, which is not shown.
        return undecided(
            "scatter_running",
            "a scatter is running there; PD does not show for which group",
        );
    }
    let text = format!("the operator of region {} already exist", at.region.id);
    refused("operator_exists", text)
}

/// Whether a region has been busy for that many intervals.
fn is_among(id: RegionId, hot: &HotRegions, degree: u64) -> bool {
    let stores = hot.as_peer.values().chain(hot.as_leader.values());
    let mut regions = stores.flatten().flat_map(|store| &store.statistics);
    regions.any(|region| {
        region.region_id == id.pd()
            && u64::try_from(region.hot_degree).is_ok_and(|found| found >= degree)
    })
}
