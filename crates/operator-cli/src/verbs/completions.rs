//! `operator completions`: what a shell needs to complete commands, actions and flags.

use std::io;

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;
use clap_complete::env::Shells;

use crate::program::program;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

pub(crate) fn command() -> Command {
    Command::new("completions")
        .about("Print a completion script for a shell")
        .arg(
            Arg::new("shell")
                .required(true)
                .value_parser(value_parser!(Shell))
                .help("Shell to complete for"),
        )
}

pub(crate) fn main(matches: &ArgMatches) -> Result<Exit, Failure> {
    let shell = matches.get_one::<Shell>("shell").copied();
    let shell = shell.ok_or_else(|| Failure::usage("no shell named"))?;
    let shells = Shells::builtins();
    let completer = shells.completer(&shell.to_string());
    let completer = completer.ok_or_else(|| Failure::usage("unknown shell"))?;
    let (mut text, name) = (Vec::new(), program().name);
    let written = completer.write_registration("COMPLETE", name, name, name, &mut text);
    written.map_err(|error| Failure::new(Exit::Failed, "stdout", error.to_string()))?;
    match io::Write::write_all(&mut io::stdout(), &text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, "stdout", error.to_string()))
        }
        _ => Ok(Exit::Done),
    }
}
