//! Reading a policy from TOML.

use std::str::FromStr;

use action_core::{Effect, Quantity, Risk};
use jiff::civil::Time;
use toml::de::DeTable;

use crate::identity::{Actor, PublicKey};
use crate::policy::actor_pattern;
use crate::policy::budget::{Budget, Limit};
use crate::policy::keys;
use crate::policy::pattern::Pattern;
use crate::policy::problem::{PolicyError, PolicyProblem, did_you_mean};
use crate::policy::question::Act;
use crate::policy::rule::{Rule, Selector, Then};
use crate::policy::section::{At, Section, Source};
use crate::policy::window::{self, Window};
use crate::policy::{LONGEST_POLICY, Person, Policy};
use crate::records::Hash;

/// How long sendings are kept at hand for budgets.
const LONGEST_WINDOW_MS: u64 = 86_400_000;

impl FromStr for Policy {
    type Err = PolicyError;

    /// Reads a policy, or says all that is wrong with it, by line and column.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let syntax = |offset, message: &str| {
            PolicyError::unless_empty(vec![PolicyProblem::at(text, offset, message)])
        };
        if text.len() > LONGEST_POLICY {
            syntax(0, "the policy is longer than 1 MiB")?;
        }
        let source = Source::new(text);
        let policy = match DeTable::parse(text) {
            Ok(table) => {
                let root =
                    Section::new(&source, &keys::POLICY, table.span().start, table.get_ref());
                read(&source, root)
            }
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                let message = error
                    .message()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ");
                syntax(offset, &message)?;
                Self::default()
            }
        };
        PolicyError::unless_empty(source.problems())?;
        Ok(Self {
            hash: Some(Hash::of(text.as_bytes())),
            ..policy
        })
    }
}

fn read<'s>(source: &'s Source<'s>, root: Section<'s>) -> Policy {
    match root.number("version") {
        Some(At { value: 1, .. }) => {}
        Some(version) => source.wrong(
            version.offset,
            format!(
                "version {} is not known: this reads version 1",
                version.value
            ),
        ),
        None if root.has("version") => {}
        None => source.wrong(0, "a policy begins with `version = 1`"),
    }
    let signed_at = root.texts("require_signed");
    let people: Vec<_> = root
        .tables("person")
        .into_iter()
        .filter_map(|section| person(source, section))
        .collect();
    let rules: Vec<_> = root
        .tables("rule")
        .into_iter()
        .filter_map(|section| rule(source, section))
        .collect();
    let budgets: Vec<_> = root
        .tables("budget")
        .into_iter()
        .filter_map(|section| budget(source, section))
        .collect();
    let has_key = people.iter().any(|(_, person)| person.key.is_some());
    let mut signed = Vec::new();
    for act in signed_at {
        if !has_key {
            let message = "nobody can sign: no `[[person]]` has a `key`";
            source.wrong(act.offset, message);
        }
        signed.extend(root.read(Some(act), act_of));
    }
    root.finish();

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
    let all = rules
        .iter()
        .position(|(_, rule)| rule.selector.is_everything());
    if let Some(all) = all
        && let (Some((_, last)), Some((at, never))) = (rules.get(all), rules.get(all + 1))
    {
        let message = format!(
            "rule `{}` never decides: `{}` above it matches everything",
            never.name, last.name
        );
        source.wrong(*at, message);
    }
    Policy {
        people: people.into_iter().map(|(_, person)| person).collect(),
        signed,
        rules: rules.into_iter().map(|(_, rule)| rule).collect(),
        budgets: budgets.into_iter().map(|(_, budget)| budget).collect(),
        hash: None,
    }
}

fn person<'s>(source: &'s Source<'s>, section: Section<'s>) -> Option<(usize, Person)> {
    let offset = section.offset;
    let name = section.required("name");
    let name_offset = name.as_ref().map_or(offset, |name| name.offset);
    let actor = |text: &str| text.parse::<Actor>().map_err(|error| error.to_string());
    let name = section.read(name, actor);
    if name.as_ref().is_some_and(|name| !name.is_user()) {
        source.wrong(name_offset, "a person is called `user:NAME`");
    }
    let key = |text: &str| PublicKey::parse(text).map_err(|error| format!("not a key: {error}"));
    let key = section.read(section.text("key"), key);
    section.finish();
    let person = Person { name: name?, key };
    Some((offset, person))
}

fn rule<'s>(source: &'s Source<'s>, section: Section<'s>) -> Option<(usize, Rule)> {
    let (offset, line) = (section.offset, section.line());
    let name = section.required("name");
    let risks = section.texts("risk").into_iter();
    let selector = Selector {
        action: section.patterns("action"),
        subject: section.patterns("subject"),
        system: section.patterns("system"),
        actor: actors(source, &section),
        risk: risks
            .filter_map(|risk| section.read(Some(risk), risk_of))
            .collect(),
        effect: section.read(section.text("effect"), effect_of),
        reversible: section.flag("reversible"),
        takes_back: section.flag("takes_back"),
        windows: section
            .tables("window")
            .into_iter()
            .filter_map(window)
            .collect(),
    };
    let decision = section.required("decision");
    let then = match decision.as_ref().map(|decision| decision.value) {
        Some("approve") => approve(source, &section),
        other => {
            let stray = ["by", "count", "ttl"]
                .into_iter()
                .find(|key| section.has(key));
            if let Some(key) = stray {
                section.wrong(format!("`{key}` belongs to `decision = \"approve\"`"));
            }
            match other {
                Some("allow") => Some(Then::Allow),
                Some("deny") => Some(Then::Deny),
                _ => None,
            }
        }
    };
    if let Some(decision) = decision.filter(|decision| !DECISIONS.contains(&decision.value)) {
        let hint = did_you_mean(decision.value, &DECISIONS).unwrap_or_default();
        let message = format!("a decision is `allow`, `approve` or `deny`{hint}");
        source.wrong(decision.offset, message);
    }
    let reason = section.text("reason").map(|reason| reason.value.to_owned());
    section.finish();
    let rule = Rule {
        name: name?.value.to_owned(),
        line,
        selector,
        then: then?,
        reason,
    };
    Some((offset, rule))
}

