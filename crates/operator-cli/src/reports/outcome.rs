//! How a mutation ended, and what takes it back, as text.

use action_core::{Attribution, Outcome, OutcomeKind, Settled, SettledState, Undo, printable};
use action_guard::{Report, State};

use crate::reports::{in_force, plan};
use crate::settings::Global;
use crate::terminal::style::{Tone, toned};
use crate::terminal::table::section;
use crate::terminal::values::{shortened, text_of};

/// How a mutation ended, and what shows it.
#[must_use]
pub fn outcome(outcome: &Outcome) -> String {
    let (tone, result) = match (outcome.result, outcome.by) {
        (OutcomeKind::Applied, _) if outcome.is_reversed() => (Tone::Bad, "Applied, then reversed"),
        (OutcomeKind::Applied, Some(Attribution::Ours)) => (Tone::Good, "Applied, by this request"),
        (OutcomeKind::Applied, Some(Attribution::Another)) => {
            (Tone::Good, "Applied, by something else")
        }
        (OutcomeKind::Applied, _) => (Tone::Good, "Applied"),
        (OutcomeKind::NotApplied, _) => (Tone::Bad, "Not applied"),
        _ => (Tone::Doubtful, "Outcome unknown"),
    };
    let result = toned(tone, result);
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
        outcome.settled.as_ref().map(settled),
        section("Evidence", evidence),
        outcome
            .next
            .as_deref()
            .map(|next| format!("Next: {}", printable(next))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// Whether what was applied stayed so.
fn settled(settled: &Settled) -> String {
    let cause = settled.cause.as_ref().map_or_else(String::new, |cause| {
        format!(" ({}): {}", printable(&cause.code), printable(&cause.text))
    });
    match settled.state {
        SettledState::Held => toned(Tone::Good, "Checked again: still in effect"),
        SettledState::Reversed => format!("{}{cause}", toned(Tone::Bad, "Reversed since")),
        _ => format!(
            "{}{cause}",
            toned(Tone::Doubtful, "Not known whether it is still in effect")
        ),
    }
}

/// How a proposal ended, and what takes it back if there is something to take back.
pub(crate) fn report(report: &Report, id: &str, state: &State, global: &Global) -> String {
    let ended = format!("{}\n\nProposal {id}", outcome(&report.outcome));
    let back = match (&report.undo, report.outcome.result) {
        (_, OutcomeKind::NotApplied) => return ended,
        // Something has put it back, or made something else of it.
        _ if report.outcome.is_reversed() => return ended,
        // Its undo is under way.
        _ if report.outcome.code.as_deref() == Some("taken_over") => return ended,
        (Undo::Action { .. }, result) => match undo_command(report, id, state, global) {
            Some(command) => format!("Take it back with\n  {command}"),
            None if is_for_a_person(report, state, global) => format!(
                "It may be somebody else's change; {}",
                in_force::for_a_person(&report.id, state, global)
            ),
            None if result == OutcomeKind::Applied => plan::nothing_of_ours(),
            // Whether there is anything to take back is not known.
            None => return ended,
        },
        (Undo::None { reason }, _) => format!("Cannot be taken back: {}", printable(reason)),
        (other, _) => format!("{other:?}"),
    };
    format!("{ended}\n\n{back}")
}

/// Whether it may be another's, and who gives this command may not take that back.
fn is_for_a_person(report: &Report, state: &State, global: &Global) -> bool {
    state.is_whose_unknown(&report.id) && !global.is_given_by_a_person()
}

/// The command that takes it back, where that would do something.
pub(crate) fn undo_command(
    report: &Report,
    id: &str,
    state: &State,
    global: &Global,
) -> Option<String> {
    let status = state.proposal_status(&report.id)?;
    let is_there = report.outcome.result != OutcomeKind::NotApplied
        && !report.outcome.is_reversed()
        && matches!(report.undo, Undo::Action { .. })
        && !is_for_a_person(report, state, global)
        && state.can_be_undone(&status.proposal);
    is_there.then(|| global.own_command(&["undo", id]))
}
