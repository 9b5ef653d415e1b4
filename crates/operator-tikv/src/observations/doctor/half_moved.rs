//! Moves that were begun and not finished.

use std::collections::BTreeMap;

use action_core::Finding;
use pd_client::RegionId;
use pd_client::operators::Operator;
use pd_client::regions::{PeerRole, Region, RegionCheck};
use pd_client::rules::{RegionFit, RuleFit};
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::leader_figures::gauges;
use crate::facts::region::RegionFacts;
use crate::observations::doctor::leftovers::Leftovers;
use crate::observations::reasons;

/// PD lists all regions of a check or none; above this many it is not asked.
const MOST_LISTED: f64 = 10_000.0;

/// How many regions are looked at one by one.
const MOST_REGIONS: usize = 8;

pub(super) async fn find(
    tikv: &Tikv,
    stores: &[Store],
    found: &mut Leftovers,
) -> Result<(), Error> {
    let gauges = gauges(tikv).await;
    let mut suspects: BTreeMap<_, Region> = BTreeMap::new();
    for (check, gauge) in [
        (RegionCheck::ExtraPeer, "extra-peer-region-count"),
        (RegionCheck::LearnerPeer, "learner-peer-region-count"),
    ] {
        let count = gauges.as_ref().and_then(|gauges| gauges.regions.get(gauge));
        if let Some(count) = count.filter(|count| **count > MOST_LISTED) {
            let what = format!("unfinished moves in {count} regions: too many to list");
            found.unknown.push(what);
            continue;
        }
        let listed = tikv.pd.regions_in_check(check).await.map_err(Error::Read)?;
        let suspicious = listed
            .into_iter()
            .filter(|region| check == RegionCheck::ExtraPeer || has_stray_learner(region, stores));
        suspects.extend(suspicious.map(|region| (region.id, region)));
    }
    if suspects.is_empty() {
        return Ok(());
    }
    let operators = tikv.pd.operators().await.map_err(Error::Read)?;
    let idle = suspects.into_values();
    let idle: Vec<Region> = idle
        .filter(|region| is_idle(region.id, &operators))
        .collect();
    found.cut |= idle.len() > MOST_REGIONS;
    let mut half_moves = Vec::new();
    for region in idle.into_iter().take(MOST_REGIONS) {
        let fit = match tikv.pd.region_fit(region.id).await {
            // Merged away in between.
            Err(error) if error.is_not_found() => continue,
            fit => fit.map_err(Error::Read)?,
        };
        let half_moved = fit.and_then(|fit| half_moved(&region, &fit));
        half_moves.extend(half_moved.map(|finding| (region.id, finding)));
    }
    if half_moves.is_empty() {
        return Ok(());
    }
    // PD goes on with one operator after the other: what has one by now is under way.
    let operators = tikv.pd.operators().await.map_err(Error::Read)?;
    half_moves.retain(|(id, _)| is_idle(*id, &operators));
    let findings = half_moves.into_iter().map(|(_, finding)| finding);
    found.findings.extend(findings);
    Ok(())
}

/// Whether no operator is on a region.
fn is_idle(id: RegionId, operators: &[Operator]) -> bool {
    let mut operators = operators.iter();
    operators.all(|operator| operator.region_id != Some(id))
}

/// Whether there is a learner elsewhere than on TiFlash, where learners belong.
fn has_stray_learner(region: &Region, stores: &[Store]) -> bool {
    let is_tiflash = |id| {
        let mut stores = stores.iter();
        stores.any(|store| store.id == id && store.is_tiflash())
    };
    let mut peers = region.peers.iter();
    peers.any(|peer| peer.role == PeerRole::Learner && !is_tiflash(peer.store_id))
}

fn half_moved(region: &Region, fit: &RegionFit) -> Option<Finding> {
    let is_other = fit
        .rule_fits
        .iter()
        .any(|one| !one.peers_different_role.is_empty());
    if fit.orphan_peers.is_empty() && !is_other {
        return None;
    }
    let id = region.id;
    let peers = RegionFacts::of(region).peers_text();
    let text = format!("a move of region {id} was not finished: it has {peers}");
    let mut found = reasons::HALF_MOVED.found(format!("region/{id}"), text);
    let is_short = |one: &RuleFit| (one.peers.len() as u64) < one.rule.count;
    if fit.rule_fits.iter().any(is_short) {
        found = found.next(
            "Run `why` for the region: PD keeps extra replicas until every placement rule is satisfied.",
        );
    }
    let orphans: Vec<String> = fit
        .orphan_peers
        .iter()
        .take(16)
        .map(|peer| format!("store {}", peer.store_id))
        .collect();
    let source = format!("GET /pd/api/v1/config/rules/region/{id}/detail");
    Some(
        found
            .seen(format!("GET /pd/api/v1/region/id/{id}"), "peers", peers)
            .seen(source, "orphan_peers", orphans),
    )
}
