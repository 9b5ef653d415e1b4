//! `operator completions`: what a shell needs to complete commands, actions and flags.

use std::io;

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::{Shell, generate};

use crate::program::program;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

pub(crate) fn command() -> Command {
    Command::new("completions")
        .about("Print completions for a shell")
        .arg(
            Arg::new("shell")
                .required(true)
                .value_parser(value_parser!(Shell))
                .help("Which shell"),
        )
}

pub(crate) fn main(matches: &ArgMatches, mut all: Command) -> Result<Exit, Failure> {
    let shell = matches.get_one::<Shell>("shell").copied();
    let shell = shell.ok_or_else(|| Failure::usage("no shell was named"))?;
    let mut text = Vec::new();
    generate(shell, &mut all, program().name, &mut text);
    match io::Write::write_all(&mut io::stdout(), &text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, "stdout", error.to_string()))
        }
        _ => Ok(Exit::Done),
    }
}
