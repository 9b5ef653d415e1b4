//! What `operator workflow` takes.

use std::path::PathBuf;

use action_core::{ActionDefinition, Role};
use clap::{Arg, ArgAction, Command, value_parser};
use jiff::Timestamp;

use crate::arguments::{definitions, reason};
use crate::flags;

pub(crate) fn command() -> Command {
    Command::new("workflow")
        .about("Start, watch, confirm, resume and take back work in several steps")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("list").about("List what was started, and what can be"),
            made("show").about("Show the steps of a workflow; starts nothing"),
            start(),
            Command::new("status")
                .about("Show how one that was started stands")
                .arg(id()),
            Command::new("resume")
                .about("Go on with one that was started, after a crash too")
                .args([id(), wait(), reason(false)])
                .arg(
                    Arg::new("retry")
                        .long("retry")
                        .action(ArgAction::SetTrue)
                        .requires("reason")
                        .help("Try again what failed; nothing whose outcome is unknown"),
                ),
            Command::new("cancel")
                .about("Let one end at its next step; what it did stays")
                .args([id(), reason(true)]),
            Command::new("confirm")
                .about("Say that what a step waits for somebody to do is done")
                .arg(id())
                .arg(
                    Arg::new("step")
                        .required(true)
                        .value_name("STEP")
                        .help("The step"),
                )
                .arg(
                    Arg::new("note")
                        .long("note")
                        .value_name("TEXT")
                        .help("What was done, for the journal"),
                ),
            Command::new("compensate")
                .about("Take back what one did, as far as that is its own, the last first")
                .args([id(), wait(), reason(true)]),
        ])
}

fn start() -> Command {
    let time = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("TIME")
            .value_parser(value_parser!(Timestamp))
            .help(help)
    };
    made("start")
        .about("Start a workflow and go on with it as far as it goes without people")
        .args([
            reason(false).global(true),
            wait().global(true),
            time(
                "scheduled-at",
                "Do not begin before this, such as 2026-11-30T02:00:00Z",
            )
            .global(true),
            time("begin-by", "Do not begin after this").global(true),
            Arg::new("yes")
                .long("yes")
                .short('y')
                .action(ArgAction::SetTrue)
                .global(true)
                .help("Do not ask where a step is of high risk. Never stands for an approval"),
            Arg::new("detach")
                .long("detach")
                .action(ArgAction::SetTrue)
                .global(true)
                .help("Only start it; `operator workflow resume` goes on with it"),
        ])
}

fn wait() -> Arg {
    Arg::new("wait-for-people")
        .long("wait-for-people")
        .action(ArgAction::SetTrue)
        .help("Stay, also while people or a date are waited for")
}

/// A command about a workflow that is not started: one that an action makes, or one in a file.
fn made(name: &'static str) -> Command {
    let file = Arg::new("file")
        .long("file")
        .short('f')
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("A workflow in TOML, or in JSON if the file is named so");
    Command::new(name)
        .arg(file)
        .arg_required_else_help(true)
        .args_conflicts_with_subcommands(false)
        .subcommand_value_name("WORKFLOW")
        .subcommand_help_heading("Workflows")
        .defer(|command| command.subcommands(makers().into_iter().map(flags::subcommand)))
}

/// The actions that make workflows.
pub(super) fn makers() -> Vec<&'static ActionDefinition> {
    let definitions = definitions().iter();
    definitions
        .filter(|definition| definition.role == Some(Role::Workflow))
        .collect()
}

fn id() -> Arg {
    Arg::new("id")
        .required(true)
        .value_name("ID")
        .help("Its id, or the beginning or end of it")
}
