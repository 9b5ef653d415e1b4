//! `operator kill-switch`: stops everything, or one cluster, and ends that.

use std::sync::Arc;

use action_core::printable;
use action_guard::{
    ActiveEffect, CommitError, Decider, ProposalStatus, Refusal, Sender, State, Stop, Target,
};
use clap::{ArgMatches, Command};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::arguments::{given_reason, reason};
use crate::program::program;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::table::section;
use crate::verbs::mode::{FOR_ONE, KILL_FILE, for_whom, stopped_by, with_clusters, word};
use crate::verbs::pause;

pub(crate) fn kill_switch() -> Command {
    Command::new("kill-switch")
        .about("Stop all changes at once, in every process that uses this state directory")
        .after_help(FOR_ONE)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("on")
                .about("Stop: no process sends anything, open proposals are cancelled; contacts no system")
                .arg(reason(true)),
            Command::new("status").about("Show whether changes are stopped, and what is still in progress"),
            Command::new("reset")
                .about("End the stop; the mode is then observe")
                .arg(reason(true)),
        ])
}

pub(crate) async fn kill_switch_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match matches.subcommand() {
        Some(("on", matches)) => {
            let only = global.connection.only()?;
            let controls = for_whom(global.state.controls_to_stop()?, only.as_ref());
            let stop = controls
                .stop(&global.state.actor()?, given_reason(matches))
                .await;
            let stop = stop.map_err(|error| not_stopped(only.as_ref(), error))?;
            let (kind, place) = global.state.place()?;
            let place = (kind, &*place);
            Ok(stopped(&Met::of(&stop), only.as_ref(), place, output))
        }
        Some(("reset", matches)) => {
            let (actor, key) = (global.state.actor()?, global.state.key()?);
            let by = key.as_ref().map_or_else(
                || Decider::claimed(&actor),
                |key| Decider::with_key(&actor, key),
            );
            let only = global.connection.only()?;
            let controls = for_whom(global.state.controls()?, only.as_ref());
            let reset = controls.reset(by, given_reason(matches)).await;
            let state = controls.state().await;
            reset.map_err(|error| not_reset(only.as_ref(), error, state.ok().as_deref()))?;
            status(global, output).await
        }
        _ => {
            global.state.must_exist()?;
            status(global, output).await
        }
    }
}

/// Why one cluster is not stopped: that takes the journal. All are stopped without it, too.
fn not_stopped(only: Option<&Target>, error: CommitError) -> Failure {
    let failure = Failure::from(error);
    match only {
        Some(_) => failure.command(
            "kill-switch on --reason TEXT",
            "stops all clusters, even if the journal cannot be written; this cluster is not stopped",
        ),
        None => failure,
    }
}

/// Why a stop is not over, and which one there is where it is another.
fn not_reset(only: Option<&Target>, error: CommitError, state: Option<&State>) -> Failure {
    let is_none = matches!(&error, CommitError::Refused(Refusal::NotKilled));
    let failure = Failure::from(error);
    let Some(state) = state.filter(|_| is_none) else {
        return failure;
    };
    let mut switches = state.switches.values();
    let other = switches.find(|switch| switch.killed.is_some());
    match (only, other) {
        (Some(_), _) if state.killed.is_some() => failure.command(
            "kill-switch reset --reason TEXT",
            "ends the stop of all clusters; this cluster has no stop of its own",
        ),
        (None, Some(other)) => failure.command(
            format!(
                "kill-switch reset --cluster {} --reason TEXT",
                other.target.called()
            ),
            "ends the stop of that cluster; there is no stop of all clusters",
        ),
        _ => failure,
    }
}

async fn status(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let journal = global.state.journal_to_stop()?;
    let by_file = journal.is_stopped().await?;
    let state = journal.state().await.map_err(|error| {
        // The file stops whatever the journal says.
        let text = match by_file {
            true => format!("stopped by {KILL_FILE}"),
            false => format!("not stopped by {KILL_FILE}; the journal cannot be read"),
        };
        Failure::from(error).lines(vec![text])
    })?;
    show_status(&state, by_file, output);
    Ok(Exit::Done)
}

