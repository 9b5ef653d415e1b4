//! Reading a policy from TOML.

use std::str::FromStr;

use action_core::ActionDefinition;
use toml::de::DeTable;

use crate::policy::budget::Budget;
use crate::policy::keys;
use crate::policy::parse::budget::budget;
use crate::policy::parse::gate::gate;
use crate::policy::parse::person::person;
use crate::policy::parse::rule::rule;
use crate::policy::problem::{PolicyError, PolicyProblem};
use crate::policy::question::Act;
use crate::policy::rule::Rule;
use crate::policy::section::{At, Section, Source};
use crate::policy::{LONGEST_POLICY, Person, Policy};
use crate::records::Hash;

mod budget;
mod gate;
mod person;
mod rule;

impl FromStr for Policy {
    type Err = PolicyError;

    /// Reads a policy, or says all that is wrong with it, by line and column.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (policy, problems) = as_far_as_it_is_one(text);
        PolicyError::unless_empty(problems)?;
        Ok(policy)
    }
}

impl Policy {
    /// Reads a policy about these actions, or says all that is wrong with it: how it is written, and
    /// what of it can match nothing.
    ///
    /// # Errors
    /// All of them, with their places.
    pub fn read(text: &str, definitions: &[ActionDefinition]) -> Result<Self, PolicyError> {
        let (policy, mut problems) = as_far_as_it_is_one(text);
        if let Err(error) = policy.check_actions(definitions) {
            problems.extend(error.problems().iter().cloned());
        }
        PolicyError::unless_empty(problems)?;
        Ok(policy)
    }
}

/// What of a text is a policy, and what is wrong with the rest.
fn as_far_as_it_is_one(text: &str) -> (Policy, Vec<PolicyProblem>) {
    let broken = |offset, message: &str| {
        let problem = PolicyProblem::at(text, offset, message);
        (Policy::default(), vec![problem])
    };
    if text.len() > LONGEST_POLICY {
        return broken(0, "the policy is longer than 1 MiB");
    }
    let source = Source::new(text);
    let policy = match DeTable::parse(text) {
        Ok(table) => {
            let root = Section::new(&source, &keys::POLICY, table.span().start, table.get_ref());
            read(&source, root)
        }
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            let message: Vec<_> = error.message().split_whitespace().collect();
            return broken(offset, &message.join(" "));
        }
    };
    let hash = Some(Hash::of(text.as_bytes()));
    let text = Some(text.into());
    (
        Policy {
            text,
            hash,
            ..policy
        },
        source.problems(),
    )
}

fn read<'s>(source: &'s Source<'s>, root: Section<'s>) -> Policy {
    version(source, &root);
    let signed_at = root.texts("require_signed");
    let people: Vec<_> = root
        .tables("person")
        .into_iter()
        .filter_map(|section| person(source, section))
        .collect();
    let gates: Vec<_> = root.tables("gate").into_iter().filter_map(gate).collect();
    let rules: Vec<_> = root
        .tables("rule")
        .into_iter()
        .filter_map(|section| rule(source, section))
        .collect();
    let budgets: Vec<_> = root
        .tables("budget")
        .into_iter()
        .filter_map(budget)
        .collect();
    let has_key = people.iter().any(|(_, person)| person.key.is_some());
    let mut signed = Vec::new();
    for act in signed_at {
        if !has_key {
            let message = "no `[[person]]` has a `key`, so nobody can sign";
            source.wrong(act.offset, message);
        }
        signed.extend(root.read(Some(act), act_of));
    }
    root.finish();
    let named = gates.iter().map(|(at, gate)| (*at, gate.name.as_str()));
    unique(source, "gate", named, str::to_owned);
    each_has_its_name(source, &people, &rules, &budgets);
    each_may_decide(source, &rules);
    Policy {
        people: people.into_iter().map(|(_, person)| person).collect(),
        gates: gates.into_iter().map(|(_, gate)| gate).collect(),
        signed,
        rules: rules.into_iter().map(|(_, rule)| rule).collect(),
        budgets: budgets.into_iter().map(|(_, budget)| budget).collect(),
        text: None,
        hash: None,
    }
}

fn version<'s>(source: &'s Source<'s>, root: &Section<'s>) {
    match root.number("version") {
        Some(At { value: 1, .. }) => {}
        Some(version) => source.wrong(
            version.offset,
            format!(
                "unsupported policy version {}: use version 1",
                version.value
            ),
        ),
        None if root.has("version") => {}
        None => source.wrong(0, "missing version: a policy begins with `version = 1`"),
    }
}

/// What has no name of its own cannot be told apart in a ruling.
fn each_has_its_name(
    source: &Source<'_>,
    people: &[(usize, Person)],
    rules: &[(usize, Rule)],
    budgets: &[(usize, Budget)],
) {
    let names = people
        .iter()
        .map(|(at, person)| (*at, person.name.as_str()));
    unique(source, "person", names, str::to_ascii_lowercase);
    unique(
        source,
        "rule",
        rules.iter().map(|(at, rule)| (*at, rule.name.as_str())),
        str::to_owned,
    );
    let names = budgets
        .iter()
        .map(|(at, budget)| (*at, budget.name.as_str()));
    unique(source, "budget", names, str::to_owned);
}

/// What stands below a rule that matches everything never decides.
fn each_may_decide(source: &Source<'_>, rules: &[(usize, Rule)]) {
    let all = rules
        .iter()
        .position(|(_, rule)| rule.selector.is_everything());
    if let Some(all) = all
        && let (Some((_, last)), Some((at, never))) = (rules.get(all), rules.get(all + 1))
    {
        let message = format!(
            "rule `{}` never decides: rule `{}` above it matches everything",
            never.name, last.name
        );
        source.wrong(*at, message);
    }
}

fn unique<'n>(
    source: &Source<'_>,
    what: &str,
    names: impl Iterator<Item = (usize, &'n str)>,
    key: impl Fn(&str) -> String,
) {
    let mut seen = Vec::new();
    for (offset, name) in names {
        if seen.contains(&key(name)) {
            source.wrong(offset, format!("duplicate {what} `{name}`"));
        }
        seen.push(key(name));
    }
}

fn act_of(text: &str) -> Result<Act, String> {
    match text {
        "approve" => Ok(Act::Approve),
        "mode" => Ok(Act::Mode),
        "kill_reset" => Ok(Act::KillReset),
        _ => Err(format!(
            "`{text}` cannot be signed: use approve, mode or kill_reset"
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;
    use crate::policy::keys::{Keys, POLICY};

    /// An unknown key is answered with all that are read.
    #[track_caller]
    fn check(keys: &Keys, above: &str) {
        let text = format!("{above}zzzzzzzzzzzz = 1\n");
        let error = text.parse::<Policy>().unwrap_err().to_string();
        for (key, ..) in keys.keys {
            assert!(error.contains(&format!("`{key}`")), "{key}: {error}");
        }
        for (name, inner) in keys.tables {
            let path = above
                .rsplit("[[")
                .next()
                .and_then(|last| last.split_once("]]"));
            let path = path.map_or_else(String::new, |(path, _)| format!("{path}."));
            check(inner, &format!("{above}[[{path}{name}]]\n"));
        }
    }

    #[test]
    fn every_key_is_read_where_it_is_listed() {
        check(&POLICY, "version = 1\n");
    }
}
