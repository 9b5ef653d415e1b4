//! What is not known how it ended, or is given up, at a gate.

use action_core::OutcomeKind;
use action_guard::{Phase, ProposalStatus, Report, State};
use clap::ArgMatches;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::{given_reason, id_if_given};
use crate::gate::Gate;
use crate::lookup::Known;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::verbs::{recover, resolve};

#[derive(Deserialize)]
struct Recovered {
    recovered: Vec<Report>,
    /// Whether the gate still looks.
    in_progress: bool,
}

/// `recover`: on the cluster that is asked for, else on all of the gate.
pub(super) async fn recover(
    gate: &Gate,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let asked_for = global.connection.cluster_asked_for();
    let names = match asked_for {
        Some(_) => vec![gate.cluster(global)?.called()],
        None => gate.clusters().map(|target| target.called()).collect(),
    };
    let (mut reports, mut looks_still) = (Vec::new(), false);
    for name in names {
        let path = format!("/api/v1/clusters/{}/recover", gate_client::segment(name));
        let found: Recovered = gate.look(&path, &json!({})).await?;
        reports.extend(found.recovered);
        looks_still |= found.in_progress;
    }
    let state = gate.seen().await?.state;
    let exit = recover::show(&reports, &state, global, output);
    if !looks_still {
        return Ok(exit);
    }
    output.note("the gate is still looking: `proposals list` shows what is open");
    Ok(Exit::Unknown)
}

/// `resolve`.
pub(super) async fn resolve(
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let state = gate.seen().await?.state;
    let is_unknown = |status: &ProposalStatus| status.phase == Phase::Unknown;
    let id = named("resolve", matches, &state, is_unknown).await?;
    let result = match resolve::result(matches) {
        OutcomeKind::Applied => "applied",
        _ => "not_applied",
    };
    let body = json!({ "result": result, "reason": given_reason(matches) });
    let path = format!("/api/v1/proposals/{}/resolve", gate_client::segment(&id));
    let status: ProposalStatus = gate.post(&path, &body).await?;
    let by = global.state.actor()?;
    resolve::show_resolved(&status, &by, gate.how_proven(), output);
    Ok(Exit::Done)
}

/// `release`.
pub(super) async fn release(
    gate: &Gate,
    matches: &ArgMatches,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let state = gate.seen().await?.state;
    let is_in_force = |status: &ProposalStatus| state.effects.contains_key(&status.proposal.id);
    let id = named("release", matches, &state, is_in_force).await?;
    let why = json!({ "reason": given_reason(matches) });
    let path = format!("/api/v1/proposals/{}/release", gate_client::segment(&id));
    gate.post::<Value>(&path, &why).await?;
    resolve::show_released(&id, output);
    Ok(Exit::Done)
}

/// The proposal that is meant; without one it is said which can be.
async fn named(
    verb: &'static str,
    matches: &ArgMatches,
    state: &State,
    can_be: impl Fn(&ProposalStatus) -> bool,
) -> Result<String, Failure> {
    let known = Known::there(state);
    match id_if_given(matches) {
        Some(given) => known.id(given).await,
        None => Err(known.unnamed(verb, can_be)),
    }
}
