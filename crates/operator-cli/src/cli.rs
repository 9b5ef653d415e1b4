//! The command line.

mod completion;
mod meant;
mod not_understood;
mod runtime;
mod topics;

use std::ffi::OsString;
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};
use clap_complete::env::CompleteEnv;
use jiff::Timestamp;
use serde_json::json;

use crate::arguments::{Confirm, for_actions, with_actions};
use crate::call::call;
use crate::cli::completion::with_candidates;
use crate::cli::not_understood::not_understood;
use crate::cli::runtime::block_on;
use crate::program::{self, Program, program};
use crate::settings::{Global, hint};
use crate::subjects;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::{Format, Output};
#[cfg(feature = "proxy")]
use crate::verbs::at_gate;
use crate::verbs::kill_switch::kill_switch_main;
use crate::verbs::{
    actions, approve, completions, findings, journal, kill_switch, man, mode, pause, plan, policy,
    proposals, reap, recover, resolve, run, session, token, undo, workflow,
};

impl Program {
    /// Reads the command line and does what it says. Once in a process: a later call runs the program
    /// of the first.
    #[must_use]
    pub fn run(self) -> ExitCode {
        // Nothing goes on after a panic, in whatever thread it is: it is told on stderr, and what was
        // sent is in the journal.
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            tell(panic);
            std::process::exit(Exit::Bug.code().into());
        }));
        program::set(self);
        main().into()
    }

    /// The whole command line, for tests of it and for pages that are made of it.
    ///
    /// # Errors
    /// When subjects cannot be in one command line.
    pub fn command(self) -> Result<Command, Failure> {
        program::set(self);
        subjects::check()?;
        Ok(command())
    }
}

/// Verbs that are about this machine, also where there is a gate.
const HERE: [&str; 5] = ["serve", "link", "completions", "man", "version"];

/// Reads the command line and does what it says.
fn main() -> Exit {
    if is_for_version(std::env::args_os().skip(1)) {
        // As clap says it, without all that is there for the rest.
        let program = program();
        let text = format!("{} {}\n", program.name, program.version);
        return match std::io::stdout().write_all(text.as_bytes()) {
            Ok(()) => Exit::Done,
            Err(_) => Exit::Failed,
        };
    }
    if let Err(failure) = subjects::check() {
        let mut output = Output::new(not_understood::wanted_format(std::env::args_os()));
        failure.print(&mut output);
        return output.finish(failure.exit);
    }
    if let Some(text) = topic(std::env::args_os()) {
        let mut output = Output::new(Format::Table);
        output.narrate(&text);
        return output.finish(Exit::Done);
    }
    subjects::choose(meant::kind(std::env::args_os()));
    // Ends the process where a shell asks.
    CompleteEnv::with_factory(|| with_candidates(command())).complete();
    // Taking it apart takes as long as a fifth of a start, and the process ends without that.
    let mut command = ManuallyDrop::new(command());
    let matches = match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => return not_understood(error, &mut command),
    };
    let global = Global::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let given = global.output.unwrap_or(Format::Table);
    let is_stop = matches.subcommand_name() == Some("kill-switch");
    let resolved = match is_at_a_gate(&matches, &global) {
        true => Ok(global),
        false => global.resolve(is_stop),
    };
    let (mut output, done) = match resolved {
        Ok(global) => {
            let mut output = Output::new(global.output.unwrap_or(Format::Table));
            let clock = check_clock(SystemTime::now()).or_else(|wrong| match is_stop {
                true => Ok(()),
                false => Err(wrong),
            });
            let done = clock.and_then(|()| dispatch(&matches, &global, &mut output));
            (
                output,
                done.map_err(|failure| {
                    let failure = hint::with_hint(failure);
                    failure.leading_to(|words| global.next_command(words))
                }),
            )
        }
        Err(failure) => (Output::new(given), Err(failure)),
    };
    let exit = done.unwrap_or_else(|failure| {
        failure.print(&mut output);
        failure.exit
    });
    output.finish(exit)
}

/// Whether what is asked for is at a gate, where nothing in the config file of this machine counts.
fn is_at_a_gate(matches: &ArgMatches, global: &Global) -> bool {
    let verb = matches.subcommand_name().unwrap_or_default();
    let is_here = HERE.contains(&verb) || program().verbs.contains_key(verb);
    global.server.is_given() && !is_here
}

