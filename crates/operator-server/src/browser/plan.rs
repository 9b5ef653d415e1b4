//! A plan for people: in the words that the command line has for it.

use std::borrow::Cow;

use action_core::{Cause, Comparison, Plan, Undo, Verdict, printable};
use action_guard::Proposal;
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::browser::page::indented;

/// What would happen, what it relies on, what moves, and what takes it back; and all of it as it is hashed.
pub(crate) fn plan(proposal: &Proposal) -> Markup {
    let plan = &proposal.plan;
    let causes = |causes: &[Cause]| causes.iter().map(cause).collect::<Vec<_>>();
    let sections = [
        ("Relies on", relied(plan)),
        ("Impact", impact(plan)),
        ("Failure domains", lines(&plan.failure_domains)),
        ("Reversed afterwards by", causes(&plan.reversed_by)),
        ("Not known", lines(&plan.unknowns)),
        ("Taken back by", vec![undo(&proposal.undo)]),
    ];
    html! {
        p { strong { (verdict(&plan.verdict)) } }
        @if let Some(estimate) = &plan.duration {
            p {
                "Takes about " (seconds(estimate.likely_ms)) " s, at most " (seconds(estimate.at_most_ms)) " s ("
                (printable(&estimate.measure)) ")"
            }
        }
        table {
            @for (title, lines) in sections.iter().filter(|(_, lines)| !lines.is_empty()) {
                tr { th { (title) } td { @for line in lines { div { (line) } } } }
            }
        }
        details { summary { "The whole plan" } pre { (indented(&json!(plan))) } }
    }
}

/// A time, to the second.
pub(crate) fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Parameters in one line.
pub(crate) fn in_line(parameters: &Value) -> String {
    let parameters = parameters.as_object().into_iter().flatten();
    let pairs = parameters.map(|(name, value)| format!("{name}={}", text_of(value)));
    printable(&pairs.collect::<Vec<_>>().join(" ")).into_owned()
}

fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn cause(cause: &Cause) -> String {
    let (text, code) = (printable(&cause.text), printable(&cause.code));
    format!("{text} ({code})")
}

fn lines(texts: &[String]) -> Vec<String> {
    texts
        .iter()
        .map(|text| printable(text).into_owned())
        .collect()
}

fn relied(plan: &Plan) -> Vec<String> {
    let facts = plan.preconditions.iter().map(|fact| {
        let or = match fact.comparison {
            Comparison::AtLeast => " or more",
            Comparison::AtMost => " or less",
            _ => "",
        };
        let line = format!("{}: {}{or}", fact.name, text_of(&fact.value));
        printable(&line).into_owned()
    });
    facts.collect()
}

fn impact(plan: &Plan) -> Vec<String> {
    let quantities = plan.impact.iter();
    let lines = quantities.map(|one| format!("{}: {} {}", one.name, one.value, one.unit));
    lines.map(|line| printable(&line).into_owned()).collect()
}

fn undo(undo: &Undo) -> String {
    match undo {
        Undo::Action {
            name, parameters, ..
        } => {
            let with = in_line(&Value::Object(parameters.clone()));
            format!("{} {with}", printable(name))
        }
        Undo::None { reason } => format!("nothing: {}", printable(reason)),
        other => format!("{other:?}"),
    }
}

fn verdict(verdict: &Verdict) -> String {
    let headline = verdict.headline();
    let all = |causes: &[Cause]| causes.iter().map(cause).collect::<Vec<_>>().join("; ");
    match verdict {
        Verdict::WouldReject { code, text } | Verdict::NotAskedFor { code, text } => {
            format!("{headline} ({}): {}", printable(code), printable(text))
        }
        Verdict::NoOp { already: what } | Verdict::WouldDisplace { displaced: what } => {
            format!("{headline}: {}", printable(what))
        }
        Verdict::AcceptedButWillNotProgress { causes } | Verdict::Undecided { causes } => {
            format!("{headline}: {}", all(causes))
        }
        _ => headline.to_owned(),
    }
}

fn seconds(milliseconds: u64) -> u64 {
    milliseconds.div_ceil(1000)
}
