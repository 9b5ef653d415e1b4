//! The command line.

use action_core::{ActionDefinition, Catalogue};
use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};

use crate::connect::Connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{Format, Out};
use crate::settings::Global;
use crate::{
    actions, aftermath, completions, decide, demo, doctor, flags, journal, plan, policy, proposals,
    recover, run, sim, switch, why, workflow,
};

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
    let given = global.output.unwrap_or(Format::Table);
    let (mut out, done) = match global.resolve() {
        Ok(global) => {
            let mut out = Out::new(global.output.unwrap_or(Format::Table));
            let done = dispatch(&matches, &global, &mut out);
            (out, done)
        }
        Err(failure) => (Out::new(given), Err(failure)),
    };
    let exit = done.unwrap_or_else(|failure| {
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
            run::Confirm::augment_args(for_actions("run"))
                .about("Run an action, follow it and prove its outcome")
                .defer(|command| with_actions(command, false)),
        )
        .subcommand(proposals::command())
        .subcommand(decide::approve())
        .subcommand(decide::reject())
        .subcommand(decide::cancel())
        .subcommand(aftermath::undo())
        .subcommand(recover::command())
        .subcommand(aftermath::resolve())
        .subcommand(aftermath::release())
        .subcommand(aftermath::reap())
        .subcommand(switch::mode())
        .subcommand(switch::kill_switch())
        .subcommand(workflow::command())
        .subcommand(journal::command())
        .subcommand(policy::command())
        .subcommand(why::command())
        .subcommand(doctor::command())
        .subcommand(completions::command())
        .subcommand(demo::command())
        .subcommand(sim::command())
}

fn for_actions(name: &'static str) -> Command {
    Command::new(name)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("ACTION")
        .subcommand_help_heading("Actions")
}

/// A subcommand for every action. Those that cannot be planned are known and not shown.
pub(crate) fn with_actions(command: Command, planned: bool) -> Command {
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
            let (call, matches) = call(matches, connection)?;
            block_on(run::main(call, matches, &confirm, global, out))
        }
        Some(("proposals", matches)) => block_on(proposals::main(matches, global, out)),
        Some((verb @ ("approve" | "reject" | "cancel"), matches)) => {
            block_on(decide::main(verb, matches, global, out))
        }
        Some(("undo", matches)) => {
            let confirm = parsed::<run::Confirm>(matches);
            block_on(aftermath::undo_main(matches, &confirm, global, out))
        }
        Some(("recover", _)) => block_on(recover::main(global, out)),
        Some(("resolve", matches)) => block_on(aftermath::resolve_main(matches, global, out)),
        Some(("release", matches)) => block_on(aftermath::release_main(matches, global, out)),
        Some(("reap", _)) => block_on(aftermath::reap_main(global, out)),
        Some(("mode", matches)) => block_on(switch::mode_main(matches, global, out)),
        Some(("kill-switch", matches)) => block_on(switch::kill_switch_main(matches, global, out)),
        Some(("workflow", matches)) => block_on(workflow::main(matches, global, out)),
        Some(("journal", matches)) => block_on(journal::main(matches, global, out)),
        Some(("policy", matches)) => match matches.subcommand() {
            Some(("explain", matches)) => {
                let (call, matches) = call(matches, connection)?;
                block_on(policy::explain(&call, matches, global, out))
            }
            _ => policy::check(global, out),
        },
        Some(("why", matches)) => block_on(why::main(matches, global, out)),
        Some(("doctor", matches)) => block_on(doctor::main(matches, global, out)),
        Some(("completions", matches)) => completions::main(matches, command()),
        Some(("demo", _)) => block_on(demo::main(out)),
        Some(("sim", matches)) => block_on(sim::main(matches, out)),
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
