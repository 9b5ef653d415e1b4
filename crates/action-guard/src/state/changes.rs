//! What was changed last, so that no plan from before is carried out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many resources are kept at hand. A plan that is older than what was dropped is outdated.
const MOST_RESOURCES: usize = 512;

/// Which proposal has changed which resource last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Changes {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    last: BTreeMap<String, Change>,
    /// The latest of those that are no longer kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dropped: Option<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Change {
    /// The number of the record that says so.
    seq: u64,
    /// The proposal.
    by: String,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_empty() && self.dropped.is_none()
    }

    /// Takes in that a proposal has changed a resource of a system.
    pub(crate) fn note(&mut self, system: &str, resource: &str, seq: u64, by: &str) {
        let by = by.to_owned();
        self.last.insert(key(system, resource), Change { seq, by });
        if self.last.len() > MOST_RESOURCES {
            let oldest = self.last.iter().min_by_key(|(_, change)| change.seq);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                let both = [self.last.remove(&oldest), self.dropped.take()];
                let both = both.into_iter().flatten();
                self.dropped = both.max_by_key(|change| change.seq);
            }
        }
    }

    /// The proposal that has changed one of these after this record, but for those that are
    /// excepted.
    pub(crate) fn after<'a>(
        &'a self,
        seq: u64,
        system: &str,
        resources: &[String],
        excepted: &[&str],
    ) -> Option<&'a str> {
        let mut changes = resources
            .iter()
            .filter_map(|resource| self.last.get(&key(system, resource)))
            .chain(&self.dropped);
        let is_newer = |change: &&Change| {
            change.seq > seq && !excepted.iter().any(|excepted| **excepted == change.by)
        };
        changes.find(is_newer).map(|change| change.by.as_str())
    }

    /// The proposal that has changed one of these last, as far as it is kept.
    pub(crate) fn last(&self, system: &str, resources: &[String]) -> Option<&str> {
        let changes = resources
            .iter()
            .filter_map(|resource| self.last.get(&key(system, resource)));
        let last = changes.max_by_key(|change| change.seq)?;
        Some(&last.by)
    }
}

fn key(system: &str, resource: &str) -> String {
    format!("{system} {resource}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(changes: &Changes, seq: u64, resource: &str, expected: Option<&str>) {
        let resources = [resource.to_owned()];
        assert_eq!(changes.after(seq, "one", &resources, &[]), expected);
    }

    #[test]
    fn only_what_is_newer_and_of_the_same_thing_counts() {
        let mut changes = Changes::default();
        changes.note("one", "x", 7, "p");
        check(&changes, 6, "x", Some("p"));
        check(&changes, 7, "x", None);
        check(&changes, 6, "y", None);
        let resources = ["x".to_owned()];
        assert_eq!(changes.after(6, "other", &resources, &[]), None);
        assert_eq!(changes.after(6, "one", &resources, &["p"]), None);
    }

    #[test]
    fn what_is_dropped_outdates_all_that_is_older() {
        let mut changes = Changes::default();
        for at in 0..=MOST_RESOURCES {
            changes.note("one", &at.to_string(), at as u64 + 1, "p");
        }
        assert_eq!(changes.last.len(), MOST_RESOURCES);
        check(&changes, 0, "other", Some("p"));
        check(&changes, 1, "other", None);
    }
}