/// Shows whether everything is stopped.
pub(super) fn show_status(state: &State, by_file: bool, output: &mut Output) {
    let json = json!({
        "stopped": by_file || state.killed.is_some(),
        "by": state.killed,
        "kill_file": by_file,
        "mode": state.mode,
        "clusters": state.switches.values().collect::<Vec<_>>(),
        "paused": pause::in_force(state),
    });
    output.show(&json, || with_clusters(status_text(state, by_file), state));
}

fn status_text(state: &State, by_file: bool) -> String {
    match (&state.killed, by_file) {
        (Some(killed), _) => stopped_by("Stopped", killed),
        (None, true) => format!("Stopped by {KILL_FILE}"),
        (None, false) => format!("Not stopped; the mode is {}", word(state.mode)),
    }
}

/// What a stop met, as data.
#[derive(Serialize, Deserialize)]
pub(super) struct Met {
    unrecorded: Option<String>,
    cancelled: Vec<String>,
    in_motion: Vec<String>,
    may_have_been_sent: Vec<String>,
    still_sending: Vec<Sender>,
    in_force: Vec<ActiveEffect>,
}

impl Met {
    fn of(stop: &Stop) -> Self {
        let ids = |statuses: &[Arc<ProposalStatus>]| statuses.iter().map(id).collect();
        let unrecorded = stop.unrecorded.as_ref();
        let in_force = stop.in_force.iter();
        Self {
            unrecorded: unrecorded.map(|error| action_core::report(error)),
            cancelled: ids(&stop.cancelled),
            in_motion: ids(&stop.in_motion),
            may_have_been_sent: stop.may_have_been_sent().map(id).collect(),
            still_sending: stop.still_sending.clone(),
            in_force: in_force.map(|effect| ActiveEffect::clone(effect)).collect(),
        }
    }
}

/// Shows what a stop met, in a place that data calls so.
pub(super) fn stopped(
    met: &Met,
    only: Option<&Target>,
    (kind, place): (&str, &str),
    output: &mut Output,
) -> Exit {
    let mut json = json!(met);
    json["stopped"] = json!(true);
    json["cluster"] = json!(only.and_then(|target| target.cluster.as_ref()));
    json[kind] = json!(place);
    output.show(&json, || stop_text(met, only, place));
    if met.still_sending.is_empty() {
        Exit::Done
    } else {
        Exit::Unknown
    }
}

fn id(status: &Arc<ProposalStatus>) -> String {
    status.proposal.id.clone()
}

fn stop_text(met: &Met, only: Option<&Target>, place: &str) -> String {
    let rows = |ids: &[String]| ids.iter().map(|id| vec![id.clone()]).collect();
    let senders: Vec<String> = met.still_sending.iter().map(ToString::to_string).collect();
    let (mut sent, unsure) = (met.in_motion.clone(), &met.may_have_been_sent);
    sent.retain(|id| !unsure.contains(id));
    let us = program().name;
    let effects = met.in_force.iter();
    let effects = effects
        .map(|effect| vec![effect.id.clone(), effect.key.clone()])
        .collect();
    let parts = [
        Some(format!(
            "Stopped: nothing {} is sent {}from {}",
            if senders.is_empty() { "more" } else { "else" },
            only.map_or_else(String::new, |target| {
                format!("to {} ", printable(target.called()))
            }),
            printable(place)
        )),
        met.unrecorded.as_ref().map(|error| {
            format!("Stopped by the `KILL` file only; the journal has no record of it: {error}")
        }),
        section(
            "These processes may still send: check them, or end them",
            rows(&senders),
        ),
        section("Cancelled", rows(&met.cancelled)),
        section("Sent before the stop and still in progress", rows(&sent)),
        section(
            &format!(
                "May have been sent; `{us} proposals show ID` shows the outcome once it is known"
            ),
            rows(unsure),
        ),
        section(
            &format!("Still in force; take it back with `{us} undo ID`"),
            effects,
        ),
        Some("Not covered: other state directories, and changes by others".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}
