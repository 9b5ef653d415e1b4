//! `operator mode`, `operator kill-switch` and `operator clock`: whether anything may be sent.

use std::sync::Arc;

use action_core::printable;
use action_guard::{CommitError, Decider, Mode, ModeError, ProposalStatus, State, Stop};
use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::arguments::{given_reason, reason};
use crate::program::program;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::table::{section, when};

/// What stops everything by being there.
const KILL_FILE: &str = "a `KILL` file in the state directory";

pub(crate) fn mode() -> Command {
    Command::new("mode")
        .about("Show or set whether anything may be sent from this state directory")
        .arg(
            Arg::new("mode")
                .value_parser(["observe", "execute"])
                .help("observe: nothing is sent; execute: what the policy allows is"),
        )
        .arg(reason(false).requires("mode"))
}

pub(crate) fn kill_switch() -> Command {
    Command::new("kill-switch")
        .about("Stop everything, at once and in every process on this state directory")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("on")
                .about("Stop: no process begins to send, what waits is cancelled; asks no system")
                .arg(reason(true)),
            Command::new("status").about("Show whether everything is stopped, and what goes on"),
            Command::new("reset")
                .about("End the stop; the mode is observe after it")
                .arg(reason(true)),
        ])
}

pub(crate) fn clock() -> Command {
    Command::new("clock")
        .about("Confirm the time, after the clock leapt by more than an hour")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("confirm")
                .about("Say that it is as late as the clock shows; stops need no clock")
                .arg(reason(true)),
        )
}

pub(crate) async fn clock_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (_, matches) = matches
        .subcommand()
        .ok_or_else(|| Failure::usage("no such command"))?;
    let (actor, key) = (global.state.actor()?, global.state.key()?);
    let by = key.as_ref().map_or_else(
        || Decider::claimed(&actor),
        |key| Decider::with_key(&actor, key),
    );
    let controls = global.state.controls()?;
    controls.confirm_clock(by, given_reason(matches)).await?;
    output.show(&json!({"confirmed": true}), || {
        "The time is confirmed".to_owned()
    });
    Ok(Exit::Done)
}

pub(crate) async fn mode_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if let Some(mode) = matches.get_one::<String>("mode") {
        let (actor, key) = (global.state.actor()?, global.state.key()?);
        let by = key.as_ref().map_or_else(
            || Decider::claimed(&actor),
            |key| Decider::with_key(&actor, key),
        );
        let (mode, controls) = if mode == "execute" {
            (Mode::Execute, global.state.controls()?)
        } else {
            // To stop sends takes no policy, and no proof.
            (Mode::Observe, global.state.controls_to_stop()?)
        };
        let by = if mode == Mode::Observe {
            Decider::claimed(&actor)
        } else {
            by
        };
        let set = controls.set_mode(mode, by, given_reason(matches)).await;
        set.map_err(|error| not_set(mode, error))?;
    }
    let journal = global.state.journal_to_stop()?;
    let (by_file, state) = (journal.is_stopped().await?, journal.state().await?);
    let directory = global.state.directory()?;
    let stopped = match (&state.killed, by_file) {
        (Some(_), _) => "; stopped by the kill switch".to_owned(),
        (None, true) => format!("; stopped by {KILL_FILE}, so nothing is sent"),
        (None, false) => String::new(),
    };
    let place = directory.display().to_string();
    output.show(
        &json!({
            "mode": state.mode,
            "stopped": state.killed,
            "kill_file": by_file,
            "state_dir": place,
        }),
        || format!("{} in {}{stopped}", word(state.mode), printable(&place)),
    );
    Ok(Exit::Done)
}

/// Why the mode is not set. Who wanted sends to stop is told what stops them all the same.
fn not_set(mode: Mode, error: ModeError) -> Failure {
    let is_unwritten = matches!(&error, ModeError::Commit(CommitError::Journal(_)));
    let failure = Failure::from(error);
    if is_unwritten && mode == Mode::Observe {
        return failure.command(
            "kill-switch on --reason TEXT",
            "stops sends also where no journal can be written: the mode is as it was",
        );
    }
    failure
}

