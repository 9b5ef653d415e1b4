//! Arguments that several verbs share.

use std::time::Duration;

use action_core::{ActionDefinition, Role};
use clap::{Arg, ArgMatches, Args as _, Command};

use crate::settings::connection::all_settings;
pub(crate) use crate::terminal::lengths::length;
use crate::terminal::observed::View;
use crate::terminal::output::{Format, Output};
use crate::{flags, subjects};

/// The argument that says which proposal.
pub(crate) fn id() -> Arg {
    Arg::new("id")
        .required(true)
        .value_name("ID")
        .help("Id of the proposal, or enough of its beginning or end to be unambiguous")
}

/// The same, where leaving it out shows which there are.
pub(crate) fn optional_id() -> Arg {
    id().required(false)
}

/// What [`optional_id`] was given.
pub(crate) fn id_if_given(matches: &ArgMatches) -> Option<&str> {
    matches.get_one::<String>("id").map(String::as_str)
}

/// What [`id`] was given.
pub(crate) fn given_id(matches: &ArgMatches) -> &str {
    matches.get_one::<String>("id").map_or("", String::as_str)
}

/// The argument that says why.
pub(crate) fn reason(required: bool) -> Arg {
    Arg::new("reason")
        .long("reason")
        .value_name("TEXT")
        .required(required)
        .help("Reason, recorded in the journal")
}

/// What [`reason`] was given.
pub(crate) fn given_reason(matches: &ArgMatches) -> &str {
    let reason = matches.get_one::<String>("reason");
    reason.map_or("", String::as_str)
}

/// Who says yes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Confirm {
    /// Do not ask for confirmation; never replaces an approval
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// Show the whole plan even when no confirmation is needed
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    /// Reason, recorded in the journal
    #[arg(long, value_name = "TEXT", global = true)]
    pub(crate) reason: Option<String>,

    /// Id that links it to other requests and to your own records
    #[arg(long, value_name = "TEXT", global = true)]
    pub(crate) correlation_id: Option<String>,

    /// Lease of a lasting effect, such as `2h`; `reap` takes it back afterwards
    #[arg(long, value_name = "TIME", global = true, value_parser = lease)]
    pub(crate) lease: Option<Duration>,

    /// Wait this long for a required approval, such as `15m`
    #[arg(long, value_name = "TIME", global = true, value_parser = length)]
    pub(crate) wait: Option<Duration>,
}

impl Confirm {
    /// Whether nothing is asked, and no more is shown than is needed.
    pub(crate) fn is_silent(&self) -> bool {
        self.yes && !self.verbose
    }
}

/// How long a lasting effect may stay. What ends before anybody could look at it is a slip.
fn lease(text: &str) -> Result<Duration, String> {
    let lease = length(text)?;
    if lease < Duration::from_secs(1) {
        return Err(format!(
            "invalid lease `{text}`: use 1s or longer, such as 15m or 2h"
        ));
    }
    Ok(lease)
}

pub(crate) fn for_actions(name: &'static str) -> Command {
    Command::new(name)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("ACTION")
        .subcommand_help_heading("Actions")
}

/// What can be done, for commands with the flags of actions. Without such commands the process
/// ends when there is an action that no flags can be made for.
pub(crate) fn definitions() -> &'static [ActionDefinition] {
    let definitions = subjects::definitions();
    if let Err(failure) = flags::check_names(definitions, &all_settings()) {
        let mut output = Output::new(Format::Table);
        failure.print(&mut output);
        std::process::exit(output.finish(failure.exit).code().into());
    }
    definitions
}

/// Whether an action looks for what is not as it should be: it is answered alike by whichever verb
/// it is asked.
pub(crate) fn are_findings(definition: &ActionDefinition) -> bool {
    matches!(definition.role, Some(Role::Diagnose | Role::Leftovers))
}

/// A subcommand for every action. Those that cannot be planned are known and not shown.
pub(crate) fn with_actions(command: Command, planned: bool) -> Command {
    let actions = definitions().iter().map(|definition| {
        let action = flags::subcommand(definition);
        match definition.is_mutation() || are_findings(definition) {
            true => action,
            false if planned => action.hide(true),
            false => View::augment_args(action),
        }
    });
    command.subcommands(actions)
}
