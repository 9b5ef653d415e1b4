//! `operator plan`: what an action would do.

use action_core::ActionError;
use action_core::ActionKind;
use clap::ArgMatches;
use serde_json::json;

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
    if !call.definition.is_mutation() {
        let error = ActionError::WrongKind {
            name: name.clone(),
            is: call.definition.kind,
            wanted: ActionKind::Mutation,
        };
        return Err(Failure::from(error).next(format!("look with `{} run {name}`", program().name)));
    }
    check_system(&call, &catalogue).await?;
    let plan = catalogue.plan(name, parameters.clone()).await?;
    let undo = catalogue.undo(name, parameters.clone(), &plan.before, None, None)?;
    let json = json!({
        "action": name,
        "parameters": parameters,
        "plan": as_data(&plan),
        "undo": undo,
    });
    let planned = Planned {
        call: &call,
        parameters: &parameters,
        system: None,
        plan: &plan,
        undo: &undo,
        taken_back: TakenBack::ByLaterId,
    };
    output.show(&json, || planned.text());
    if let Err(wrong) = global.state.policy() {
        output.note(&format!(
            "warning: {}: nothing is sent before that is right",
            wrong.message()
        ));
    }
    Ok(Exit::of_verdict(&plan.verdict))
}
