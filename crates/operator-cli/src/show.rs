//! Plans and outcomes as text for people.

use action_core::{Attribution, Comparison, Outcome, OutcomeKind, Plan, Undo, Verdict, printable};
use action_guard::Report;
use serde_json::Value;

use crate::cli::Call;
use crate::flags;
use crate::table::{pair, section, shortened, text_of};

/// A mutation that was planned.
pub(crate) struct Planned<'a> {
    pub(crate) call: &'a Call,
    pub(crate) parameters: &'a Value,
    /// The system, when it was asked.
    pub(crate) system: Option<&'a str>,
    pub(crate) plan: &'a Plan,
    pub(crate) undo: &'a Undo,
}

impl Planned<'_> {
    /// All there is to know before saying yes.
    pub(crate) fn text(&self) -> String {
        let plan = self.plan;
        let mut title = request(&self.call.definition.name, self.parameters);
        if let Some(system) = self.system {
            title.push_str(&format!("\non {}", printable(system)));
        }
        let relied: Vec<Vec<String>> = plan
            .preconditions
            .iter()
            .map(|fact| {
                let or = match fact.comparison {
                    Comparison::AtLeast => "or more",
                    Comparison::AtMost => "or less",
                    _ => "",
                };
                vec![fact.name.clone(), text_of(&fact.value), or.to_owned()]
            })
            .collect();
        let read = match &plan.before {
            Value::Object(facts) => facts
                .iter()
                .filter(|(name, _)| plan.preconditions.iter().all(|fact| fact.name != **name))
                .map(pair)
                .collect(),
            _ => Vec::new(),
        };
        let impact = plan
            .impact
            .iter()
            .map(|quantity| {
                let amount = if quantity.name == quantity.unit {
                    quantity.value.to_string()
                } else {
                    format!("{} {}", quantity.value, quantity.unit)
                };
                vec![quantity.name.clone(), amount]
            })
            .collect();
        let touched = plan
            .failure_domains
            .iter()
            .map(|domain| vec![domain.clone()])
            .collect();
        let unknowns = plan
            .unknowns
            .iter()
            .map(|what| vec![what.clone()])
            .collect();
        let takes = plan.duration.as_ref().map(|estimate| {
            format!(
                "Takes about {}, at most {} ({})",
                duration(estimate.likely_ms),
                duration(estimate.at_most_ms),
                printable(&estimate.measure)
            )
        });
        let undo = plan
            .verdict
            .may_be_sent()
            .then(|| undo(self.call, self.undo));
        let parts = [
            Some(title),
            Some(verdict(&plan.verdict)),
            section("Relies on", relied),
            section("Was read", read),
            section("Impact", impact),
            section("Touches, of what fails together", touched),
            section("Not known", unknowns),
            takes,
            undo,
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }
}

/// What would happen, in a sentence and the system's words.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::WouldReject { code, text } => format!(
            "Would be refused ({}): {}",
            printable(code),
            printable(text.trim_end())
        ),
        Verdict::NoOp { already } => format!("Nothing to do: {}", printable(already)),
        Verdict::WouldDisplace { displaced } => {
            format!("Would proceed, in place of: {}", printable(displaced))
        }
        Verdict::AcceptedButWillNotProgress { causes } => {
            let causes = causes
                .iter()
                .map(|cause| vec![cause.code.clone(), cause.text.clone()]);
            section(
                "Would be accepted, and nothing would come of it",
                causes.collect(),
            )
            .unwrap_or_else(|| "Would be accepted, and nothing would come of it".to_owned())
        }
        Verdict::Undecided { causes } => {
            let causes: Vec<_> = causes
                .iter()
                .map(|cause| format!("{} ({})", printable(&cause.text), printable(&cause.code)))
                .collect();
            format!(
                "Cannot be told before it is asked for: {}",
                causes.join("; ")
            )
        }
        Verdict::WouldProceed => "Would proceed: it would be accepted and carried out".to_owned(),
        other => format!("{other:?}"),
    }
}

