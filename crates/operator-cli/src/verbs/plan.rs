//! `operator plan`: what an action would do.

use action_core::{ActionError, ActionKind, Plan, Undo};
use clap::ArgMatches;
use serde_json::{Value, json};

use crate::call::{Call, check_system};
use crate::flags;
use crate::program::program;
use crate::reports::plan::{Planned, TakenBack, as_data};
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;

pub(crate) async fn main(
    call: Call,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let name = &call.definition.name;
    let given = flags::parameters(call.definition, matches)?;
    let registry = call.connection.registry().await?;
    let catalogue = registry.catalogue();
    let parameters = catalogue.validate(name, given)?;
    check_kind(&call)?;
    check_system(&call, &catalogue).await?;
    let plan = catalogue.plan(name, parameters.clone()).await?;
    let undo = catalogue.undo(name, parameters.clone(), &plan.before, None, None)?;
    let exit = show(&call, &parameters, &plan, &undo, output);
    if let Err(wrong) = global.state.policy() {
        output.note(&format!(
            "warning: {}: nothing is sent until this is fixed",
            wrong.message()
        ));
    }
    Ok(exit)
}

/// Refuses what only looks: there is nothing to plan.
pub(super) fn check_kind(call: &Call) -> Result<(), Failure> {
    let definition = call.definition;
    if definition.is_mutation() {
        return Ok(());
    }
    let name = definition.name.clone();
    let error = ActionError::WrongKind {
        name: name.clone(),
        is: definition.kind,
        wanted: ActionKind::Mutation,
    };
    Err(Failure::from(error).next(format!("use `{} run {name}`", program().name)))
}

/// Shows a plan that nobody has proposed.
pub(super) fn show(
    call: &Call,
    parameters: &Value,
    plan: &Plan,
    undo: &Undo,
    output: &mut Output,
) -> Exit {
    let json = json!({
        "action": call.definition.name,
        "parameters": parameters,
        "plan": as_data(plan),
        "undo": undo,
    });
    let planned = Planned {
        call,
        parameters,
        system: None,
        plan,
        undo,
        taken_back: TakenBack::ByLaterId,
    };
    output.show(&json, || planned.text());
    Exit::of_verdict(&plan.verdict)
}
