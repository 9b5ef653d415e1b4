//! What may be done, by whom, when, and how much of it.

use std::sync::Arc;

use serde::Serialize;

use crate::identity::{Actor, PublicKey};
use crate::policy::budget::Budget;
use crate::policy::rule::{Rule, Then};
use crate::proposal::{NO_RULE, NO_RULE_ALLOWS};
use crate::records::Hash;

pub(crate) use enabled_statements::Enables;
pub(crate) use pattern::matches_actor;

pub use always::AlwaysDenied;
pub use budget::{Usage, Used};
pub use check::Known;
pub use explain::{Explanation, Weighed, WeighedBudget, WeighedRule};
pub use policy_file::{PolicyFile, PolicyFileError};
pub use problem::{PolicyError, PolicyProblem};
pub use question::{Act, Ask};
pub use rules_trait::{Rules, Unrestricted};
pub use statements::{Confirmed, SignedRequest};

mod actor_pattern;
mod always;
mod browser_statements;
mod budget;
mod check;
mod enabled_statements;
mod explain;
mod keys;
mod parse;
mod pattern;
mod policy_file;
mod problem;
mod question;
mod rule;
mod rules;
mod rules_trait;
mod section;
mod statements;
mod window;

/// Which mutations may be carried out: rules in TOML, read from top to bottom. The first one that
/// matches decides; where none does, the answer is no.
///
/// What a rule allows is still held to the budgets. Only taking back what is ours is not, so that
/// a budget never keeps a lasting effect in force.
///
/// ```
/// let policy: action_guard::Policy = r#"
///     version = 1
///
///     [[rule]]
///     name = "leaders may move at night"
///     action = "transfer_leader"
///     window = { from = "22:00", to = "06:00" }
///     decision = "allow"
/// "#
/// .parse()?;
/// # Ok::<(), action_guard::policy::PolicyError>(())
/// ```
///
/// Why the first and not the most specific: a person at night has to see which rule decides, and
/// "further up" needs no arithmetic.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    people: Vec<Person>,
    gates: Vec<GateKey>,
    signed: Vec<Act>,
    rules: Vec<Rule>,
    budgets: Vec<Budget>,
    /// The text that it was read from, and its hash.
    text: Option<Arc<str>>,
    hash: Option<Hash>,
}

/// No file of rules that people read is longer.
pub(crate) const LONGEST_POLICY: usize = 1 << 20;

/// A person that a policy names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Person {
    pub(crate) name: Actor,
    pub(crate) key: Option<PublicKey>,
}

/// A gate that a policy names: what it says of browser sessions counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GateKey {
    pub(crate) name: String,
    pub(crate) key: PublicKey,
}

/// What a policy says, and which part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// What it says.
    #[serde(flatten)]
    pub answer: Answer,
    /// Which part of the policy says so.
    pub decided_by: DecidedBy,
}

/// What a policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// It may be carried out.
    Allow,
    /// It may be carried out when people agree.
    Approve {
        /// Who may agree, as patterns over actor ids.
        by: Vec<String>,
        /// How many of them must.
        count: u32,
        /// How long an agreement lasts, in milliseconds.
        ttl_ms: u64,
        /// Whether only a signed agreement counts.
        signed: bool,
        /// How it must be proven who agrees; empty for any way but a browser session.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        proven_by: Vec<String>,
    },
    /// It may not be carried out.
    Deny {
        /// Why, for people.
        reason: String,
    },
}

/// Which part of a policy decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecidedBy {
    /// A rule.
    Rule {
        /// Its name.
        name: String,
        /// The line of the file on which it begins.
        line: usize,
    },
    /// A budget that is used up.
    Budget {
        /// Its name.
        name: String,
        /// The line of the file on which it begins.
        line: usize,
    },
    /// No rule matches.
    Default,
}

impl std::fmt::Display for DecidedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rule { name, line } => write!(f, "{name} (rule, line {line})"),
            Self::Budget { name, line } => write!(f, "{name} (budget, line {line})"),
            Self::Default => f.write_str(NO_RULE),
        }
    }
}

impl Policy {
    /// What may become of a request, given what is going on.
    #[must_use]
    pub fn decide(&self, ask: &Ask<'_>, usage: &Usage<'_>) -> Decision {
        let matches = |rule: &&Rule| rule.selector.mismatch(ask).is_none();
        let Some(rule) = self.rules.iter().find(matches) else {
            return Decision {
                answer: Answer::Deny {
                    reason: NO_RULE_ALLOWS.to_owned(),
                },
                decided_by: DecidedBy::Default,
            };
        };
        let allows = rule.then != Then::Deny;
        let exceeded = self.budgets.iter().find_map(|budget| {
            let reason = budget.exceeded(ask, usage).filter(|_| allows)?;
            Some((budget, reason))
        });
        if let Some((budget, reason)) = exceeded {
            return Decision {
                answer: Answer::Deny { reason },
                decided_by: DecidedBy::Budget {
                    name: budget.name.clone(),
                    line: budget.line,
                },
            };
        }
        Decision {
            answer: self.answer(rule),
            decided_by: DecidedBy::Rule {
                name: rule.name.clone(),
                line: rule.line,
            },
        }
    }

    /// Whether an act counts only when signed.
    #[must_use]
    pub fn requires_signed(&self, act: Act) -> bool {
        self.signed.contains(&act)
    }

    /// The key that the policy lists for somebody.
    #[must_use]
    pub fn key_of(&self, actor: &Actor) -> Option<&PublicKey> {
        let person = self.people.iter().find(|person| person.name.is_same(actor));
        person.and_then(|person| person.key.as_ref())
    }

    fn answer(&self, rule: &Rule) -> Answer {
        match &rule.then {
            Then::Allow => Answer::Allow,
            Then::Approve {
                by,
                count,
                ttl_ms,
                proven_by,
            } => Answer::Approve {
                by: by.iter().map(|pattern| pattern.text.clone()).collect(),
                count: *count,
                ttl_ms: *ttl_ms,
                signed: self.requires_signed(Act::Approve),
                proven_by: proven_by.iter().map(|&word| word.to_owned()).collect(),
            },
            Then::Deny => Answer::Deny {
                reason: rule
                    .reason
                    .clone()
                    .unwrap_or_else(|| "denied by the policy".to_owned()),
            },
        }
    }
}
