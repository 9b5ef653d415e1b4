//! What is carried out at a gate.

use clap::{ArgMatches, FromArgMatches as _};
use serde_json::{Value, json};

use crate::arguments::{Confirm, are_findings, id_if_given};
use crate::call::{Call, call};
use crate::flags;
use crate::gate::Gate;
use crate::lookup::{self, Known};
use crate::reports::in_force;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::verbs::at_gate::look;
use crate::verbs::at_gate::there::There;
use crate::verbs::desk::{Desk as _, Drafted as _};
use crate::verbs::undo::WHOSE_UNKNOWN;
use crate::verbs::{carry_out, proposals, run};

/// `run`: a mutation, or what only looks.
pub(super) async fn run(
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let confirm = confirm(matches);
    let (call, matches) = call(matches, global)?;
    if are_findings(call.definition) {
        return look::found(gate, &call, matches, global, output).await;
    }
    if !call.definition.is_mutation() {
        let observe = async || look::observed(gate, &call, matches, global).await;
        return run::look(&call, matches, output, observe).await;
    }
    let there = There(gate);
    let wanted = wanted(&call, matches, &confirm)?;
    let draft = there.draft(wanted, global).await?;
    carry_out::go_on(&call, &there, draft, &confirm, global, output).await
}

/// What is asked for, as the gate reads it.
fn wanted(call: &Call, matches: &ArgMatches, confirm: &Confirm) -> Result<Value, Failure> {
    let mut wanted = json!({
        "action": call.definition.name,
        "parameters": flags::parameters(call.definition, matches)?,
        "reason": confirm.reason,
        "correlation_id": confirm.correlation_id,
    });
    if let Some(lease) = run::lease(call, confirm)? {
        let more = u64::from(lease.subsec_nanos() > 0);
        wanted["lease_seconds"] = json!(lease.as_secs() + more);
    }
    Ok(wanted)
}

fn confirm(matches: &ArgMatches) -> Confirm {
    Confirm::from_arg_matches(matches).unwrap_or_else(|error| error.exit())
}

/// `proposals run`.
pub(super) async fn approved(
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let matches = matches.subcommand_matches("run").unwrap_or(matches);
    let state = gate.seen().await?.state;
    let found = proposals::approved(id_if_given(matches), &Known::there(&state)).await?;
    let global = &global.to(&found.proposal.target())?;
    proposals::carry_out(&There(gate), &found, &state, matches, global, output).await
}

/// `undo`.
pub(super) async fn undo(
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let confirm = confirm(matches);
    for flag in ["last", "break-glass"] {
        if matches.get_flag(flag) {
            let text = format!("`undo --{flag}` does not work with `--server`");
            return Err(Failure::usage(text).next("give the id of the proposal to take back"));
        }
    }
    let there = There(gate);
    let state = there.state().await?;
    let known = Known::there(&state);
    let Some(given) = id_if_given(matches) else {
        return Err(known.unnamed("undo", |status| lookup::can_be_undone(&state, status)));
    };
    let id = known.id(given).await?;
    let reason = confirm.reason.clone();
    let reason = reason.unwrap_or_else(|| format!("taking back {id}"));
    let drafted = there.draft_undo(&id, &reason).await;
    let draft = drafted.map_err(|failure| match failure.code() {
        "whose_unknown" => failure.next(in_force::for_a_person(&id, &state, global)),
        _ => failure,
    })?;
    let global = &global.to(&draft.proposal().target())?;
    if state.is_whose_unknown(&id) {
        output.note(WHOSE_UNKNOWN);
    }
    let call = lookup::known_call(draft.proposal(), global)?;
    carry_out::go_on(&call, &there, draft, &confirm, global, output).await
}
