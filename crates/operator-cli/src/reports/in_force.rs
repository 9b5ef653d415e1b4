//! What is in force that is ours, the same in every command that shows it.

use std::collections::BTreeMap;

use action_core::{Attribution, SettledState, Undo, printable_lines};
use action_guard::{InForce, State};
use serde_json::{Value, json};

use crate::ids;
use crate::settings::Global;
use crate::terminal::values::when;

/// Whether what is gone may be taken off the list by who asks, and why not, by its id.
pub(crate) type Releases = BTreeMap<String, Result<(), String>>;

/// For programs: each with the command that takes it back, or off the list when it is gone.
pub(crate) fn json(
    effects: &[InForce],
    releases: &Releases,
    state: &State,
    global: &Global,
) -> Vec<Value> {
    let one = |effect: &InForce| {
        let mut shown = json!(effect);
        shown["undo_command"] = json!(undo_command(effect, state, global));
        if effect.is_gone() {
            let may = matches!(releases.get(&effect.id), Some(Ok(())));
            let command = may.then(|| release_command(&effect.id, state, global));
            shown["release_command"] = json!(command);
        }
        shown
    };
    effects.iter().map(one).collect()
}

/// For people; nothing when nothing is in force.
pub(crate) fn text(
    effects: &[InForce],
    releases: &Releases,
    state: &State,
    global: &Global,
) -> Option<String> {
    if effects.is_empty() {
        return None;
    }
    let one = |effect: &InForce| {
        let next = match (&effect.overwritten_by, effect.is_gone()) {
            (Some(_), _) => "take back that proposal first".to_owned(),
            (None, false) if effect.whose_unknown => for_a_person(&effect.id, state, global),
            (None, true) => off_the_list(effect, releases, state, global),
            (None, false) => "cannot be taken back".to_owned(),
        };
        let lines = [
            format!("{}: {}", effect.key, how_it_stands(effect, state)),
            format!(
                "  proposal {}, {} at {}",
                ids::short_of(&effect.id, state),
                by(effect),
                when(effect.since)
            ),
            undo_command(effect, state, global).map_or_else(
                || format!("  {next}"),
                |undo| format!("  take it back with\n    {undo}"),
            ),
        ];
        let text = printable_lines(&lines.join("\n"));
        text.lines()
            .map(|line| format!("  {line}"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let effects: Vec<_> = effects.iter().map(one).collect();
    Some(format!(
        "In force, requested from here\n{}",
        effects.join("\n")
    ))
}

/// Who is behind it.
pub(crate) fn by(effect: &InForce) -> String {
    let executor = effect.carried_out_by.as_ref();
    let executor = executor.map_or_else(String::new, |who| format!(", carried out by {who}"));
    format!("by {}{executor}", effect.actor)
}

/// What to do about something that is gone: the command, or why it would be refused.
fn off_the_list(effect: &InForce, releases: &Releases, state: &State, global: &Global) -> String {
    match releases.get(&effect.id) {
        Some(Err(why)) => format!("you cannot remove it from this list: {why}"),
        _ => {
            let command = release_command(&effect.id, state, global);
            format!("run `{command}` to remove it from this list")
        }
    }
}

fn how_it_stands(effect: &InForce, state: &State) -> String {
    if let Some(by) = &effect.overwritten_by {
        return format!("changed again by proposal {}", ids::short_of(by, state));
    }
    let shown = effect.shown.as_ref();
    let cause = shown.and_then(|shown| Some((shown.state, shown.cause.as_ref()?)));
    let certain = match cause {
        Some((SettledState::Reversed, cause)) => {
            return format!(
                "no longer in force, removed by somebody else: {}",
                cause.text
            );
        }
        Some((SettledState::NotKnown, cause)) => {
            format!(
                "in force according to the journal; current state unknown: {}",
                cause.text
            )
        }
        _ if effect.by == Some(Attribution::Undecided) => {
            "in force, perhaps by somebody else's request".to_owned()
        }
        _ if effect.confirmed => "in force".to_owned(),
        _ => "may be in force".to_owned(),
    };
    let lease = match effect.lease_until {
        Some(_) if effect.lease_over && effect.whose_unknown => {
            ", lease expired: a person must decide".to_owned()
        }
        Some(_) if effect.lease_over => ", lease expired".to_owned(),
        Some(until) => format!(" until {}", when(until)),
        None => String::new(),
    };
    let undo = match &effect.taken_back_by {
        Some(undo) => format!(
            ", being taken back by proposal {}",
            ids::short_of(undo, state)
        ),
        None => String::new(),
    };
    format!("{certain}{lease}{undo}")
}

pub(crate) fn undo_command(effect: &InForce, state: &State, global: &Global) -> Option<String> {
    let is_there = effect.overwritten_by.is_none() && !effect.is_gone();
    let may = !effect.whose_unknown || global.is_given_by_a_person();
    let can_be_undone = is_there && may && matches!(effect.undo, Undo::Action { .. });
    can_be_undone.then(|| global.own_command(&["undo", &ids::short_of(&effect.id, state)]))
}

/// Who takes back what may be another's, and how.
pub(crate) fn for_a_person(id: &str, state: &State, global: &Global) -> String {
    let command = global.command(&["undo", &ids::short_of(id, state)]);
    format!("a person must decide; `{command}` takes it back")
}

/// Takes it off the list; nothing is sent.
pub(crate) fn release_command(id: &str, state: &State, global: &Global) -> String {
    let id = ids::short_of(id, state);
    global.own_command(&["release", &id, "--reason", "no longer in force"])
}