const DECISIONS: [&str; 3] = ["allow", "approve", "deny"];

fn approve<'s>(source: &'s Source<'s>, section: &Section<'s>) -> Option<Then> {
    let by = section.patterns("by");
    if by.is_empty() && !section.has("by") {
        section.wrong("a rule that approves needs `by`, such as `by = [\"user:*\"]`");
    }
    for by in section.texts("by") {
        if !by.value.starts_with("user:") {
            source.wrong(by.offset, "people approve: a pattern begins with `user:`");
        } else if let Some(problem) = actor_pattern::problem(by.value) {
            source.wrong(by.offset, problem);
        }
    }
    let count = match section.number("count") {
        None => Some(1),
        Some(count) => match u32::try_from(count.value) {
            Ok(value @ 1..=100) => Some(value),
            _ => {
                source.wrong(count.offset, "`count` is from 1 to 100");
                None
            }
        },
    };
    let ttl = section.required("ttl");
    let ttl_ms = section.read(ttl, window::duration_ms);
    Some(Then::Approve {
        by,
        count: count?,
        ttl_ms: ttl_ms?,
    })
}

/// Patterns over actors, each of which can match somebody.
fn actors<'s>(source: &'s Source<'s>, section: &Section<'s>) -> Vec<Pattern> {
    let patterns = section.patterns("actor");
    for pattern in &patterns {
        if let Some(message) = actor_pattern::problem(&pattern.text) {
            source.note(pattern.problem(message));
        }
    }
    patterns
}

fn window(section: Section<'_>) -> Option<Window> {
    let days = section.texts("days").into_iter();
    let days = days
        .filter_map(|day| section.read(Some(day), window::day))
        .collect();
    let (has_from, has_to) = (section.has("from"), section.has("to"));
    if has_from != has_to {
        section.wrong("`from` and `to` of a window go together");
    }
    let from = section.read(section.text("from"), window::time);
    let to = section.read(section.text("to"), window::time);
    section.finish();
    if has_from || has_to {
        return Some(Window {
            days,
            from: from?,
            to: to?,
        });
    }
    let midnight = Time::midnight();
    Some(Window {
        days,
        from: midnight,
        to: midnight,
    })
}

fn budget<'s>(source: &'s Source<'s>, section: Section<'s>) -> Option<(usize, Budget)> {
    let (offset, line) = (section.offset, section.line());
    let name = section.required("name");
    let mut limits = Vec::new();
    let (actions, per) = (section.number("actions"), section.text("per"));
    if actions.is_some() != per.is_some() {
        section.wrong("`actions` and `per` of a budget go together");
    }
    let per_at = per.as_ref().map_or(offset, |per| per.offset);
    let per_ms = section.read(per, window::duration_ms);
    if per_ms.is_some_and(|per_ms| per_ms > LONGEST_WINDOW_MS) {
        source.wrong(per_at, "`per` is 24h at most");
    }
    if let (Some(actions), Some(per_ms)) = (actions, per_ms) {
        limits.push(Limit::Actions {
            most: actions.value,
            per_ms,
        });
    }
    let most = |key| section.number(key).map(|most| most.value);
    limits.extend(most("lasting").map(|most| Limit::Lasting { most }));
    for name in [Quantity::LEADERS, Quantity::REGIONS, Quantity::MOVED_MIB] {
        limits.extend(most(name).map(|most| Limit::InMotion { name, most }));
    }
    let domains = most("failure_domains");
    limits.extend(domains.map(|most| Limit::FailureDomains { most }));
    let action = section.patterns("action");
    let actor = actors(source, &section);
    let system = section.patterns("system");
    if limits.is_empty() {
        section.wrong(
            "a budget needs a bound: `actions` with `per`, `lasting`, `leaders`, `regions`, \
             `moved_mib` or `failure_domains`",
        );
    }
    section.finish();
    let budget = Budget {
        name: name?.value.to_owned(),
        line,
        action,
        actor,
        system,
        limits,
    };
    Some((offset, budget))
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
            source.wrong(offset, format!("there are two of {what} `{name}`"));
        }
        seen.push(key(name));
    }
}

fn risk_of(text: &str) -> Result<Risk, String> {
    match text {
        "low" => Ok(Risk::Low),
        "medium" => Ok(Risk::Medium),
        "high" => Ok(Risk::High),
        _ => Err(format!(
            "`{text}` is no risk: risks are low, medium and high"
        )),
    }
}

fn effect_of(text: &str) -> Result<Effect, String> {
    match text {
        "one_shot" => Ok(Effect::OneShot),
        "lasting" => Ok(Effect::Lasting),
        _ => Err(format!(
            "`{text}` is no effect: effects are one_shot and lasting"
        )),
    }
}

fn act_of(text: &str) -> Result<Act, String> {
    match text {
        "approve" => Ok(Act::Approve),
        "mode" => Ok(Act::Mode),
        "kill_reset" => Ok(Act::KillReset),
        _ => Err(format!(
            "`{text}` cannot be signed: approve, mode and kill_reset can"
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
