//! What a policy denies whatever is asked, and whenever.

use crate::policy::question::Ask;
use crate::policy::rule::{Rule, Selector, Then};
use crate::policy::{DecidedBy, Decision, Policy};
use crate::proposal::{NO_RULE_ALLOWS, Ruling};

/// Whether rules deny an action to somebody whatever it is given, at any time and in any mode.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlwaysDenied {
    /// They do.
    By {
        /// The rule that says so.
        rule: String,
        /// Why, for people.
        reason: String,
    },
    /// They do, unless it takes back what is ours, which nothing does that is asked for by its own name.
    ButTakingBack {
        /// The rule that says so.
        rule: String,
        /// Why, for people.
        reason: String,
    },
    /// They may allow it some time.
    No,
    /// That depends on the system, which is not known.
    PerSystem,
}

/// Which of the requests by somebody for an action on a system a rule is about.
enum About {
    All,
    Some,
    /// That depends on the system, which is not known.
    SomeSystems,
    None,
}

impl Policy {
    /// Whether it denies what is asked at any time and in any mode, whatever the action is given. An
    /// empty system is one that is not known. Of budgets, only those are a matter of this that leave
    /// nothing: others are used up for a time.
    #[must_use]
    pub fn always_denied(&self, ask: &Ask<'_>) -> AlwaysDenied {
        let denied = |takes_back| self.denied(&ask.takes_back(takes_back));
        match (denied(false), denied(true)) {
            (AlwaysDenied::By { rule, reason }, AlwaysDenied::No) => {
                AlwaysDenied::ButTakingBack { rule, reason }
            }
            (AlwaysDenied::By { .. }, AlwaysDenied::PerSystem) => AlwaysDenied::PerSystem,
            (denied, _) => denied,
        }
    }

    fn denied(&self, ask: &Ask<'_>) -> AlwaysDenied {
        match self.denied_by_rule(ask) {
            AlwaysDenied::No => self.denied_by_budget(ask),
            denied => denied,
        }
    }

    /// The same by a budget that leaves nothing.
    fn denied_by_budget(&self, ask: &Ask<'_>) -> AlwaysDenied {
        for budget in &self.budgets {
            let is_of_system = ask.system.is_empty() && !budget.system.is_empty();
            let Some(reason) = budget.never(ask) else {
                continue;
            };
            if is_of_system {
                return AlwaysDenied::PerSystem;
            }
            let (name, line) = (budget.name.clone(), budget.line);
            let rule = DecidedBy::Budget { name, line }.to_string();
            return AlwaysDenied::By { rule, reason };
        }
        AlwaysDenied::No
    }

    fn denied_by_rule(&self, ask: &Ask<'_>) -> AlwaysDenied {
        for rule in &self.rules {
            match (rule.about(ask), &rule.then) {
                (About::None, _) | (About::Some, Then::Deny) => {}
                (About::SomeSystems, _) => return AlwaysDenied::PerSystem,
                (About::All, Then::Deny) => {
                    let answer = self.answer(rule);
                    let (name, line) = (rule.name.clone(), rule.line);
                    let decided_by = DecidedBy::Rule { name, line };
                    return Ruling::from(Decision { answer, decided_by }).into();
                }
                (About::All | About::Some, _) => return AlwaysDenied::No,
            }
        }
        AlwaysDenied::By {
            rule: DecidedBy::Default.to_string(),
            reason: NO_RULE_ALLOWS.to_owned(),
        }
    }
}

impl Rule {
    fn about(&self, ask: &Ask<'_>) -> About {
        let is_of_system = ask.system.is_empty() && !self.selector.system.is_empty();
        // What differs from request to request.
        let constant = Selector {
            windows: Vec::new(),
            system: match is_of_system {
                true => Vec::new(),
                false => self.selector.system.clone(),
            },
            ..self.selector.clone()
        };
        match constant.mismatch(ask) {
            Some(_) => About::None,
            None if is_of_system => About::SomeSystems,
            None if self.selector.windows.is_empty() => About::All,
            None => About::Some,
        }
    }
}

impl From<Ruling> for AlwaysDenied {
    fn from(ruling: Ruling) -> Self {
        match ruling {
            Ruling::Deny { rule, reason } => Self::By { rule, reason },
            _ => Self::No,
        }
    }
}
