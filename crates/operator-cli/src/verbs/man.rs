//! `operator man`: manual pages, for whoever packs the program.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;

pub(crate) fn command() -> Command {
    let directory = Arg::new("directory")
        .required(true)
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("Existing directory to write to");
    Command::new("man")
        .about("Write manual pages, one per command")
        .arg(directory)
}

pub(crate) fn main(
    matches: &ArgMatches,
    all: Command,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let directory = matches
        .get_one::<PathBuf>("directory")
        .cloned()
        .unwrap_or_default();
    clap_mangen::generate_to(all, &directory).map_err(|error| {
        let text = format!("cannot write to `{}`: {error}", directory.display());
        Failure::new(Exit::Failed, "man", text)
    })?;
    let shown = directory.display();
    output.show(&json!({"directory": directory}), || {
        format!("Manual pages written to {shown}")
    });
    Ok(Exit::Done)
}