pub(crate) async fn kill_switch_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match matches.subcommand() {
        Some(("on", matches)) => {
            let controls = global.state.controls_to_stop()?;
            let stop = controls
                .stop(&global.state.actor()?, given_reason(matches))
                .await?;
            stopped(&stop, global, output)
        }
        Some(("reset", matches)) => {
            let (actor, key) = (global.state.actor()?, global.state.key()?);
            let by = key.as_ref().map_or_else(
                || Decider::claimed(&actor),
                |key| Decider::with_key(&actor, key),
            );
            global
                .state
                .controls()?
                .reset(by, given_reason(matches))
                .await?;
            status(global, output).await
        }
        _ => status(global, output).await,
    }
}

async fn status(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let journal = global.state.journal_to_stop()?;
    let by_file = journal.is_stopped().await?;
    let state = journal.state().await.map_err(|error| {
        // The file stops whatever the journal says.
        let text = match by_file {
            true => format!("stopped by {KILL_FILE}"),
            false => format!("not stopped by {KILL_FILE}; what the journal says is not known"),
        };
        Failure::from(error).lines(vec![text])
    })?;
    let json = json!({
        "stopped": by_file || state.killed.is_some(),
        "by": state.killed,
        "kill_file": by_file,
        "mode": state.mode,
    });
    output.show(&json, || status_text(&state, by_file));
    Ok(Exit::Done)
}

fn status_text(state: &State, by_file: bool) -> String {
    match (&state.killed, by_file) {
        (Some(killed), _) => {
            let (by, at) = (&killed.by, when(killed.at));
            format!(
                "Stopped by {by} (identity claimed) at {at}: {}",
                printable(&killed.reason)
            )
        }
        (None, true) => format!("Stopped by {KILL_FILE}"),
        (None, false) => format!("Not stopped; the mode is {}", word(state.mode)),
    }
}

fn stopped(stop: &Stop, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let directory = global.state.directory()?.display().to_string();
    let unrecorded = stop
        .unrecorded
        .as_ref()
        .map(|error| action_core::report(error));
    let ids_of =
        |statuses: &[Arc<ProposalStatus>]| -> Vec<String> { statuses.iter().map(id).collect() };
    let in_force: Vec<_> = stop.in_force.iter().map(|effect| json!(effect)).collect();
    let may_have_been_sent: Vec<String> = stop.may_have_been_sent().map(id).collect();
    let json = json!({
        "stopped": true,
        "state_dir": directory,
        "unrecorded": unrecorded,
        "cancelled": ids_of(&stop.cancelled),
        "in_motion": ids_of(&stop.in_motion),
        "may_have_been_sent": may_have_been_sent,
        "still_sending": stop.still_sending,
        "in_force": in_force,
    });
    output.show(&json, || stop_text(stop, &directory, unrecorded.as_deref()));
    Ok(if stop.still_sending.is_empty() {
        Exit::Done
    } else {
        Exit::Unknown
    })
}

fn id(status: &Arc<ProposalStatus>) -> String {
    status.proposal.id.clone()
}

fn stop_text(stop: &Stop, directory: &str, unrecorded: Option<&str>) -> String {
    let rows = |ids: Vec<String>| ids.into_iter().map(|id| vec![id]).collect();
    let ids_of = |statuses: &[Arc<ProposalStatus>]| statuses.iter().map(id).collect();
    let senders = stop.still_sending.iter().map(ToString::to_string);
    let (mut sent, unsure): (Vec<String>, Vec<String>) = (
        ids_of(&stop.in_motion),
        stop.may_have_been_sent().map(id).collect(),
    );
    sent.retain(|id| !unsure.contains(id));
    let us = program().name;
    let effects = stop.in_force.iter();
    let effects = effects
        .map(|effect| vec![effect.id.clone(), effect.key.clone()])
        .collect();
    let parts = [
        Some(format!(
            "Stopped: nothing {} is sent from {}",
            if stop.still_sending.is_empty() {
                "more"
            } else {
                "else"
            },
            printable(directory)
        )),
        unrecorded.map(|error| format!("Not in the journal, by its `KILL` file alone: {error}")),
        section(
            "May still send: look at that process, or end it",
            rows(senders.collect()),
        ),
        section("Cancelled", rows(ids_of(&stop.cancelled))),
        section("Sent before, and goes on", rows(sent)),
        section(
            &format!(
                "May have been sent; `{us} proposals show ID` shows how it ended, once that is known"
            ),
            rows(unsure),
        ),
        section(
            &format!("Still in force; `{us} undo ID` takes it back"),
            effects,
        ),
        Some(
            "Other state directories, and what others do to the cluster, are not covered"
                .to_owned(),
        ),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Execute => "execute",
        _ => "observe",
    }
}
