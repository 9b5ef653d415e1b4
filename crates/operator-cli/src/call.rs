//! A command for one action: which one, and where it goes.

use action_core::{ActionDefinition, Catalogue};
use action_guard::Proposal;
use clap::ArgMatches;

use crate::settings::Global;
use crate::settings::connection::Connection;
use crate::subjects;
use crate::terminal::failure::Failure;

/// What a command for one action works with.
pub(crate) struct Call {
    /// The action.
    pub(crate) definition: &'static ActionDefinition,
    /// Where it goes.
    pub(crate) connection: Connection,
    /// The flags that lead another command to the same place.
    pub(crate) flags: Vec<String>,
}

impl Call {
    /// A command for the action of this name, if there is one.
    pub(crate) fn named(name: &str, global: &Global) -> Option<Self> {
        let name = subjects::of_qualified(name).map_or(name, |(_, action)| action);
        let mut definitions = subjects::definitions().iter();
        let definition = definitions.find(|known| known.name == name)?;
        Some(Self {
            definition,
            connection: global.connection.clone(),
            flags: global.flags(),
        })
    }

    /// A command for the action of a proposal, of whatever kind its system is.
    pub(crate) fn of(proposal: &Proposal, global: &Global) -> Option<Self> {
        let kind = subjects::named(&proposal.subject).or_else(subjects::meant)?;
        let mut definitions = kind.definitions().iter();
        Some(Self {
            definition: definitions.find(|known| known.name == proposal.request.action)?,
            connection: global.connection.clone(),
            flags: global.flags(),
        })
    }
}

/// The action that a subcommand names.
pub(crate) fn call<'a>(
    matches: &'a ArgMatches,
    global: &Global,
) -> Result<(Call, &'a ArgMatches), Failure> {
    let (name, matches) = matches
        .subcommand()
        .ok_or_else(|| Failure::usage("no action named"))?;
    let call = Call::named(name, global)
        .ok_or_else(|| Failure::usage(format!("unknown action `{name}`")))?;
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
