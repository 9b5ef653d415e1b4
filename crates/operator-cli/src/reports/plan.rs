//! Plans and outcomes as text for people.

use action_core::{Comparison, Plan, Undo, Verdict, printable};
use action_guard::{Mode, Proposal, State};
use serde_json::{Value, json};

use crate::call::Call;
use crate::ids;
use crate::program::program;
use crate::settings::Global;
use crate::subjects;
use crate::terminal::style::{Tone, toned};
use crate::terminal::table::section;
use crate::terminal::values::{pair, text_of};

/// A mutation that was planned.
pub(crate) struct Planned<'a> {
    pub(crate) call: &'a Call,
    pub(crate) parameters: &'a Value,
    /// The system, when it was asked.
    pub(crate) system: Option<&'a str>,
    pub(crate) plan: &'a Plan,
    pub(crate) undo: &'a Undo,
    pub(crate) taken_back: TakenBack,
}

/// What takes it back: an effect of ours is taken back by its id, which the journal knows, and by
/// nothing else.
pub(crate) enum TakenBack {
    /// This command.
    By(String),
    /// The id that it will have.
    ByLaterId,
    /// Nothing, as it leaves nothing of ours in force.
    NothingOfOurs,
    /// Nothing, as it is over.
    Over,
}

impl TakenBack {
    fn of(proposal: &Proposal, state: &State, global: &Global) -> Self {
        let status = state.proposal_status(&proposal.id);
        // What is only shown and not sent leaves no proposal whose id would be worth keeping.
        if status.is_none() && state.mode != Mode::Execute {
            return Self::ByLaterId;
        }
        let is_over = status.is_some_and(|status| !status.phase.is_unsent());
        match (state.can_be_undone(proposal), is_over) {
            (true, _) => {
                let id = ids::short_of(&proposal.id, state);
                Self::By(global.own_command(&["undo", &id]))
            }
            (false, true) => Self::Over,
            (false, false) => Self::NothingOfOurs,
        }
    }
}

impl<'a> Planned<'a> {
    /// What would be proposed.
    pub(crate) fn of(
        call: &'a Call,
        proposal: &'a Proposal,
        state: &State,
        global: &Global,
    ) -> Self {
        Self {
            call,
            parameters: &proposal.request.parameters,
            system: Some(&proposal.system),
            plan: &proposal.plan,
            undo: &proposal.undo,
            taken_back: TakenBack::of(proposal, state, global),
        }
    }

    /// What is about to be done, where nobody has to decide.
    pub(crate) fn line(&self) -> String {
        let what = request(&self.call.definition.name, self.parameters);
        match self.system {
            Some(system) => format!("Running {what} on {}", printable(system)),
            None => format!("Running {what}"),
        }
    }

