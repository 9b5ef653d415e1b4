//! Groups of placement rules: in which order they hold, and which hide those before them.

use super::{Draft, Rules};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleGroup {
    pub(crate) id: String,
    pub(crate) index: i64,
    /// Groups before this one do not hold.
    pub(crate) overrides: bool,
}

impl RuleGroup {
    /// A group that only rules name.
    pub(crate) fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            index: 0,
            overrides: false,
        }
    }
}

impl Rules {
    /// Groups that were set, and those that only rules name.
    pub(crate) fn groups(&self) -> Vec<RuleGroup> {
        let mut groups = self.groups.clone();
        for rule in self.rules.values() {
            groups
                .entry(rule.group_id.clone())
                .or_insert_with(|| RuleGroup::named(&rule.group_id));
        }
        let mut groups: Vec<RuleGroup> = groups.into_values().collect();
        groups.sort_by(|a, b| (a.index, &a.id).cmp(&(b.index, &b.id)));
        groups
    }
}

impl Draft {
    pub(crate) fn set_group(&mut self, group: RuleGroup) {
        self.0.groups.insert(group.id.clone(), group);
    }

    pub(crate) fn delete_group(&mut self, id: &str) {
        self.0.groups.remove(id);
    }
}
