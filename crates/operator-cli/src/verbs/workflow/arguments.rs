//! What `operator workflow` takes.

use std::path::PathBuf;

use action_core::{ActionDefinition, Role};
use clap::{Arg, ArgAction, Command, value_parser};
use jiff::Timestamp;

use crate::arguments::{definitions, reason};
use crate::flags;

pub(crate) fn command() -> Command {
    Command::new("workflow")
        .about("Run work in several steps: start, watch, confirm, resume, take back")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("list").about("List started and available workflows"),
            made("show").about("Show the steps of a workflow without starting it"),
            start(),
            Command::new("status")
                .about("Show the state of a started workflow")
                .arg(id()),
            Command::new("resume")
                .about("Continue a started workflow, also after a crash")
                .args([id(), wait(), reason(false)])
                .arg(
                    Arg::new("retry")
                        .long("retry")
                        .action(ArgAction::SetTrue)
                        .requires("reason")
                        .help("Retry failed steps, but none whose outcome is unknown"),
                ),
            Command::new("cancel")
                .about("Stop a workflow before its next step; what it did stays")
                .args([id().requires("reason"), reason(false)]),
            Command::new("confirm")
                .about("Confirm that the manual work of a step is done")
                .arg(id())
                .arg(Arg::new("step").value_name("STEP").help("The step"))
                .arg(
                    Arg::new("note")
                        .long("note")
                        .value_name("TEXT")
                        .help("What was done, recorded in the journal"),
                ),
            Command::new("compensate")
                .about("Take back the changes of a workflow, last first")
                .args([id().requires("reason"), wait(), reason(false)]),
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
        .about("Start a workflow and run it until it needs a person")
        .args([
            reason(false).global(true),
            wait().global(true),
            time(
                "scheduled-at",
                "Earliest start, such as 2026-11-30T02:00:00Z",
            )
            .global(true),
            time("begin-by", "Latest start").global(true),
            Arg::new("yes")
                .long("yes")
                .short('y')
                .action(ArgAction::SetTrue)
                .global(true)
                .help("Do not ask for confirmation; never replaces an approval"),
            Arg::new("detach")
                .long("detach")
                .action(ArgAction::SetTrue)
                .global(true)
                .help("Only record it; `operator workflow resume` runs it"),
        ])
}

fn wait() -> Arg {
    Arg::new("wait-for-people")
        .long("wait-for-people")
        .action(ArgAction::SetTrue)
        .help("Keep running while it waits for people or a start time")
}

/// A command about a workflow that is not started: one that an action makes, or one in a file.
fn made(name: &'static str) -> Command {
    let file = Arg::new("file")
        .long("file")
        .short('f')
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Workflow file, in TOML or, if named `.json`, JSON");
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
        .value_name("ID")
        .help("Id of the workflow, or enough of its beginning or end")
}
