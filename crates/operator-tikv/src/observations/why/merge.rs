//! Why a region is not merged into its neighbour, or nothing is merged at all.
//!
//! By `Check`, `checkTarget` and `AllowMerge` of `pkg/schedule/checker/merge_checker.go`.

use action_core::Finding;
use pd_client::regions::Region;

use crate::facts::bounded_text::bounded;
use crate::facts::pd_clock::at_unix_ms;
use crate::facts::settings_in_force::overriding;
use crate::observations::findings::{CONFIG, merge_size_zero};
use crate::observations::reasons;
use crate::observations::why::merge_snapshot::MergeSnapshot;
use crate::observations::why::snapshot::{AskedRegion, WhySnapshot};

pub(super) fn findings(snapshot: &WhySnapshot) -> Vec<Finding> {
    let Some(merge) = &snapshot.merge else {
        return Vec::new();
    };
    let mut findings: Vec<Finding> = too_early(snapshot, merge).into_iter().collect();
    findings.extend(merge_size_zero(&snapshot.config.schedule));
    let Some((_, Some(about))) = &snapshot.region else {
        return findings;
    };
    findings.extend(not_small(snapshot, &about.region));
    findings.extend(denied(about));
    findings.extend(border(&about.region, merge));
    findings.extend(merge.next.as_ref().and_then(unfit));
    findings
}

/// PD has led for less than `split-merge-interval`.
fn too_early(snapshot: &WhySnapshot, merge: &MergeSnapshot) -> Option<Finding> {
    let interval = snapshot.config.schedule.split_merge_interval?.as_secs();
    let started = at_unix_ms(merge.pd.as_ref()?.started_unix_ms)?;
    let ago = snapshot.now?.seconds_since(started);
    (ago < interval).then(|| {
        let text =
            format!("PD was started {ago} s ago, and `split-merge-interval` is {interval} s");
        let found = reasons::MERGE_TOO_EARLY.found("cluster", text);
        let found = found.seen("GET /pd/api/v1/status", "started_s_ago", ago);
        found.seen(CONFIG, "split-merge-interval", format!("{interval}s"))
    })
}

/// The region has more than what PD merges.
fn not_small(snapshot: &WhySnapshot, region: &Region) -> Option<Finding> {
    let schedule = &snapshot.config.schedule;
    let in_force =
        |name, stored: Option<u64>| overriding(name, snapshot.overrides.as_ref()).or(stored);
    let size = in_force("max-merge-region-size", schedule.max_merge_region_size)?;
    let keys = in_force("max-merge-region-keys", schedule.max_merge_region_keys);
    let keys = keys.filter(|keys| *keys > 0);
    let keys = keys.unwrap_or_else(|| size.saturating_mul(KEYS_PER_MIB));
    let has_size = u64::try_from(region.approximate_size).unwrap_or(0);
    let has_keys = u64::try_from(region.approximate_keys).unwrap_or(0);
    (size > 0 && (has_size > size || has_keys > keys)).then(|| {
        let id = region.id;
        let text = format!(
            "region {id} has {has_size} MiB and {has_keys} keys; PD merges regions of at most {size} MiB and {keys} keys"
        );
        let found = reasons::REGION_NOT_SMALL.found(format!("region/{id}"), text);
        let source = format!("GET /pd/api/v1/region/id/{id}");
        found
            .seen(source.clone(), "approximate_size", has_size)
            .seen(source, "approximate_keys", has_keys)
    })
}

/// How many keys a MiB stands for where `max-merge-region-keys` is 0.
const KEYS_PER_MIB: u64 = 10_000;

fn denied(about: &AskedRegion) -> Option<Finding> {
    let id = about.region.id;
    let denies = |key: &str, value: &str| key == "merge_option" && value == "deny";
    let mut labels = about.labels.iter();
    labels
        .any(|label| denies(&label.key, &label.value))
        .then(|| {
            let text = format!("a label denies merging region {id}");
            let found = reasons::MERGE_DENIED.found(format!("region/{id}"), text);
            let source = format!("GET /pd/api/v1/region/id/{id}/labels");
            found.seen(source, "merge_option", "deny")
        })
}

/// A rule or a label that begins or ends between the region and the next.
fn border(region: &Region, merge: &MergeSnapshot) -> Option<Finding> {
    let key = &region.end_key;
    let at = |start: &str, end: &str| [start, end].iter().any(|at| at.eq_ignore_ascii_case(key));
    let rule = merge
        .rules
        .iter()
        .find(|rule| at(&rule.start_key, &rule.end_key));
    let label = merge.labels.iter().find(|rule| {
        let mut ranges = rule.ranges.iter();
        ranges.any(|range| at(&range.start_key, &range.end_key))
    });
    let (what, source) = match (rule, label) {
        (Some(rule), _) => (
            format!("placement rule `{}/{}`", rule.group_id, rule.id),
            "GET /pd/api/v1/config/placement-rule",
        ),
        (None, Some(label)) => (
            format!("label rule `{}`", label.id),
            "GET /pd/api/v1/config/region-label/rules",
        ),
        (None, None) => return None,
    };
    let (id, what) = (region.id, bounded(&what));
    let text = format!("{what} begins or ends where region {id} ends");
    let found = reasons::MERGE_BORDER.found(format!("region/{id}"), text);
    Some(found.seen(source, "key", bounded(key)))
}

/// Why the next region cannot take it.
fn unfit(next: &Region) -> Option<Finding> {
    let id = next.id;
    let why = if next.leader.is_none() {
        "has no known leader"
    } else if !next.pending_peers.is_empty() {
        "has a replica that lags"
    } else if !next.down_peers.is_empty() {
        "has a replica that does not respond"
    } else {
        return None;
    };
    let text = format!("the next region, {id}, {why}");
    let found = reasons::MERGE_NEIGHBOUR.found(format!("region/{id}"), text);
    Some(found.seen(format!("GET /pd/api/v1/region/id/{id}"), "state", why))
}
