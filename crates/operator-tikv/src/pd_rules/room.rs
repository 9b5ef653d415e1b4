//! Whether the other stores have a place for each replica that a store gives up, rule by rule.
//!
//! What `SelectStoreToFix` of `pkg/schedule/checker/replica_strategy.go` looks for, as far as it is
//! the same for all regions: stores that the rule takes, and the isolation between them. How full
//! and how busy they are changes meanwhile, and is not looked at.

use std::collections::BTreeSet;

use action_core::Cause;
use pd_client::config::Config;
use pd_client::rules::{LabelConstraint, Rule};
use pd_client::stores::{Store, StoreState};

use crate::facts::bounded_text::bounded;
use crate::pd_rules::placement::takes;

/// What asks for replicas on stores of some kind.
struct Wanted<'a> {
    /// As it is called where people read of it.
    name: String,
    replicas: u64,
    constraints: &'a [LabelConstraint],
    location_labels: &'a [String],
    /// The label of which no two replicas may share a value; empty for none.
    isolation_level: &'a str,
}

impl<'a> Wanted<'a> {
    fn by_rule(rule: &'a Rule) -> Self {
        Self {
            name: bounded(&format!("rule `{}/{}`", rule.group_id, rule.id)),
            replicas: rule.count,
            constraints: &rule.label_constraints,
            location_labels: &rule.location_labels,
            isolation_level: &rule.isolation_level,
        }
    }

    fn by_config(config: &'a Config) -> Self {
        Self {
            name: "`max-replicas`".to_owned(),
            replicas: config.replication.max_replicas,
            constraints: &[],
            location_labels: &config.replication.location_labels,
            isolation_level: &config.replication.isolation_level,
        }
    }

    /// The values that no two replicas may share, of one store; `None` where it lacks one, which
    /// PD does not count as sharing.
    fn place<'s>(&self, store: &'s Store) -> Option<Vec<&'s str>> {
        let labels = self.location_labels.iter();
        let level = labels
            .clone()
            .position(|label| label == self.isolation_level)?;
        let value = |label| store.label(label).filter(|value| !value.is_empty());
        labels.take(level + 1).map(|label| value(label)).collect()
    }

    /// How many replicas can be kept apart on these stores, as far as that is asked for.
    fn kept_apart(&self, stores: &[&Store]) -> u64 {
        let places: Vec<_> = stores.iter().map(|store| self.place(store)).collect();
        let without = places.iter().filter(|place| place.is_none()).count();
        let apart: BTreeSet<_> = places.into_iter().flatten().collect();
        (without + apart.len()) as u64
    }

    /// Why the others have no place for a replica that the store gives up.
    fn lacking(&self, leaving: &Store, stores: &[Store]) -> Option<Cause> {
        let is_taken = |store: &&Store| takes(self.constraints, store);
        if !is_taken(&leaving) {
            return None;
        }
        let healthy = |store: &&Store| {
            store.id != leaving.id && store.state_name == StoreState::Up && is_taken(store)
        };
        let others: Vec<&Store> = stores.iter().filter(healthy).collect();
        let Self { name, replicas, .. } = self;
        let count = others.len();
        if (count as u64) < *replicas {
            let text =
                format!("{name} asks for {replicas} replicas, and {count} other stores fit it");
            return Some(Cause::new("too_few_healthy_stores", text));
        }
        let apart = self.kept_apart(&others);
        (apart < *replicas).then(|| {
            let level = bounded(self.isolation_level);
            let text = format!(
                "{name} asks for {replicas} replicas, no two with the same `{level}` \
                 (`isolation-level`), and the other stores have {apart} between them"
            );
            Cause::new("isolation_level", text)
        })
    }
}

/// Why what a store holds has no place elsewhere. `rules` is `None` where they are switched off.
pub(crate) fn lacking(
    leaving: &Store,
    rules: Option<&[Rule]>,
    config: &Config,
    stores: &[Store],
) -> Vec<Cause> {
    let wanted = match rules {
        Some(rules) => in_force(rules).map(Wanted::by_rule).collect(),
        None => vec![Wanted::by_config(config)],
    };
    let lacking = wanted.iter();
    lacking
        .filter_map(|wanted| wanted.lacking(leaving, stores))
        .collect()
}

/// The rules but for those that a later one of their group replaces for all keys.
fn in_force(rules: &[Rule]) -> impl Iterator<Item = &Rule> {
    let replaces = |later: &Rule, rule: &Rule| {
        let for_all = later.start_key.is_empty() && later.end_key.is_empty();
        for_all && later.overrides && later.group_id == rule.group_id && later.index > rule.index
    };
    let stands = move |rule: &&Rule| !rules.iter().any(|later| replaces(later, rule));
    rules.iter().filter(stands)
}