/// What is to be read about a topic.
fn topic(arguments: impl Iterator<Item = OsString>) -> Option<String> {
    let words = arguments
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    let words: Vec<_> = words.collect();
    match words.as_slice() {
        [help, topic] if help == "help" => topics::text(topic),
        _ => None,
    }
}

/// Whether nothing is asked for but the version.
fn is_for_version(mut arguments: impl Iterator<Item = OsString>) -> bool {
    let is_it = arguments
        .next()
        .is_some_and(|word| word == "--version" || word == "-V");
    is_it && arguments.next().is_none()
}

/// The whole command line.
pub(crate) fn command() -> Command {
    let program = program();
    let command = Global::augment_args(Command::new(program.name));
    let command = command
        .version(program.version)
        .about(about())
        .after_help(format!("{}\n\n{}", Exit::help(), topics::list()))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(actions::command())
        .subcommand(
            for_actions("plan")
                .about("Show what an action would do; changes nothing")
                .defer(|command| with_actions(command, true)),
        )
        .subcommand(
            Confirm::augment_args(for_actions("run"))
                .about("Run an action, follow it and prove its outcome")
                .defer(|command| with_actions(command, false)),
        )
        .subcommand(proposals::command())
        .subcommand(approve::approve())
        .subcommand(approve::reject())
        .subcommand(approve::cancel())
        .subcommand(undo::undo())
        .subcommand(recover::command())
        .subcommand(resolve::resolve())
        .subcommand(resolve::release())
        .subcommand(reap::reap())
        .subcommand(mode::mode())
        .subcommand(kill_switch::kill_switch())
        .subcommand(pause::pause())
        .subcommand(pause::resume())
        .subcommand(mode::clock())
        .subcommand(workflow::command())
        .subcommand(journal::command())
        .subcommand(policy::command())
        .subcommand(findings::why())
        .subcommand(findings::doctor())
        .subcommand(token::command())
        .subcommand(session::command())
        .subcommand(completions::command())
        .subcommand(man::command())
        .subcommand(Command::new("version").about("Show the version of this program"));
    #[cfg(feature = "top")]
    let command = command.subcommand(crate::verbs::top::command());
    #[cfg(feature = "mcp")]
    let command = command.subcommand(crate::verbs::mcp::command());
    #[cfg(feature = "serve")]
    let command = command.subcommand(crate::verbs::serve::command());
    #[cfg(all(feature = "serve", unix))]
    let command = command.subcommand(crate::verbs::link::command());
    command.subcommands(program.verbs.values().map(|verb| verb.command()))
}

fn about() -> String {
    let program = program();
    if !program.about.is_empty() {
        return program.about.clone();
    }
    let titles = program.subjects.iter().map(|kind| kind.title);
    let titles = titles.collect::<Vec<_>>().join(", ");
    format!("Plans, runs and proves operations: {titles}")
}

fn dispatch(matches: &ArgMatches, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    #[cfg(feature = "proxy")]
    if is_at_a_gate(matches, global) && matches.subcommand_name() != Some("mcp") {
        return block_on(at_gate::main(matches, global, output));
    }
    match matches.subcommand() {
        Some(("actions", matches)) => actions::main(matches, output),
        Some(("plan", matches)) => {
            let (call, matches) = call(matches, global)?;
            block_on(plan::main(call, matches, global, output))
        }
        Some(("run", matches)) => {
            let confirm = parsed::<Confirm>(matches);
            let (call, matches) = call(matches, global)?;
            block_on(run::main(call, matches, &confirm, global, output))
        }
        Some(("proposals", matches)) => block_on(proposals::main(matches, global, output)),
        Some((verb @ ("approve" | "reject" | "cancel"), matches)) => {
            block_on(approve::main(verb, matches, global, output))
        }
        Some(("undo", matches)) => {
            let confirm = parsed::<Confirm>(matches);
            block_on(undo::undo_main(matches, &confirm, global, output))
        }
        Some(("recover", _)) => block_on(recover::main(global, output)),
        Some(("resolve", matches)) => block_on(resolve::resolve_main(matches, global, output)),
        Some(("release", matches)) => block_on(resolve::release_main(matches, global, output)),
        Some(("reap", _)) => block_on(reap::reap_main(global, output)),
        Some(("clock", matches)) => block_on(mode::clock_main(matches, global, output)),
        Some(("mode", matches)) => block_on(mode::mode_main(matches, global, output)),
        Some(("kill-switch", matches)) => block_on(kill_switch_main(matches, global, output)),
        Some((verb @ ("pause" | "resume"), it)) => block_on(pause::main(verb, it, global, output)),
        Some(("workflow", matches)) => block_on(workflow::main(matches, global, output)),
        Some(("journal", matches)) => block_on(journal::main(matches, global, output)),
        Some(("policy", matches)) => of_policy(matches, global, output),
        Some(("why", matches)) => block_on(findings::why_main(matches, global, output)),
        Some(("doctor", matches)) => block_on(findings::doctor_main(matches, global, output)),
        #[cfg(feature = "top")]
        Some(("top", matches)) => block_on(crate::verbs::top::main(matches, global)),
        #[cfg(feature = "serve")]
        Some((verb @ ("serve" | "link"), matches)) => of_a_gate(verb, matches, global, output),
        Some(("token", matches)) => block_on(token::main(matches, global, output)),
        Some(("session", matches)) => block_on(session::main(matches, global, output)),
        #[cfg(feature = "mcp")]
        Some(("mcp", matches)) => block_on(crate::verbs::mcp::main(matches, global, output)),
        Some(("man", matches)) => man::main(matches, command(), output),
        Some(("version", _)) => Ok(version(output)),
        Some(("completions", matches)) => completions::main(matches),
        Some((name, matches)) => match program().verbs.get(name) {
            Some(verb) => block_on(verb.main(matches, output)),
            None => Err(Failure::usage("unknown command")),
        },
        None => Err(Failure::usage("unknown command")),
    }
}