    /// All there is to know before saying yes.
    pub(crate) fn text(&self) -> String {
        let plan = self.plan;
        let mut title = request(&self.call.definition.name, self.parameters);
        if let Some(system) = self.system {
            title.push_str(&format!("\non {}", printable(system)));
        }
        if let Some(risk) = self.call.definition.risk {
            title.push_str(&format!("\n{risk} risk"));
        }
        let is_no_op = matches!(plan.verdict, Verdict::NoOp { .. });
        // Of what is not done nothing changes, and it takes no time.
        let duration_of = plan.duration.as_ref().filter(|_| !is_no_op);
        let takes = duration_of.map(|estimate| {
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
            .then(|| undo(self.undo, &self.taken_back))
            .flatten();
        let parts = [
            Some(title),
            Some(verdict(&plan.verdict)),
            section("Relies on", relied(plan)),
            section("Was read", read(plan)),
            section("Impact", impact(plan)).filter(|_| !is_no_op),
            section("Failure domains", lines(&plan.failure_domains)).filter(|_| !is_no_op),
            section("Reversed afterwards by", reversed_by(plan)),
            section("Not known", lines(&plan.unknowns)),
            takes,
            undo,
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }
}

/// What takes a mutation back, or why nothing does.
fn undo(undo: &Undo, taken_back: &TakenBack) -> Option<String> {
    Some(match undo {
        Undo::Action {
            name,
            parameters,
            expects,
            ..
        } => {
            let while_true = expects
                .iter()
                .map(|fact| vec![fact.name.clone(), text_of(&fact.value)])
                .collect();
            let expects = section("as long as", while_true)
                .map_or_else(String::new, |text| format!("\n{text}"));
            let does = request(name, &Value::Object(parameters.clone()));
            let by = match taken_back {
                TakenBack::By(command) => {
                    format!("After it is sent, take it back with\n  {command}")
                }
                TakenBack::ByLaterId => {
                    let us = program().name;
                    format!("After it is sent, `{us} undo ID` takes it back; `run` prints the id")
                }
                TakenBack::NothingOfOurs => return Some(nothing_of_ours()),
                TakenBack::Over => return None,
            };
            format!("{by}\nwhich runs\n  {does}{expects}")
        }
        Undo::None { reason } => format!("Cannot be taken back: {}", printable(reason)),
        other => format!("{other:?}"),
    })
}

/// Why no undo is named for what itself takes back.
pub(crate) fn nothing_of_ours() -> String {
    "Undo does not apply: nothing set by this program stays in force. To change it again, run another action"
        .to_owned()
}

fn relied(plan: &Plan) -> Vec<Vec<String>> {
    let facts = plan.preconditions.iter().map(|fact| {
        let or = match fact.comparison {
            Comparison::AtLeast => "or more",
            Comparison::AtMost => "or less",
            _ => "",
        };
        vec![fact.name.clone(), text_of(&fact.value), or.to_owned()]
    });
    facts.collect()
}

/// The plan as data: without facts where it ended before it had read all, as those are of nothing.
pub(crate) fn as_data(plan: &Plan) -> Value {
    let mut data = json!(plan);
    if has_ended_early(plan)
        && let Some(before) = data.get_mut("before")
    {
        *before = Value::Null;
    }
    data
}

/// Whether a plan ended before it had read all: it relies on nothing, and its facts are those of
/// nothing.
fn has_ended_early(plan: &Plan) -> bool {
    !plan.verdict.may_be_sent() && plan.preconditions.is_empty()
}

/// What was read and not relied on.
fn read(plan: &Plan) -> Vec<Vec<String>> {
    let Value::Object(facts) = &plan.before else {
        return Vec::new();
    };
    if has_ended_early(plan) {
        return Vec::new();
    }
    facts
        .iter()
        .filter(|(name, _)| plan.preconditions.iter().all(|fact| fact.name != **name))
        .map(pair)
        .collect()
}

fn impact(plan: &Plan) -> Vec<Vec<String>> {
    let quantities = plan.impact.iter().map(|quantity| {
        let (value, unit) = (quantity.value, &quantity.unit);
        let is_plural = unit
            .split([' ', ','])
            .next()
            .is_some_and(|first| first.ends_with('s'));
        let amount = if quantity.name == *unit {
            value.to_string()
        } else if value == 1 && is_plural {
            format!("{unit}: 1")
        } else {
            format!("{value} {unit}")
        };
        vec![quantity.name.clone(), amount]
    });
    quantities.collect()
}

fn reversed_by(plan: &Plan) -> Vec<Vec<String>> {
    let causes = plan.reversed_by.iter();
    causes
        .map(|cause| vec![cause.code.clone(), cause.text.clone()])
        .collect()
}

fn lines(texts: &[String]) -> Vec<Vec<String>> {
    texts.iter().map(|text| vec![text.clone()]).collect()
}

/// What would happen, in a sentence and the system's words.
#[must_use]
pub fn verdict(verdict: &Verdict) -> String {
    let begin = toned(tone(verdict), verdict.headline());
    match verdict {
        Verdict::WouldReject { code, text } | Verdict::NotAskedFor { code, text } => {
            let (code, text) = (printable(code), printable(text.trim_end()));
            format!("{begin} ({code}): {text}")
        }
        Verdict::NoOp { already: what } | Verdict::WouldDisplace { displaced: what } => {
            format!("{begin}: {}", printable(what))
        }
        Verdict::AcceptedButWillNotProgress { causes } => {
            let causes = causes
                .iter()
                .map(|cause| vec![cause.code.clone(), cause.text.clone()]);
            let who = subjects::who_answers();
            let text = format!("{who} would accept it, but nothing would happen");
            section(&text, causes.collect()).unwrap_or_else(|| toned(Tone::Heading, &text))
        }
        Verdict::Undecided { causes } => {
            let causes: Vec<_> = causes
                .iter()
                .map(|cause| format!("{} ({})", printable(&cause.text), printable(&cause.code)))
                .collect();
            format!("{begin}: {}", causes.join("; "))
        }
        _ => begin,
    }
}

fn tone(verdict: &Verdict) -> Tone {
    match verdict {
        Verdict::WouldProceed | Verdict::WouldDisplace { .. } => Tone::Good,
        Verdict::WouldReject { .. } | Verdict::NotAskedFor { .. } => Tone::Bad,
        Verdict::NoOp { .. } => Tone::Heading,
        _ => Tone::Doubtful,
    }
}

/// An action and its parameters on one line.
#[must_use]
pub fn request(name: &str, parameters: &Value) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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
