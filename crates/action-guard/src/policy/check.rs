//! Whether the parts of a policy can match anything, as far as it is known what there is.

use action_core::{ActionDefinition, Effect};

use crate::policy::Policy;
use crate::policy::budget::{Budget, Limit};
use crate::policy::pattern::{Pattern, any_matches};
use crate::policy::problem::{PolicyError, PolicyProblem, did_you_mean};
use crate::policy::rule::{Rule, Selector, Then, word};

/// What a policy is about, as far as that is known.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Known<'a> {
    /// All actions.
    pub definitions: &'a [ActionDefinition],
    /// The systems that were seen, in their own words, and what they are called.
    pub systems: &'a [String],
    /// Who was seen, as actors are written. The people that the policy lists are known anyway.
    pub actors: &'a [String],
}

impl<'a> Known<'a> {
    /// All actions, and nothing else.
    #[must_use]
    pub fn actions(definitions: &'a [ActionDefinition]) -> Self {
        Self {
            definitions,
            ..Self::default()
        }
    }

    /// The same, and these systems.
    #[must_use]
    pub fn systems(mut self, systems: &'a [String]) -> Self {
        self.systems = systems;
        self
    }

    /// The same, and these actors.
    #[must_use]
    pub fn actors(mut self, actors: &'a [String]) -> Self {
        self.actors = actors;
        self
    }
}

impl Policy {
    /// What in it can match no action: a rule that denies what is misspelt denies nothing.
    ///
    /// # Errors
    /// All of them, with their places.
    pub fn check_actions(&self, definitions: &[ActionDefinition]) -> Result<(), PolicyError> {
        self.check(&Known::actions(definitions)).map(drop)
    }

    /// What in it can match nothing is an error. What may match something that is only known later,
    /// such as an agent that has not asked for anything yet, is given back as a warning.
    ///
    /// # Errors
    /// All of them, with their places.
    pub fn check(&self, known: &Known<'_>) -> Result<Vec<PolicyProblem>, PolicyError> {
        let mutations = known.definitions.iter().filter(|known| known.is_mutation());
        let mutations: Vec<&ActionDefinition> = mutations.collect();
        let names: Vec<&str> = known
            .definitions
            .iter()
            .map(|known| known.name.as_str())
            .collect();
        let mut subjects: Vec<&str> = mutations
            .iter()
            .map(|known| known.subject.as_str())
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        let mut problems = Vec::new();
        for rule in &self.rules {
            let before = problems.len();
            unmatched(&rule.selector.action, &names, "action", &mut problems);
            unmatched(&rule.selector.subject, &subjects, "subject", &mut problems);
            if problems.len() == before && !mutations.iter().any(|one| rule.selector.may_be(one)) {
                problems.push(no_mutation(rule));
            }
        }
        for budget in &self.budgets {
            let before = problems.len();
            unmatched(&budget.action, &names, "action", &mut problems);
            unmatched(&budget.subject, &subjects, "subject", &mut problems);
            if problems.len() == before {
                problems.extend(counts_nothing(budget, &mutations));
            }
        }
        PolicyError::unless_empty(problems)?;
        Ok(self.warnings(known))
    }

    fn warnings(&self, known: &Known<'_>) -> Vec<PolicyProblem> {
        let systems: Vec<&str> = known.systems.iter().map(String::as_str).collect();
        let people = self.people.iter().map(|person| person.name.as_str());
        let actors: Vec<&str> = known
            .actors
            .iter()
            .map(String::as_str)
            .chain(people)
            .collect();
        let mut warnings = Vec::new();
        let mut later = |patterns: &[Pattern], known: &[&str], what: &str| {
            for pattern in patterns {
                let is_known = known.iter().any(|known| pattern.matches(known));
                if !is_known && !pattern.is_whole_kind() {
                    let hint = did_you_mean(&pattern.text, known).unwrap_or_default();
                    let message = format!("no known {what} matches `{}`{hint}", pattern.text);
                    warnings.push(pattern.problem(message));
                }
            }
        };
        for rule in &self.rules {
            later(&rule.selector.actor, &actors, "actor");
            later(&rule.selector.system, &systems, "system");
            if let Then::Approve { by, .. } = &rule.then {
                later(by, &actors, "actor");
            }
        }
        for budget in &self.budgets {
            later(&budget.actor, &actors, "actor");
            later(&budget.system, &systems, "system");
        }
        warnings.sort_unstable();
        warnings
    }
}

impl Selector {
    /// Whether it can be about this action, whoever asks, and when, and for which system.
    fn may_be(&self, definition: &ActionDefinition) -> bool {
        any_matches(&self.action, &definition.name)
            && any_matches(&self.subject, &definition.subject)
            && (self.risk.is_empty()
                || definition
                    .risk
                    .is_some_and(|risk| self.risk.contains(&risk)))
            && (self.effect.is_none() || self.effect == definition.effect)
            && self
                .reversible
                .is_none_or(|wanted| wanted == definition.reversible)
    }
}

/// Patterns that match nothing of what there is.
fn unmatched(patterns: &[Pattern], known: &[&str], what: &str, problems: &mut Vec<PolicyProblem>) {
    for pattern in patterns {
        if known.iter().any(|known| pattern.matches(known)) {
            continue;
        }
        let hint = did_you_mean(&pattern.text, known)
            .unwrap_or_else(|| format!("; known are `{}`", known.join("`, `")));
        let message = format!("`{}` matches no {what}{hint}", pattern.text);
        problems.push(pattern.problem(message));
    }
}

/// A budget of which a bound, or all of it, counts no mutation that there is.
fn counts_nothing(budget: &Budget, mutations: &[&ActionDefinition]) -> Option<PolicyProblem> {
    let name = &budget.name;
    let mut counted = mutations
        .iter()
        .filter(|known| {
            any_matches(&budget.action, &known.name) && any_matches(&budget.subject, &known.subject)
        })
        .peekable();
    let is_about_lasting = |limit: &Limit| matches!(limit, Limit::Lasting { .. });
    let message = if counted.peek().is_none() {
        format!("budget `{name}` has no effect: it matches no mutation")
    } else if budget.limits.iter().any(is_about_lasting)
        && !counted.any(|known| known.effect == Some(Effect::Lasting))
    {
        format!(
            "`lasting` of budget `{name}` has no effect: it matches no mutation with a lasting effect"
        )
    } else {
        return None;
    };
    Some(PolicyProblem {
        line: budget.line,
        column: 1,
        message,
    })
}

/// A rule of which each part matches something, and all of it together nothing.
fn no_mutation(rule: &Rule) -> PolicyProblem {
    let selector = &rule.selector;
    let risks: Vec<String> = selector.risk.iter().map(word).collect();
    let parts = [
        (!risks.is_empty()).then(|| format!("of risk {}", risks.join(" or "))),
        selector
            .effect
            .map(|effect| format!("of effect {}", word(&effect))),
        selector.reversible.map(|reversible| match reversible {
            true => "reversible".to_owned(),
            false => "not reversible".to_owned(),
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let that = match parts.is_empty() {
        true => String::new(),
        false => format!(" that is {}", parts.join(" and ")),
    };
    PolicyProblem {
        line: rule.line,
        column: 1,
        message: format!(
            "rule `{}` never matches: there is no mutation{that}",
            rule.name
        ),
    }
}