/// Serves, or asks who serves on this machine.
#[cfg(feature = "serve")]
fn of_a_gate(
    verb: &str,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match verb {
        #[cfg(unix)]
        "link" => crate::verbs::link::main(matches, global, output),
        _ => block_on(crate::verbs::serve::main(matches, global, output)),
    }
}

/// `policy`, which explains an action or checks all of it.
fn of_policy(matches: &ArgMatches, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    match matches.subcommand() {
        Some(("explain", matches)) => {
            let (call, matches) = call(matches, global)?;
            block_on(policy::explain(&call, matches, global, output))
        }
        Some((_, matches)) => block_on(policy::check(matches, global, output)),
        None => Err(Failure::usage("unknown command")),
    }
}

fn version(output: &mut Output) -> Exit {
    let program = program();
    let json = json!({"name": program.name, "version": program.version});
    output.show(&json, || format!("{} {}", program.name, program.version));
    Exit::Done
}

/// Refuses a clock whose time cannot be written: no record would be at its time.
fn check_clock(shows: SystemTime) -> Result<(), Failure> {
    Timestamp::try_from(shows).map(drop).map_err(|_| {
        let text = "the clock of this machine shows a year after 9999";
        Failure::refused("clock_wrong", text)
            .next("nothing was done; set the clock, then try again. The kill switch works even now")
    })
}

/// Arguments that were declared by the same type.
fn parsed<T: clap::FromArgMatches>(matches: &ArgMatches) -> T {
    T::from_arg_matches(matches).unwrap_or_else(|error| error.exit())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::time::{Duration, SystemTime};

    use crate::flags;

    #[test]
    fn a_clock_beyond_the_year_9999_is_refused() {
        super::check_clock(SystemTime::now()).unwrap();
        let late = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 366 * 9_000);
        let failure = super::check_clock(late).unwrap_err();
        assert!(failure.message().contains("9999"));
    }

    #[test]
    fn a_version_is_asked_for_alone() {
        let is_it = |line: &str| {
            super::is_for_version(
                line.split(' ')
                    .filter(|word| !word.is_empty())
                    .map(OsString::from),
            )
        };
        assert!(is_it("--version") && is_it("-V"));
        assert!(!is_it("") && !is_it("actions list") && !is_it("--version x"));
    }

    #[test]
    fn the_command_line_is_well_formed() {
        super::command().debug_assert();
    }

    /// Below them actions are subcommands, which get their global flags.
    const WITH_ACTIONS: [&[&str]; 6] = [
        &[],
        &["plan"],
        &["run"],
        &["policy", "explain"],
        &["workflow", "show"],
        &["workflow", "start"],
    ];

    #[test]
    fn every_flag_of_a_command_with_actions_is_reserved() {
        let mut all = super::command();
        all.build();
        for path in WITH_ACTIONS {
            let mut command = &all;
            for name in path {
                command = command.find_subcommand(name).unwrap();
            }
            for flag in command.get_arguments().filter_map(|flag| flag.get_long()) {
                let path = path.join(" ");
                assert!(flags::is_reserved(flag), "operator {path} --{flag}");
            }
        }
    }
}
