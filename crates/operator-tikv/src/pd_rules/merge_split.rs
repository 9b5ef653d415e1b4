//! What PD does by itself to regions that were merged or split.
//!
//! Its split checker splits where a label or a placement rule begins or ends
//! (`split_checker.go`), its merge checker merges small regions, also right after another has split
//! them but for `split-merge-interval` (`merge_checker.go`); both the same from 6.5 on.

use action_core::Cause;
use pd_client::checkers::Checker;
use pd_client::config::ScheduleConfig;
use pd_client::region_labels::RegionLabel;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::{bounded, bounded_key};
use crate::facts::key_range::KeyRange;
use crate::facts::settings_in_force::{limit_in_force, overrides};
use crate::pd_rules::patrol::Patrol;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::rule_checker::is_paused;

/// A key is not split at by chance: what begins or ends there.
struct Border {
    /// What PD calls the operator.
    desc: &'static str,
    /// What begins or ends there.
    of: String,
}

/// What splits a region at a key inside of it: two reads, one more where something does.
pub(crate) async fn splits_again(
    tikv: &Tikv,
    at: &RegionSnapshot,
    key: &str,
) -> Result<Option<Cause>, Error> {
    if at.config.schedule.halt_scheduling {
        return Ok(None);
    }
    let Some(border) = border_at(tikv, &[key]).await? else {
        return Ok(None);
    };
    let paused = is_paused(&tikv.pd, Checker::Split).await?;
    let when = if paused { ", once its pause ends" } else { "" };
    let text = format!(
        "PD's split checker splits the region at {} again (`{}`){when}: {} begins or ends there",
        bounded_key(key),
        border.desc,
        border.of
    );
    Ok(Some(Cause::new("split_checker", text)))
}

/// The border at one of some keys, in upper case: two reads.
async fn border_at(tikv: &Tikv, keys: &[&str]) -> Result<Option<Border>, Error> {
    let is_at = |start: &str, end: &str| {
        let is_key = |key: &&str| key.eq_ignore_ascii_case(start) || key.eq_ignore_ascii_case(end);
        keys.iter().any(is_key)
    };
    let labels = tikv.pd.region_label_rules().await.map_err(Error::Read)?;
    let mut labels = labels.iter();
    let label = labels.find(|rule| {
        let mut ranges = rule.ranges.iter();
        ranges.any(|range| is_at(&range.start_key, &range.end_key))
    });
    if let Some(rule) = label {
        return Ok(Some(Border {
            desc: "labeler-split-region",
            of: format!("the label rule `{}`", bounded(&rule.id)),
        }));
    }
    let rules = tikv.pd.rules().await.map_err(Error::Read)?;
    let mut rules = rules.iter().flatten();
    let rule = rules.find(|rule| is_at(&rule.start_key, &rule.end_key));
    Ok(rule.map(|rule| Border {
        desc: "rule-split-region",
        of: format!(
            "the placement rule `{}` of group `{}`",
            bounded(&rule.id),
            bounded(&rule.group_id)
        ),
    }))
}

/// Who undoes a split.
pub(crate) enum MergesAgain {
    /// The merge checker.
    By(Cause),
    /// Nobody, as far as PD goes by now.
    No,
    /// It hangs on this.
    NotKnown(String),
}

/// What regions PD merges, at most.
struct MergeLimits {
    mib: u64,
    keys: u64,
}

impl MergeLimits {
    /// Those in force. `None` where PD merges nothing, or does not show what: one read.
    async fn read(tikv: &Tikv, schedule: &ScheduleConfig) -> Option<Self> {
        let overrides = overrides(tikv).await;
        let limit = |name, stored| limit_in_force(name, stored, overrides.as_ref());
        let at_a_time = limit("merge-schedule-limit", schedule.merge_schedule_limit);
        let mib = limit("max-merge-region-size", schedule.max_merge_region_size?);
        let keys = limit("max-merge-region-keys", schedule.max_merge_region_keys?);
        let keys = match keys {
            0 => mib.saturating_mul(KEYS_A_MIB),
            keys => keys,
        };
        (at_a_time > 0 && !schedule.halt_scheduling).then_some(Self { mib, keys })
    }
}

/// What merges the parts of a region again that is split at keys, or in halves where there are
/// none: up to six reads.
pub(crate) async fn merges_again(
    tikv: &Tikv,
    at: &RegionSnapshot,
    keys: &[String],
) -> Result<MergesAgain, Error> {
    let schedule = &at.config.schedule;
    let Some(limits) = MergeLimits::read(tikv, schedule).await else {
        return Ok(MergesAgain::No);
    };
    let region = &at.region;
    let shown = |number: i64| u64::try_from(number).unwrap_or(0);
    let has = MergeLimits {
        mib: shown(region.approximate_size),
        keys: shown(region.approximate_keys),
    };
    let inside = |key: &&String| KeyRange::of(region).is_cut_by(key);
    let parts = 1 + keys.iter().filter(inside).count().max(1) as u64;
    if has.mib / parts > limits.mib || has.keys / parts > limits.keys {
        let text = format!(
            "whether a part is small enough to be merged again (at most {} MiB and {} keys)",
            limits.mib, limits.keys
        );
        return Ok(match keys {
            [] => MergesAgain::No,
            _ => MergesAgain::NotKnown(text),
        });
    }
    if schedule.enable_cross_table_merge == Some(false) {
        let text = "whether the parts belong to one table: regions of different tables are not merged, because enable-cross-table-merge is false";
        return Ok(MergesAgain::NotKnown(text.to_owned()));
    }
    if is_kept_apart(tikv, at, keys).await? {
        return Ok(MergesAgain::No);
    }
    let paused = is_paused(&tikv.pd, Checker::Merge).await?;
    let paused = if paused { " and its pause" } else { "" };
    let regions = tikv.pd.region_count().await.map_err(Error::Read)?;
    let patrol = Patrol::read(tikv, &at.config, regions).await?;
    let seen = patrol.until_seen();
    let interval = schedule.split_merge_interval;
    let interval = interval.map_or_else(String::new, |time| format!(" of {} s", time.as_secs()));
    let text = format!(
        "PD's merge checker merges a small part with a neighbour again (`merge-region`) once split-merge-interval{interval}{paused} has passed{seen}: it merges regions of at most {} MiB and {} keys, and the whole region has {} MiB and {} keys",
        limits.mib, limits.keys, has.mib, has.keys
    );
    Ok(MergesAgain::By(Cause::new("merge_checker", text)))
}

/// Whether a label or a border keeps PD from merging the parts of a region: up to three reads.
async fn is_kept_apart(tikv: &Tikv, at: &RegionSnapshot, keys: &[String]) -> Result<bool, Error> {
    let labels = tikv.pd.labels_of_region(at.region.id).await;
    let labels = labels.map_err(Error::Read)?;
    let denies = |label: &RegionLabel| label.denies_scheduling() || denies_merge(label);
    if labels.iter().any(denies) || keys.is_empty() {
        return Ok(labels.iter().any(denies));
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    Ok(border_at(tikv, &keys).await?.is_some())
}

fn denies_merge(label: &RegionLabel) -> bool {
    label.key == "merge_option" && label.value == "deny"
}

/// PD's keys in a MiB, where `max-merge-region-keys` is 0.
const KEYS_A_MIB: u64 = 10_000;
