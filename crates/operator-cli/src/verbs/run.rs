//! `operator run`: doing it, with proof.

use std::time::Duration;

use action_core::Effect;
use action_guard::Request;
use clap::{ArgMatches, FromArgMatches as _};
use serde_json::Value;

use crate::arguments::{Confirm, are_findings};
use crate::call::{Call, check_system};
use crate::flags;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::observed::View;
use crate::terminal::output::Output;
use crate::verbs::carry_out::go_on;
use crate::verbs::desk::Here;
use crate::verbs::findings;

pub(crate) async fn main(
    call: Call,
    matches: &ArgMatches,
    confirm: &Confirm,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if are_findings(call.definition) {
        return findings::main(call, matches, global, output).await;
    }
    let given = flags::parameters(call.definition, matches)?;
    let catalogue = call.connection.registry().await?.catalogue();
    let name = &call.definition.name;
    let parameters = catalogue.validate(name, given)?;
    check_system(&call, &catalogue).await?;
    if call.definition.is_mutation() {
        let guard = global.state.guard(&call.connection).await?;
        let actor = global.state.actor()?;
        let mut request = Request::new(name, parameters, actor.as_str());
        request.reason.clone_from(&confirm.reason);
        request.correlation_id.clone_from(&confirm.correlation_id);
        if let Some(lease) = lease(&call, confirm)? {
            request = request.lease(lease);
        }
        let draft = guard.draft(request).await?;
        return go_on(
            &call,
            &Here::new(&guard, global)?,
            draft,
            confirm,
            global,
            output,
        )
        .await;
    }
    let observe = async || Ok(catalogue.observe(name, parameters.clone()).await?);
    look(&call, matches, output, observe).await
}

/// Shows what is seen: once, or again and again.
pub(super) async fn look(
    call: &Call,
    matches: &ArgMatches,
    output: &mut Output,
    observe: impl AsyncFn() -> Result<Value, Failure>,
) -> Result<Exit, Failure> {
    let view = View::from_arg_matches(matches).unwrap_or_default();
    loop {
        let mut result = observe().await?;
        view.sort(call.definition, &mut result)
            .map_err(Failure::usage)?;
        output.show_observed(call.definition, &result, &view);
        match view.watch {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Ok(Exit::of_observation(call.definition, &result)),
        }
    }
}

/// How long what it leaves may stay, where it leaves something.
pub(super) fn lease(call: &Call, confirm: &Confirm) -> Result<Option<Duration>, Failure> {
    if confirm.lease.is_some() && call.definition.effect != Some(Effect::Lasting) {
        let name = &call.definition.name;
        let text = format!("invalid `--lease`: `{name}` leaves nothing in force");
        return Err(Failure::usage(text).next("leave it out"));
    }
    Ok(confirm.lease)
}
