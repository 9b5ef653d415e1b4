//! `operator doctor`: what was left behind.

use action_core::Role;
use clap::{ArgMatches, Command};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::out::Out;
use crate::settings::Global;

/// The verb.
const VERB: &str = "doctor";

pub(crate) fn command() -> Command {
    findings::command(VERB, Role::Leftovers)
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let call = findings::call(VERB, Role::Leftovers, &global.connection)?;
    findings::main(call, matches, global, out).await
}
