//! The command line.

use action_core::{ActionDefinition, Catalogue};
use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};

use crate::connect::Connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{Format, Out};
use crate::state::State;
use crate::{actions, demo, flags, plan, recover, run};

/// Flags that every command has.
#[derive(Debug, clap::Args)]
struct Global {
    /// What data on stdout looks like; everything else is on stderr
    #[arg(short, long, value_enum, default_value = "table", global = true)]
    output: Format,

    #[command(flatten)]
    connection: Connection,
}

/// What a command for one action works with.
pub(crate) struct Call {
    /// The action.
    pub(crate) definition: ActionDefinition,
    /// All of them.
    pub(crate) definitions: Vec<ActionDefinition>,
    /// Where it goes.
    pub(crate) connection: Connection,
}

/// Reads the command line and does what it says.
pub(crate) fn main() -> Exit {
    let matches = command().get_matches();
    let global = Global::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut out = Out::new(global.output);
    let exit = dispatch(&matches, &global, &mut out).unwrap_or_else(|failure| {
        failure.tell(&mut out);
        failure.exit
    });
    out.finish(exit)
}

fn command() -> Command {
    Global::augment_args(Command::new("operator"))
        .version(env!("CARGO_PKG_VERSION"))
        .about("Plans, runs and proves operations on a TiKV cluster")
        .after_help(Exit::help())
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(actions::command())
        .subcommand(
            for_actions("plan")
                .about("Show what an action would do; changes nothing")
                .defer(|command| with_actions(command, true)),
        )
        .subcommand(
            State::augment_args(run::Confirm::augment_args(for_actions("run")))
                .about("Run an action, follow it and prove its outcome")
                .defer(|command| with_actions(command, false)),
        )
        .subcommand(recover::command())
        .subcommand(demo::command())
}

fn for_actions(name: &'static str) -> Command {
    Command::new(name)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("ACTION")
        .subcommand_help_heading("Actions")
}

/// A subcommand for every action. Those that cannot be planned are known and not shown.
fn with_actions(command: Command, planned: bool) -> Command {
    let actions = crate::definitions()
        .into_iter()
        .map(|definition| flags::command(&definition).hide(planned && !definition.is_mutation()));
    command.subcommands(actions)
}

fn dispatch(matches: &ArgMatches, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let connection = &global.connection;
    match matches.subcommand() {
        Some(("actions", matches)) => actions::main(matches, out),
        Some(("plan", matches)) => {
            let (call, matches) = call(matches, connection)?;
            block_on(plan::main(call, matches, out))
        }
        Some(("run", matches)) => {
            let confirm = parsed::<run::Confirm>(matches);
            let state = parsed::<State>(matches);
            let (call, matches) = call(matches, connection)?;
            block_on(run::main(call, matches, &confirm, &state, out))
        }
        Some(("recover", matches)) => {
            block_on(recover::main(connection, &parsed::<State>(matches), out))
        }
        Some(("demo", _)) => block_on(demo::main(out)),
        _ => Err(Failure::usage("no such command")),
    }
}

fn call<'a>(
    matches: &'a ArgMatches,
    connection: &Connection,
) -> Result<(Call, &'a ArgMatches), Failure> {
    let (name, matches) = matches
        .subcommand()
        .ok_or_else(|| Failure::usage("no action was named"))?;
    let definitions = crate::definitions();
    let definition = definitions
        .iter()
        .find(|definition| definition.name == name);
    let definition = definition
        .cloned()
        .ok_or_else(|| Failure::usage(format!("there is no action `{name}`")))?;
    let call = Call {
        definition,
        definitions,
        connection: connection.clone(),
    };
    Ok((call, matches))
}

/// Arguments that were declared by the same type.
fn parsed<T: clap::FromArgMatches>(matches: &ArgMatches) -> T {
    T::from_arg_matches(matches).unwrap_or_else(|error| error.exit())
}

fn block_on(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, "runtime", error.to_string()))?
        .block_on(command)
}

/// Refuses a system that is not the one asked for. Asks it only when one was asked for.
pub(crate) async fn check_system(call: &Call, catalogue: &Catalogue) -> Result<(), Failure> {
    if call.connection.cluster_id.is_some() {
        let system = catalogue.identity(&call.definition.name).await?;
        call.connection.check_system(&system)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        super::command().debug_assert();
    }
}
