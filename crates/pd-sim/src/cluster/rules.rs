//! Placement rules: how many peers of which role a key range has, and where they may stand.

mod groups;

use std::collections::BTreeMap;

pub(crate) use groups::RuleGroup;

use crate::cluster::region::{Key, Peer, Region, Role};
use crate::cluster::store::Store;

/// What a rule wants its peers to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleRole {
    /// Votes; may lead.
    Voter,
    /// Leads.
    Leader,
    /// Votes; never leads.
    Follower,
    /// Does not vote.
    Learner,
}

impl RuleRole {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Voter => "voter",
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Learner => "learner",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Voter, Self::Leader, Self::Follower, Self::Learner]
            .into_iter()
            .find(|role| role.name() == text)
    }

    /// What a new peer under the rule is in its Raft group.
    pub(crate) fn of_peer(self) -> Role {
        match self {
            Self::Learner => Role::Learner,
            _ => Role::Voter,
        }
    }

    /// Whether the peer is what the rule wants.
    pub(crate) fn is(self, peer: &Peer, leads: bool) -> bool {
        match self {
            Self::Voter => peer.is_voter(),
            Self::Leader => peer.is_voter() && leads,
            Self::Follower => peer.is_voter() && !leads,
            Self::Learner => !peer.is_voter(),
        }
    }
}

/// A condition on the labels of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Constraint {
    pub(crate) key: String,
    /// `in`, `notIn`, `exists` or `notExists`.
    pub(crate) op: String,
    pub(crate) values: Vec<String>,
}

impl Constraint {
    fn allows(&self, store: &Store) -> bool {
        let label = store.label(&self.key).filter(|value| !value.is_empty());
        let is_listed = label.is_some_and(|label| self.values.iter().any(|value| value == label));
        match self.op.as_str() {
            "in" => is_listed,
            "notIn" => !is_listed,
            "exists" => label.is_some(),
            _ => label.is_none(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) group_id: String,
    pub(crate) id: String,
    pub(crate) index: i64,
    /// Rules before this one in its group do not hold.
    pub(crate) overrides: bool,
    pub(crate) start_key: Key,
    pub(crate) end_key: Key,
    pub(crate) role: RuleRole,
    pub(crate) is_witness: bool,
    pub(crate) count: usize,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) location_labels: Vec<String>,
    pub(crate) isolation_level: String,
    /// How often the rule was changed.
    pub(crate) version: u64,
    pub(crate) created: u64,
}

impl Rule {
    /// A rule for everything, without conditions.
    pub(crate) fn plain(group_id: &str, id: &str, role: RuleRole, count: usize) -> Self {
        Self {
            group_id: group_id.to_owned(),
            id: id.to_owned(),
            index: 0,
            overrides: false,
            start_key: Key::from(""),
            end_key: Key::from(""),
            role,
            is_witness: false,
            count,
            constraints: Vec::new(),
            location_labels: Vec::new(),
            isolation_level: String::new(),
            version: 0,
            created: 0,
        }
    }

    fn touches(&self, region: &Region) -> bool {
        (self.end_key.is_empty() || region.start_key < self.end_key)
            && (region.end_key.is_empty() || self.start_key < region.end_key)
    }

    fn covers(&self, region: &Region) -> bool {
        self.start_key <= region.start_key
            && (self.end_key.is_empty()
                || (!region.end_key.is_empty() && region.end_key <= self.end_key))
    }

    /// Whether a peer of the rule may stand on the store.
    ///
    /// A store with a label of its own, such as `engine` or `$…`, takes only who asks for it.
    pub(crate) fn allows(&self, store: &Store) -> bool {
        let is_reserved = store.labels.iter().any(|(key, value)| {
            let is_own =
                key.starts_with('$') || key == "exclusive" || (key == "engine" && value != "tikv");
            is_own && self.constraints.iter().all(|asked| asked.key != *key)
        });
        !is_reserved && self.constraints.iter().all(|asked| asked.allows(store))
    }
}

/// All rules and groups.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    rules: BTreeMap<(String, String), Rule>,
    groups: BTreeMap<String, RuleGroup>,
}

impl Rules {
    /// The one rule a fresh cluster has.
    pub(crate) fn new(replicas: usize) -> Self {
        let default = Rule::plain("pd", "default", RuleRole::Voter, replicas);
        let mut rules = Self {
            rules: BTreeMap::new(),
            groups: BTreeMap::new(),
        };
        rules.put(default);
        rules
    }

    fn put(&mut self, rule: Rule) {
        let name = (rule.group_id.clone(), rule.id.clone());
        self.rules.insert(name, rule);
    }

