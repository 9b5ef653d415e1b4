//! How a mutation ended, and what takes it back, as text.

use action_core::{Attribution, Outcome, OutcomeKind, Undo, printable};
use action_guard::Report;

use crate::call::Call;
use crate::flags;
use crate::settings::connection::Connection;
use crate::terminal::table::{section, shortened, text_of};

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

/// The same for an action that may not be known here any more.
pub(crate) fn of_any(report: &Report, connection: &Connection) -> String {
    match Call::named(&report.action, connection) {
        Some(call) => self::report(&call, report),
        None => outcome(&report.outcome),
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
    Some(flags::command_line(&words))
}
