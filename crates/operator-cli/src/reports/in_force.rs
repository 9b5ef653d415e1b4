//! What is in force that is ours, the same in every command that shows it.

use action_core::Undo;
use action_guard::{InForce, State};
use serde_json::{Value, json};

use crate::ids;
use crate::settings::Global;
use crate::terminal::table::{section, when};

/// For programs: each with the command that takes it back.
pub(crate) fn json(effects: &[InForce], state: &State, global: &Global) -> Vec<Value> {
    let one = |effect: &InForce| {
        let mut shown = json!(effect);
        shown["undo_command"] = json!(undo_command(effect, state, global));
        shown
    };
    effects.iter().map(one).collect()
}

/// For people; nothing when nothing is in force.
pub(crate) fn text(effects: &[InForce], state: &State, global: &Global) -> Option<String> {
    let rows = effects.iter().map(|effect| {
        let undo = undo_command(effect, state, global);
        vec![
            ids::short_of(&effect.id, state),
            effect.key.clone(),
            how_it_stands(effect, state),
            format!("{} at {}", by(effect), when(effect.since)),
            undo.unwrap_or_else(|| match &effect.overwritten_by {
                Some(_) => "take that back first".to_owned(),
                None => "nothing takes it back".to_owned(),
            }),
        ]
    });
    section("In force, asked for here", rows.collect())
}

/// Who is behind it.
pub(crate) fn by(effect: &InForce) -> String {
    let executor = effect.carried_out_by.as_ref();
    let executor = executor.map_or_else(String::new, |who| format!(", carried out by {who}"));
    format!("by {}{executor}", effect.actor)
}

fn how_it_stands(effect: &InForce, state: &State) -> String {
    if let Some(by) = &effect.overwritten_by {
        return format!("set anew by proposal {}", ids::short_of(by, state));
    }
    let certain = match effect.confirmed {
        true => "in force",
        false => "may be in force",
    };
    let lease = match effect.lease_until {
        Some(_) if effect.lease_over => ", its lease is over".to_owned(),
        Some(until) => format!(" until {}", when(until)),
        None => String::new(),
    };
    let undo = match &effect.taken_back_by {
        Some(undo) => format!(", proposal {} takes it back", ids::short_of(undo, state)),
        None => String::new(),
    };
    format!("{certain}{lease}{undo}")
}

pub(crate) fn undo_command(effect: &InForce, state: &State, global: &Global) -> Option<String> {
    let is_there = matches!(effect.undo, Undo::Action { .. }) && effect.overwritten_by.is_none();
    is_there.then(|| global.command(&["undo", &ids::short_of(&effect.id, state)]))
}