    /// All rules in the order in which they are applied.
    pub(crate) fn in_order(&self) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> = self.rules.values().collect();
        rules.sort_by_key(|rule| {
            let group = self.groups.get(&rule.group_id);
            (
                group.map_or(0, |group| group.index),
                &rule.group_id,
                rule.index,
                &rule.id,
            )
        });
        rules
    }

    pub(crate) fn get(&self, group_id: &str, id: &str) -> Option<&Rule> {
        self.rules.get(&(group_id.to_owned(), id.to_owned()))
    }

    /// The rules that hold for a region; `None` where it spans several rules' borders.
    pub(crate) fn for_region(&self, region: &Region) -> Option<Vec<&Rule>> {
        let touching: Vec<&Rule> = self
            .in_order()
            .into_iter()
            .filter(|rule| rule.touches(region))
            .collect();
        touching
            .iter()
            .all(|rule| rule.covers(region))
            .then(|| self.without_overridden(touching))
    }

    /// Keys strictly inside the region where a rule begins or ends.
    pub(crate) fn borders_in(&self, region: &Region) -> Vec<Key> {
        let mut keys: Vec<Key> = self
            .rules
            .values()
            .flat_map(|rule| [&rule.start_key, &rule.end_key])
            .filter(|key| !key.is_empty() && region.strictly_contains(key))
            .cloned()
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn without_overridden<'a>(&self, rules: Vec<&'a Rule>) -> Vec<&'a Rule> {
        let mut kept: Vec<&Rule> = Vec::new();
        let mut group_starts = 0;
        for rule in rules {
            if kept
                .last()
                .is_some_and(|last| last.group_id != rule.group_id)
            {
                group_starts = kept.len();
            }
            let overrides_groups = kept.len() == group_starts
                && self
                    .groups
                    .get(&rule.group_id)
                    .is_some_and(|group| group.overrides);
            if overrides_groups {
                kept.clear();
                group_starts = 0;
            }
            if rule.overrides {
                kept.truncate(group_starts);
            }
            kept.push(rule);
        }
        kept
    }

    /// Applies a change as a whole, or says in PD's words why the rules would not work any more.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Draft)) -> Result<(), String> {
        let mut draft = Draft(self.clone());
        change(&mut draft);
        draft.0.check()?;
        *self = draft.0;
        Ok(())
    }

    /// Every range has a rule, one leader at most, and somebody who may lead.
    fn check(&self) -> Result<(), String> {
        let failed = |what: String| {
            Err(format!(
                "[PD:placement:ErrBuildRuleList]build rule list failed, {what}"
            ))
        };
        if self.rules.is_empty() {
            return failed("no rule left".to_owned());
        }
        let mut borders: Vec<Key> = self
            .rules
            .values()
            .flat_map(|rule| [rule.start_key.clone(), rule.end_key.clone()])
            .chain([Key::from("")])
            .collect();
        borders.sort_unstable();
        borders.dedup();
        for (index, start) in borders.iter().enumerate() {
            let end = borders.get(index + 1).map_or("", |end| &**end);
            let here: Vec<&Rule> = self
                .in_order()
                .into_iter()
                .filter(|rule| {
                    rule.start_key <= *start && (rule.end_key.is_empty() || *start < rule.end_key)
                })
                .collect();
            if here.is_empty() {
                return failed(format!("no rule for range {{{start}, {end}}}"));
            }
            let applied = self.without_overridden(here);
            let count = |role| -> usize {
                applied
                    .iter()
                    .filter(|rule| rule.role == role)
                    .map(|rule| rule.count)
                    .sum()
            };
            let leaders = count(RuleRole::Leader);
            if leaders > 1 {
                let what = "multiple leader replicas";
                return failed(format!("{what} for range {{{start}, {end}}}"));
            }
            if leaders + count(RuleRole::Voter) == 0 {
                let what = "needs at least one leader or voter";
                return failed(format!("{what} for range {{{start}, {end}}}"));
            }
        }
        Ok(())
    }
}

/// Rules that are being changed.
pub(crate) struct Draft(Rules);

impl Draft {
    pub(crate) fn set_rule(&mut self, mut rule: Rule) {
        if let Some(old) = self.0.get(&rule.group_id, &rule.id) {
            rule.version = old.version + 1;
        }
        self.0.put(rule);
    }

    pub(crate) fn delete_rules(&mut self, is_meant: impl Fn(&Rule) -> bool) {
        self.0.rules.retain(|_, rule| !is_meant(rule));
    }

    /// As `max-replicas` and the location labels say.
    pub(crate) fn set_default(&mut self, replicas: usize, labels: Vec<String>, isolation: String) {
        let name = ("pd".to_owned(), "default".to_owned());
        if let Some(rule) = self.0.rules.get_mut(&name) {
            rule.count = replicas;
            rule.location_labels = labels;
            rule.isolation_level = isolation;
        }
    }
}
