//! What PD does to the regions of an affinity group.
//!
//! The group's name is a label of its regions. Once it has its stores, no scheduler balances these
//! regions (`NewAffinityFilter` of `pkg/schedule/filter/region_filters.go`), and the affinity checker
//! moves their leaders and voters to the stores of the group (`createAffinityOperator` of
//! `pkg/schedule/checker/affinity_checker.go`), unless `affinity-schedule-limit` is 0, as by default
//! (`CheckRegion` of `checker_controller.go`). 8.5.5 and later.

use action_core::Cause;
use pd_client::affinity::AffinityGroup;
use pd_client::checkers::Checker;
use pd_client::config::ScheduleConfig;
use pd_client::region_labels::RegionLabel;
use pd_client::regions::{Peer, PeerRole};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::parameters::ids::StoreId;
use crate::pd_rules::patrol::Patrol;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::rule_checker::is_paused;

/// The label that names the group.
const LABEL: &str = "affinity_group";

/// PD's name of the limit for what moves regions to the stores of their group.
pub(crate) const LIMIT: &str = "affinity-schedule-limit";

/// The group of a region with these labels that has its stores: one read, and none without the
/// label or where PD has no such groups, and so shows no limit for them.
pub(crate) async fn group_of(
    tikv: &Tikv,
    schedule: &ScheduleConfig,
    labels: &[RegionLabel],
) -> Result<Option<AffinityGroup>, Error> {
    let mut labels = labels.iter();
    let label = labels.find(|label| label.key == LABEL);
    let Some(label) = label.filter(|_| schedule.affinity_schedule_limit.is_some()) else {
        return Ok(None);
    };
    let group = tikv.pd.affinity_group(&label.value).await;
    let group = group.map_err(Error::Read)?;
    let has_stores = |group: &AffinityGroup| group.leader_store_id > 0 && group.phase != "pending";
    Ok(group.filter(has_stores))
}

/// Whether a region is on the stores of its group, as far as its leader is known.
pub(crate) fn is_in_place(
    group: &AffinityGroup,
    leader: Option<StoreId>,
    voters: &[StoreId],
) -> bool {
    let wanted = &group.voter_store_ids;
    leader.is_none_or(|leader| leader.get() == group.leader_store_id)
        && voters.len() == wanted.len()
        && voters.iter().all(|store| wanted.contains(&store.get()))
}

/// Where a group wants its regions.
pub(crate) fn wants(group: &AffinityGroup) -> String {
    let voters = group.voter_store_ids.iter().take(8).map(u64::to_string);
    let voters: Vec<String> = voters.collect();
    format!(
        "affinity group `{}` requires the leader on store {} and voters on stores {}",
        bounded(&group.id),
        group.leader_store_id,
        voters.join(", ")
    )
}

/// The stores of the replicas that vote.
pub(crate) fn voters<'a>(peers: impl IntoIterator<Item = &'a Peer>) -> Vec<StoreId> {
    let peers = peers.into_iter();
    let voters = peers.filter(|peer| peer.role != PeerRole::Learner);
    voters.map(|peer| peer.store_id.into()).collect()
}

/// What the affinity checker does to a region that has this leader, where it is known, and these
/// voters. No read where it does nothing; up to five.
pub(crate) async fn moved_back(
    tikv: &Tikv,
    at: &RegionSnapshot,
    leader: Option<StoreId>,
    voters: &[StoreId],
) -> Result<Option<Cause>, Error> {
    let schedule = &at.config.schedule;
    let is_off = schedule.affinity_schedule_limit.unwrap_or(0) == 0
        || schedule.halt_scheduling
        || !at.config.replication.enable_placement_rules;
    if is_off {
        return Ok(None);
    }
    let labels = tikv.pd.labels_of_region(at.region.id).await;
    let labels = labels.map_err(Error::Read)?;
    if labels.iter().any(RegionLabel::denies_scheduling) {
        return Ok(None);
    }
    let group = group_of(tikv, schedule, &labels).await?;
    let Some(group) = group.filter(|group| !is_in_place(group, leader, voters)) else {
        return Ok(None);
    };
    let paused = is_paused(&tikv.pd, Checker::Affinity).await?;
    let pause = if paused { ", once its pause ends" } else { "" };
    let regions = tikv.pd.region_count().await.map_err(Error::Read)?;
    let patrol = Patrol::read(tikv, &at.config, regions).await?;
    let seen = patrol.until_seen();
    let text = format!(
        "PD's affinity checker moves the region (`affinity-move-region`){pause}{seen}: {}",
        wants(&group)
    );
    Ok(Some(Cause::new("affinity_checker", text)))
}
