//! How many voters regions have, by the rules, where PD lists nothing about them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use pd_client::config::Config;
use pd_client::rules::{Rule, RuleRole};

use crate::pd_rules::placement::in_force;

/// What rules ask for, over all keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Replicas with a vote.
    pub(super) voters: RangeInclusive<u64>,
    /// The least number of those that hold data, and may lead.
    pub(super) least_holders: u64,
    /// The least number of replicas of any kind.
    pub(super) least_replicas: u64,
}

impl Wanted {
    /// `rules` is `None` where they are switched off.
    pub(super) fn by(rules: Option<&[Rule]>, config: &Config) -> Option<Self> {
        let Some(rules) = rules else {
            let replicas = config.replication.max_replicas;
            return Some(Self {
                voters: replicas..=replicas,
                least_holders: replicas,
                least_replicas: replicas,
            });
        };
        let of_ranges = starts(rules)
            .into_iter()
            .filter_map(|start| Self::at(holding_at(rules, start)));
        of_ranges.reduce(Self::or)
    }

    /// Where these rules hold; `None` where they ask for no voter, which PD does not accept.
    fn at(rules: Vec<&Rule>) -> Option<Self> {
        let all = in_force(rules);
        let sum = |counts: &dyn Fn(&&Rule) -> bool| -> u64 {
            let counted = all.iter().copied().filter(|rule| counts(rule));
            counted.map(|rule| rule.count).sum()
        };
        let votes = |rule: &&Rule| !matches!(rule.role, RuleRole::Learner | RuleRole::Other(_));
        let voters = sum(&votes);
        (voters > 0).then(|| Self {
            voters: voters..=voters,
            least_holders: sum(&|rule| votes(rule) && !rule.is_witness),
            least_replicas: sum(&|_| true),
        })
    }

    fn or(self, other: Self) -> Self {
        let least = *self.voters.start().min(other.voters.start());
        let most = *self.voters.end().max(other.voters.end());
        Self {
            voters: least..=most,
            least_holders: self.least_holders.min(other.least_holders),
            least_replicas: self.least_replicas.min(other.least_replicas),
        }
    }

    /// Whether any region keeps its majority, and one that may lead, when it loses so many.
    pub(super) fn survives(&self, lost: u64) -> bool {
        let least = *self.voters.start();
        least > 0 && lost <= (least - 1) / 2 && lost < self.least_holders
    }
}

/// Where ranges of keys with the same rules begin.
fn starts(rules: &[Rule]) -> BTreeSet<&str> {
    let borders = rules
        .iter()
        .flat_map(|rule| [&rule.start_key, &rule.end_key]);
    let borders = borders.map(String::as_str);
    std::iter::once("").chain(borders).collect()
}

/// The rules for a key, in PD's order. Hexadecimal of one case sorts as the bytes do.
fn holding_at<'a>(rules: &'a [Rule], key: &str) -> Vec<&'a Rule> {
    let holds = |rule: &&Rule| {
        rule.start_key.as_str() <= key && (rule.end_key.is_empty() || rule.end_key.as_str() > key)
    };
    rules.iter().filter(holds).collect()
}
