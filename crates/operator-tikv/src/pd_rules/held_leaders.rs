//! Leaders that a drain does not move, because a label denies scheduling: PD before 8.2.

use std::num::NonZeroU16;

use action_core::Cause;
use pd_client::Capability;
use pd_client::region_labels::{RegionLabel, RegionLabelRule};
use pd_client::regions::Region;
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::pd_rules::stop::Checked;
use crate::pd_rules::version;

/// So many ranges are looked at, and so many regions of each.
const RANGES: usize = 8;
const REGIONS: NonZeroU16 = NonZeroU16::MIN.saturating_add(63);

/// So many regions are named.
const NAMED: usize = 5;

/// The regions that a store leads and a label holds there. One read, and one for each range of keys
/// that a label denies.
pub(crate) async fn held_leaders(tikv: &Tikv, store: &Store) -> Checked<Vec<Cause>> {
    let rules = tikv.pd.region_label_rules().await.map_err(Error::Read)?;
    let denying: Vec<_> = rules.iter().filter(|rule| denies(rule)).collect();
    if denying.is_empty() || !version::has(tikv, Capability::DenyLabelHoldsDrain).await? {
        return Ok(Vec::new());
    }
    let mut ranges = Vec::new();
    for rule in denying {
        ranges.extend(rule.ranges.iter().map(|range| (rule, range)));
    }
    let mut causes = Vec::new();
    let mut is_cut = ranges.len() > RANGES;
    for (rule, range) in ranges.into_iter().take(RANGES) {
        let (start, end) = (&range.start_key, &range.end_key);
        let regions = tikv.pd.regions_between(start, end, REGIONS).await;
        let regions = regions.map_err(Error::Read)?;
        is_cut |= regions.len() >= usize::from(REGIONS.get());
        let led = regions.iter().filter(|region| leads(store, region));
        causes.extend(led.map(|region| held(region, rule)));
    }
    causes.truncate(NAMED);
    if is_cut && causes.is_empty() {
        let text = "labels deny scheduling of many regions, and not all were checked: leaders of such regions stay on this store";
        causes.push(Cause::new("label_denies_scheduling", text));
    }
    Ok(causes)
}

fn denies(rule: &RegionLabelRule) -> bool {
    rule.labels.iter().any(RegionLabel::denies_scheduling)
}

fn leads(store: &Store, region: &Region) -> bool {
    region
        .leader
        .is_some_and(|leader| leader.store_id == store.id)
}

fn held(region: &Region, rule: &RegionLabelRule) -> Cause {
    let text = format!(
        "region {}: the label `schedule=deny` of rule `{}` keeps its leader there (PD before 8.2)",
        region.id,
        bounded(&rule.id)
    );
    Cause::new("label_denies_scheduling", text)
}
