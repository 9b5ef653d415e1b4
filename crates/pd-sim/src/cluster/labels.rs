//! Labels of key ranges, which say what PD may do with the regions there.

use std::collections::BTreeMap;

use crate::cluster::region::{Key, Region};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegionLabel {
    pub(crate) key: String,
    pub(crate) value: String,
    /// Go's duration text, or empty.
    pub(crate) ttl: String,
    pub(crate) start_at: String,
    pub(crate) until: Option<crate::clock::Time>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LabelRule {
    pub(crate) id: String,
    pub(crate) index: i64,
    pub(crate) labels: Vec<RegionLabel>,
    pub(crate) ranges: Vec<(Key, Key)>,
    /// The keys of the ranges as they were given.
    pub(crate) as_given: Vec<(String, String)>,
}

impl LabelRule {
    fn covers(&self, region: &Region) -> bool {
        self.ranges.iter().any(|(start, end)| {
            *start <= region.start_key
                && (end.is_empty() || (!region.end_key.is_empty() && region.end_key <= *end))
        })
    }
}

/// The rule every cluster has from 7.1 on: where the first keyspace lies.
///
/// Up to 8.5 it names its raw keys as well.
pub(crate) fn first_keyspace(with_raw_keys: bool) -> LabelRule {
    let raw = ("7200000000000000fb", "7200000100000000fb");
    let ranges = with_raw_keys
        .then_some(raw)
        .into_iter()
        .chain([("7800000000000000fb", "7800000100000000fb")]);
    LabelRule {
        id: "keyspaces/0".to_owned(),
        index: 0,
        labels: vec![RegionLabel {
            key: "id".to_owned(),
            value: "0".to_owned(),
            ttl: String::new(),
            start_at: String::new(),
            until: None,
        }],
        ranges: ranges
            .clone()
            .map(|(start, end)| {
                let key = |key: &str| Key::from(key.to_ascii_uppercase());
                (key(start), key(end))
            })
            .collect(),
        as_given: ranges
            .map(|(start, end)| (start.to_owned(), end.to_owned()))
            .collect(),
    }
}

/// All label rules, by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    pub(crate) rules: BTreeMap<String, LabelRule>,
}

impl Labels {
    /// Labels that have outlived their time go, and rules without labels with them.
    pub(crate) fn expire(&mut self, now: crate::clock::Time) {
        for rule in self.rules.values_mut() {
            rule.labels
                .retain(|label| label.until.is_none_or(|until| until > now));
        }
        self.rules.retain(|_, rule| !rule.labels.is_empty());
    }

    /// A region's labels; of several rules with the same key the one of the highest index wins.
    pub(crate) fn of(&self, region: &Region) -> Vec<&RegionLabel> {
        let mut rules: Vec<&LabelRule> = self
            .rules
            .values()
            .filter(|rule| rule.covers(region))
            .collect();
        rules.sort_by_key(|rule| -rule.index);
        let mut labels: Vec<&RegionLabel> = Vec::new();
        for label in rules.into_iter().flat_map(|rule| &rule.labels) {
            if labels.iter().all(|known| known.key != label.key) {
                labels.push(label);
            }
        }
        labels
    }

    /// Whether schedulers and the merge checker leave the region alone.
    pub(crate) fn deny_scheduling(&self, region: &Region) -> bool {
        !self.rules.is_empty()
            && self
                .of(region)
                .iter()
                .any(|label| label.key == "schedule" && label.value.eq_ignore_ascii_case("deny"))
    }

    /// Keys strictly inside the region where a rule begins or ends.
    pub(crate) fn borders_in(&self, region: &Region) -> Vec<String> {
        let mut keys: Vec<String> = self
            .rules
            .values()
            .flat_map(|rule| &rule.ranges)
            .flat_map(|(start, end)| [start, end])
            .filter(|key| region.strictly_contains(key))
            .map(|key| key.to_string())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