/// How a mutation ended, and what shows it.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    let result = match (outcome.result, outcome.by) {
        (OutcomeKind::Applied, Some(Attribution::Ours)) => "Applied, by this request",
        (OutcomeKind::Applied, Some(Attribution::Another)) => "Applied, by something else",
        (OutcomeKind::Applied, _) => "Applied",
        (OutcomeKind::NotApplied, _) => "Not applied",
        _ => "Unknown whether it was applied",
    };
    let code = match &outcome.code {
        Some(code) => format!(" ({})", printable(code)),
        None => String::new(),
    };
    let evidence = outcome
        .evidence
        .iter()
        .map(|read| {
            vec![
                read.fact.clone(),
                read.source.clone(),
                shortened(&text_of(&read.value)),
            ]
        })
        .collect();
    let parts = [
        Some(format!("{result}{code}: {}", printable(&outcome.summary))),
        section("Evidence", evidence),
        outcome
            .next
            .as_deref()
            .map(|next| format!("Next: {}", printable(next))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// How a mutation ended, and what takes it back if there is something to take back.
pub(crate) fn report(call: &Call, report: &Report) -> String {
    let ended = outcome(&report.outcome);
    if report.outcome.result == OutcomeKind::NotApplied {
        ended
    } else {
        format!("{ended}\n\n{}", undo(call, &report.undo))
    }
}

/// The command that takes a mutation back, or why there is none.
pub(crate) fn undo(call: &Call, undo: &Undo) -> String {
    match undo {
        Undo::Action { expects, .. } => {
            let command = undo_command(call, undo).unwrap_or_default();
            let while_true = expects
                .iter()
                .map(|fact| vec![fact.name.clone(), text_of(&fact.value)])
                .collect();
            let expects = section("as long as", while_true)
                .map_or_else(String::new, |text| format!("\n{text}"));
            format!("Take it back with\n  {}{expects}", printable(&command))
        }
        Undo::None { reason } => format!("Cannot be taken back: {}", printable(reason)),
        other => format!("{other:?}"),
    }
}

/// The command line that takes a mutation back.
pub(crate) fn undo_command(call: &Call, undo: &Undo) -> Option<String> {
    let Undo::Action {
        name, parameters, ..
    } = undo
    else {
        return None;
    };
    let mut definitions = call.definitions.iter();
    let definition = definitions.find(|definition| definition.name == *name);
    let mut words = vec!["run".to_owned(), name.clone()];
    words.extend(flags::arguments(definition, parameters));
    words.extend(call.connection.flags());
    Some(command_line(&words))
}

/// A command line for a person to copy.
pub(crate) fn command_line(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    printable(&format!("operator {}", words.join(" "))).into_owned()
}

/// An action and its parameters on one line.
pub(crate) fn request(name: &str, parameters: &Value) -> String {
    let mut words = vec![name.to_owned()];
    if let Value::Object(parameters) = parameters {
        words.extend(
            parameters
                .iter()
                .map(|(name, value)| format!("{name}={}", text_of(value))),
        );
    }
    printable(&words.join(" ")).into_owned()
}

/// Milliseconds, as people say it.
fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 if !ms.is_multiple_of(1_000) => {
            format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
        }
        1_000..120_000 => format!("{} s", ms / 1_000),
        _ => format!("{} min", ms / 60_000),
    }
}

/// A word of a command line, quoted for a shell where that is needed.
fn quoted(word: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "-_=./:,@%+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("--region-id"), "--region-id");
        assert_eq!(quoted("http://127.0.0.1:2379"), "http://127.0.0.1:2379");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn durations_are_short() {
        let cases = [
            (200, "200 ms"),
            (2_000, "2 s"),
            (2_500, "2.5 s"),
            (90_000, "90 s"),
            (600_000, "10 min"),
        ];
        for (ms, text) in cases {
            assert_eq!(duration(ms), text);
        }
    }
}
