//! `operator why`: why something is not as it should be.

use action_core::Role;
use clap::{ArgMatches, Command};

use crate::connect::Connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::out::Out;

/// The verb.
const VERB: &str = "why";

pub(crate) fn command() -> Command {
    findings::command(VERB, Role::Diagnose)
}

pub(crate) async fn main(
    connection: &Connection,
    matches: &ArgMatches,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let call = findings::call(VERB, Role::Diagnose, connection)?;
    findings::main(call, matches, out).await
}
