//! `operator resolve` and `release`: what only people know, for the journal.

use action_core::OutcomeKind;
use clap::{Arg, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::json;

use crate::arguments::{given_id, given_reason, id, reason};
use crate::lookup;
use crate::reports::proposal;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;

pub(crate) fn resolve() -> Command {
    Command::new("resolve")
        .about("Record the outcome of a mutation that cannot be found out otherwise")
        .arg(id())
        .arg(
            Arg::new("result")
                .required(true)
                .value_parser(["applied", "not-applied"])
                .help("Outcome"),
        )
        .arg(reason(true))
}

pub(crate) fn release() -> Command {
    Command::new("release")
        .about(
            "Give up a lasting effect that is gone or now belongs to somebody else; sends nothing",
        )
        .arg(id())
        .arg(reason(true))
}

pub(crate) async fn resolve_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let controls = global.state.bare_controls()?;
    let result = match matches.get_one::<String>("result").map(String::as_str) {
        Some("applied") => OutcomeKind::Applied,
        _ => OutcomeKind::NotApplied,
    };
    let id = lookup::known(&*controls.state().await?, given_id(matches))?;
    let actor = global.state.actor()?;
    let status = controls
        .resolve(&id, &actor, result, given_reason(matches))
        .await?;
    let now = Timestamp::now();
    output.show(&proposal::json(&status, now), || {
        format!(
            "{id} is {}, recorded by {actor} (identity claimed)",
            status.phase_at(now)
        )
    });
    Ok(Exit::Done)
}

pub(crate) async fn release_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let controls = global.state.controls()?;
    let id = lookup::known(&*controls.state().await?, given_id(matches))?;
    controls
        .release(&id, &global.state.actor()?, given_reason(matches))
        .await?;
    output.show(&json!({"id": id, "released": true}), || {
        format!("{id} is released: its effect is no longer tracked as ours")
    });
    Ok(Exit::Done)
}
