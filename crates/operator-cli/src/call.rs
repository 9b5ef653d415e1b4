//! A command for one action: which one, and where it goes.

use action_core::{ActionDefinition, Catalogue};
use clap::ArgMatches;

use crate::settings::connection::Connection;
use crate::subjects;
use crate::terminal::failure::Failure;

/// What a command for one action works with.
pub(crate) struct Call {
    /// The action.
    pub(crate) definition: ActionDefinition,
    /// All of them.
    pub(crate) definitions: Vec<ActionDefinition>,
    /// Where it goes.
    pub(crate) connection: Connection,
}

pub(crate) fn call<'a>(
    matches: &'a ArgMatches,
    connection: &Connection,
) -> Result<(Call, &'a ArgMatches), Failure> {
    let (name, matches) = matches
        .subcommand()
        .ok_or_else(|| Failure::usage("no action was named"))?;
    let definitions = subjects::definitions();
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

/// Refuses a system that is not the one asked for. Asks it only when one was asked for.
pub(crate) async fn check_system(call: &Call, catalogue: &Catalogue) -> Result<(), Failure> {
    if call.connection.cluster_id.is_some() {
        let system = catalogue.identity(&call.definition.name).await?;
        call.connection.check_system(&system)?;
    }
    Ok(())
}
