//! `operator mode` and `operator clock`: whether anything may be sent.

use action_core::printable;
use action_guard::{
    CommitError, Controls, Decider, Killed, Mode, ModeError, State, Switch, Target,
};
use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::arguments::{given_reason, reason};
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::values::when;
use crate::verbs::pause;

/// What stops everything by being there.
pub(super) const KILL_FILE: &str = "a `KILL` file in the state directory";

/// For what it holds.
pub(super) const FOR_ONE: &str = "With `--cluster NAME` it applies to that cluster, otherwise to all clusters. A stop of all clusters stops each of them.";

pub(crate) fn mode() -> Command {
    Command::new("mode")
        .about("Show or set whether this state directory may send changes")
        .after_help(FOR_ONE)
        .arg(
            Arg::new("mode")
                .value_parser(["observe", "execute"])
                .help("observe: nothing is sent; execute: what the policy allows is sent"),
        )
        .arg(reason(false).requires("mode"))
}

pub(crate) fn clock() -> Command {
    Command::new("clock")
        .about("Confirm the time after the clock jumped by more than an hour")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("confirm")
                .about("Confirm that the clock is right; stops work without it")
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
        .ok_or_else(|| Failure::usage("unknown command"))?;
    let (actor, key) = (global.state.actor()?, global.state.key()?);
    let by = key.as_ref().map_or_else(
        || Decider::claimed(&actor),
        |key| Decider::with_key(&actor, key),
    );
    let controls = global.state.controls()?;
    controls.confirm_clock(by, given_reason(matches)).await?;
    output.show(&json!({"confirmed": true}), || "Time confirmed".to_owned());
    Ok(Exit::Done)
}

pub(crate) async fn mode_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let only = global.connection.only()?;
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
        let controls = for_whom(controls, only.as_ref());
        let set = controls.set_mode(mode, by, given_reason(matches)).await;
        set.map_err(|error| not_set(mode, error))?;
    } else {
        global.state.must_exist()?;
    }
    let journal = global.state.journal_to_stop()?;
    let (by_file, state) = (journal.is_stopped().await?, journal.state().await?);
    let (kind, place) = global.state.place()?;
    show(&state, by_file, (kind, &place), output);
    Ok(Exit::Done)
}

/// Shows the mode, of a place that data calls so.
pub(super) fn show(state: &State, by_file: bool, (kind, place): (&str, &str), output: &mut Output) {
    let stopped = match (&state.killed, by_file) {
        (Some(_), _) => "; stopped by the kill switch".to_owned(),
        (None, true) => format!("; stopped by {KILL_FILE}, so nothing is sent"),
        (None, false) => String::new(),
    };
    let clusters: Vec<&Switch> = state.switches.values().collect();
    output.show(
        &json!({
            "mode": state.mode,
            "stopped": state.killed,
            "kill_file": by_file,
            kind: place,
            "clusters": clusters,
            "paused": pause::in_force(state),
        }),
        || {
            let all = format!("{} in {}{stopped}", word(state.mode), printable(place));
            with_clusters(all, state)
        },
    );
}

/// The same controls; for one cluster alone, where one is meant.
pub(super) fn for_whom(controls: Controls, only: Option<&Target>) -> Controls {
    match only {
        Some(target) => controls.of_cluster(target.clone()),
        None => controls,
    }
}

/// How everything stands, and below it how it stands for each cluster that was ever switched by itself,
/// and which agents are paused.
pub(super) fn with_clusters(all: String, state: &State) -> String {
    let one = |switch: &Switch| {
        let name = printable(switch.target.called()).into_owned();
        match &switch.killed {
            Some(killed) => stopped_by(&format!("{name}: stopped"), killed),
            None => format!("{name}: {}", word(switch.mode)),
        }
    };
    let clusters = state.switches.values().map(one);
    let paused = pause::in_force(state).into_iter().map(pause::line);
    let lines = std::iter::once(all).chain(clusters).chain(paused);
    lines.collect::<Vec<_>>().join("\n")
}

/// Why the mode is not set. Who wanted sends to stop is told what stops them all the same.
fn not_set(mode: Mode, error: ModeError) -> Failure {
    let is_unwritten = matches!(&error, ModeError::Commit(CommitError::Journal(_)));
    let failure = Failure::from(error);
    if is_unwritten && mode == Mode::Observe {
        return failure.command(
            "kill-switch on --reason TEXT",
            "stops changes even if the journal cannot be written; the mode is unchanged",
        );
    }
    failure
}

/// Who stopped it, when, and why.
pub(super) fn stopped_by(stopped: &str, killed: &Killed) -> String {
    let (by, at) = (&killed.by, when(killed.at));
    let reason = printable(&killed.reason);
    let proven = by.proven_by();
    format!("{stopped} by {by} ({proven}) at {at}: {reason}")
}

pub(super) fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Execute => "execute",
        _ => "observe",
    }
}
