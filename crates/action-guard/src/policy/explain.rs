//! How a policy came to what it says.

use serde::Serialize;

use crate::policy::budget::Usage;
use crate::policy::question::Ask;
use crate::policy::{Decision, Policy};
use crate::proposal::Ruling;

/// How a policy came to what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What it says.
    pub decision: Decision,
    /// All rules in their order.
    pub rules: Vec<WeighedRule>,
    /// The bounds of all budgets that are about the request.
    pub budgets: Vec<WeighedBudget>,
}

/// What rules say of a request, and how they come to that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Weighed {
    /// What they say.
    pub ruling: Ruling,
    /// All rules in their order; none where there is no policy.
    pub rules: Vec<WeighedRule>,
    /// The bounds of all budgets that are about the request.
    pub budgets: Vec<WeighedBudget>,
}

impl Weighed {
    /// What rules say that are no policy.
    #[must_use]
    pub fn new(ruling: Ruling) -> Self {
        Self {
            ruling,
            rules: Vec::new(),
            budgets: Vec::new(),
        }
    }
}

impl From<Explanation> for Weighed {
    fn from(explanation: Explanation) -> Self {
        Self {
            ruling: explanation.decision.into(),
            rules: explanation.rules,
            budgets: explanation.budgets,
        }
    }
}

/// A rule, and whether it matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WeighedRule {
    /// Its name.
    pub name: String,
    /// The line on which it begins.
    pub line: usize,
    /// Whether it is about the request. The first that is decides.
    pub matches: bool,
    /// What about the request it is not about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// One bound of a budget, and how it would stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WeighedBudget {
    /// The budget's name.
    pub name: String,
    /// The line on which it begins.
    pub line: usize,
    /// What is counted.
    pub what: String,
    /// How much it would be with the request.
    pub would_be: u64,
    /// How much it may be.
    pub most: u64,
}

impl Policy {
    /// What it says, and how it came to that: every rule and what speaks against it, every bound
    /// and how it would stand.
    #[must_use]
    pub fn explain(&self, ask: &Ask<'_>, usage: &Usage<'_>) -> Explanation {
        let rules = self.rules.iter().map(|rule| {
            let because = rule.selector.mismatch(ask);
            WeighedRule {
                name: rule.name.clone(),
                line: rule.line,
                matches: because.is_none(),
                because,
            }
        });
        let budgets = self.budgets.iter().flat_map(|budget| {
            let standings = budget.standings(ask, usage).into_iter();
            standings.map(|standing| WeighedBudget {
                name: budget.name.clone(),
                line: budget.line,
                what: standing.what,
                would_be: standing.would_be,
                most: standing.most,
            })
        });
        Explanation {
            decision: self.decide(ask, usage),
            rules: rules.collect(),
            budgets: budgets.collect(),
        }
    }
}
