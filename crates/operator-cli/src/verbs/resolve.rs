//! `operator resolve` and `release`: what only people know, for the journal.

use action_core::OutcomeKind;
use action_guard::{Actor, Phase, ProposalStatus};
use clap::{Arg, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::json;

use crate::arguments::{given_reason, id_if_given, optional_id, reason};
use crate::lookup::Known;
use crate::reports::proposal;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;

pub(crate) fn resolve() -> Command {
    Command::new("resolve")
        .about("Record the outcome of a mutation that cannot be found out otherwise")
        .arg(optional_id().requires("result"))
        .arg(
            Arg::new("result")
                .requires("reason")
                .value_parser(["applied", "not-applied"])
                .help("Outcome"),
        )
        .arg(reason(false))
}

pub(crate) fn release() -> Command {
    Command::new("release")
        .about(
            "Give up a lasting effect that is gone or now belongs to somebody else; sends nothing",
        )
        .arg(optional_id().requires("reason"))
        .arg(reason(false))
}

pub(crate) async fn resolve_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    global.state.must_exist()?;
    let controls = global.state.bare_controls()?;
    let result = result(matches);
    let state = controls.state().await?;
    let known = Known::here(&controls, &state);
    let is_unknown = |status: &ProposalStatus| status.phase == Phase::Unknown;
    let Some(given) = id_if_given(matches) else {
        return Err(known.unnamed("resolve", is_unknown));
    };
    let id = known.id(given).await?;
    let actor = global.state.actor()?;
    let status = controls
        .resolve(&id, &actor, result, given_reason(matches))
        .await?;
    show_resolved(&status, &actor, "claimed", output);
    Ok(Exit::Done)
}

/// How it ended, as it is given.
pub(crate) fn result(matches: &ArgMatches) -> OutcomeKind {
    match matches.get_one::<String>("result").map(String::as_str) {
        Some("applied") => OutcomeKind::Applied,
        _ => OutcomeKind::NotApplied,
    }
}

pub(crate) fn show_resolved(
    status: &ProposalStatus,
    by: &Actor,
    proven: &str,
    output: &mut Output,
) {
    let (id, now) = (&status.proposal.id, Timestamp::now());
    output.show(&proposal::json(status, now), || {
        let phase = status.phase_at(now);
        format!("{id} is {phase}, recorded by {by} (identity {proven})")
    });
}

pub(crate) async fn release_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    global.state.must_exist()?;
    let controls = global.state.controls()?;
    let state = controls.state().await?;
    let known = Known::here(&controls, &state);
    let is_in_force = |status: &ProposalStatus| state.effects.contains_key(&status.proposal.id);
    let Some(given) = id_if_given(matches) else {
        return Err(known.unnamed("release", is_in_force));
    };
    let id = known.id(given).await?;
    controls
        .release(&id, &global.state.actor()?, given_reason(matches))
        .await?;
    show_released(&id, output);
    Ok(Exit::Done)
}

pub(crate) fn show_released(id: &str, output: &mut Output) {
    output.show(&json!({"id": id, "released": true}), || {
        format!("{id} is released: its effect is no longer tracked as ours")
    });
}
