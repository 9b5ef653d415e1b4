//! Test set-up: placement rules and labels of key ranges.

use crate::cluster::region::Key;
use crate::cluster::rules::{Constraint, Rule, RuleRole};
use crate::sim::Sim;

/// A placement rule that somebody else has set.
#[derive(Debug, Clone)]
pub struct PlacementRule(Rule);

impl PlacementRule {
    /// A rule of group `pd` for all keys and all stores.
    pub fn new(id: &str, role: RuleRole, count: usize) -> Self {
        Self(Rule::plain("pd", id, role, count))
    }

    /// For keys from `start` to `end`, in hex; an empty one is unbounded.
    #[must_use]
    pub fn range(mut self, start: &str, end: &str) -> Self {
        self.0.start_key = Key::from(start.to_ascii_uppercase());
        self.0.end_key = Key::from(end.to_ascii_uppercase());
        self
    }

    /// Only on stores whose label `key` has one of the values.
    #[must_use]
    pub fn label_in<'a>(self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.constraint(key, "in", values)
    }

    /// Only on stores whose label `key` has none of the values.
    #[must_use]
    pub fn label_not_in<'a>(self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.constraint(key, "notIn", values)
    }

    /// On stores that differ in these labels, if there are some.
    #[must_use]
    pub fn location_labels<'a>(mut self, labels: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.location_labels = labels.into_iter().map(str::to_owned).collect();
        self
    }

    fn constraint<'a>(
        mut self,
        key: &str,
        op: &str,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.0.constraints.push(Constraint {
            key: key.to_owned(),
            op: op.to_owned(),
            values: values.into_iter().map(str::to_owned).collect(),
        });
        self
    }
}

impl Sim {
    /// Replaces all placement rules. `max-replicas` stays what it is.
    ///
    /// # Errors
    ///
    /// PD's words, when the rules leave a range without a rule or without who may lead.
    pub fn set_rules(&self, rules: impl IntoIterator<Item = PlacementRule>) -> Result<(), String> {
        self.with(|cluster| {
            cluster.rules.change(|draft| {
                draft.delete_rules(|_| true);
                for rule in rules {
                    draft.set_rule(rule.0);
                }
            })?;
            cluster.check_everything();
            Ok(())
        })
    }
}
