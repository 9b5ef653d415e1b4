//! `operator why` and `operator doctor`: what is not as it should be, and what fixes it.

use std::collections::BTreeMap;

use action_core::{Catalogue, Finding, Role};
use clap::{ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::{Call, check_system};
use crate::reports::findings::{self as report, Ours};
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::{arguments, flags, subjects};

/// Why something is not as it should be.
const WHY: &str = "why";

/// What was left behind.
const DOCTOR: &str = "doctor";

pub(crate) fn why() -> Command {
    Command::new(WHY)
        .about("Explain why something does not move, and what blocks it")
        .hide(is_unlisted(Role::Diagnose))
        .defer(|command| with_flags(command, Role::Diagnose))
}

pub(crate) fn doctor() -> Command {
    Command::new(DOCTOR)
        .about("Find leftovers (drains, pauses, settings) and unhealthy parts")
        .hide(is_unlisted(Role::Leftovers))
        .defer(|command| with_flags(command, Role::Leftovers))
}

/// Whether a subject has an action of this role.
pub(crate) fn is_offered(role: Role) -> bool {
    let mut all = subjects::of_all_kinds().iter();
    all.any(|definition| definition.role == Some(role))
}

/// Whether the list of verbs leaves this one out. Which actions there are is found out only for who reads
/// that list.
fn is_unlisted(role: Role) -> bool {
    let mut words = std::env::args_os().skip(1).peekable();
    let is_read = words.peek().is_none()
        || words.any(|word| ["-h", "--help", "help"].iter().any(|help| word == *help));
    is_read && !is_offered(role)
}

pub(crate) async fn why_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let call = call(WHY, Role::Diagnose, global)?;
    main(call, matches, global, output).await
}

pub(crate) async fn doctor_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let call = call(DOCTOR, Role::Leftovers, global)?;
    main(call, matches, global, output).await
}

/// A verb for the action which has this role, with its flags: that of the kind which is meant, or where
/// none is, those of all kinds. Without one the verb is there and says so.
fn with_flags(command: Command, role: Role) -> Command {
    let definitions = arguments::definitions().iter();
    let mut own = definitions.filter(|definition| definition.role == Some(role));
    let Some(mut shown) = own.next().cloned() else {
        return command.about("Not available for any system of this program");
    };
    for parameter in own.flat_map(|other| &other.parameters) {
        if shown
            .parameters
            .iter()
            .all(|known| known.name != parameter.name)
        {
            shown.parameters.push(parameter.clone());
        }
    }
    if subjects::meant().is_none() {
        shown.description =
            "Which flags it takes depends on the kind of system that is meant.".to_owned();
    }
    flags::with_parameters(command, &shown)
}

/// What the verb needs.
pub(super) fn call(verb: &str, role: Role, global: &Global) -> Result<Call, Failure> {
    let kind = global.connection.kind()?;
    let mut definitions = kind.definitions().iter();
    let definition = definitions.find(|definition| definition.role == Some(role));
    let definition = definition
        .ok_or_else(|| Failure::usage(format!("no subject offers what `{verb}` needs")))?;
    Ok(Call {
        definition,
        connection: global.connection.clone(),
        flags: global.flags(),
    })
}

/// Looks, and shows what was found.
pub(crate) async fn main(
    call: Call,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let given = flags::parameters(call.definition, matches)?;
    let registry = call.connection.registry().await?;
    let catalogue = registry.catalogue();
    let parameters = catalogue.validate(&call.definition.name, given)?;
    check_system(&call, &catalogue).await?;
    let result = catalogue.observe(&call.definition.name, parameters).await?;
    let ours = ours(&call, &catalogue, global, output).await;
    show(&call, result, ours, global, output)
}

/// Shows what was found, beside what is ours.
pub(super) fn show(
    call: &Call,
    mut result: Value,
    ours: Ours,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut findings = findings(&result)?;
    let as_by_default = result.get("as_by_default").cloned().unwrap_or_default();
    let ours = Ours {
        as_by_default: serde_json::from_value(as_by_default).unwrap_or_default(),
        ..ours
    };
    let leases = ours.leases_for_a_person(global);
    if let Some(shown) = result.get_mut("findings").and_then(Value::as_array_mut) {
        shown.extend(leases.iter().map(|lease| json!(lease)));
    }
    findings.extend(leases);
    output.show(
        &report::with_commands(call, &findings, &ours, result.clone(), global),
        || report::text(call, &findings, &ours, &result, global),
    );
    Ok(if findings.is_empty() && !ours.is_something_found() {
        Exit::of_observation(call.definition, &result)
    } else {
        Exit::Found
    })
}

fn findings(result: &Value) -> Result<Vec<Finding>, Failure> {
    let found = result.get("findings").cloned().unwrap_or_default();
    serde_json::from_value(found)
        .map_err(|error| Failure::new(Exit::Failed, "findings", error.to_string()))
}

/// What our journal knows to be in force on this system, and may be. Without a journal, or one that
/// cannot be read, nothing is known to be ours.
async fn ours(call: &Call, catalogue: &Catalogue, global: &Global, output: &Output) -> Ours {
    let is_found = call.definition.role == Some(Role::Leftovers);
    let is_there = || global.state.directory().is_ok_and(|path| path.exists());
    if global.state.database().is_some() || is_there() {
        match known_effects(call, catalogue, global).await {
            Ok(ours) => return Ours { is_found, ..ours },
            Err(failure) => output.note(&format!(
                "what is in force that was asked for here is not known: {}",
                failure.message()
            )),
        }
    }
    Ours {
        is_found,
        ..Ours::default()
    }
}

async fn known_effects(
    call: &Call,
    catalogue: &Catalogue,
    global: &Global,
) -> Result<Ours, Failure> {
    let system = catalogue.identity(&call.definition.name).await?;
    let (state, effects) = if call.definition.role == Some(Role::Leftovers) {
        let guard = global.state.bare_guard(&call.connection).await?;
        guard.compare_in_force(&system).await?
    } else {
        let state = global.state.bare_controls()?.state().await?;
        let mut effects = state.in_force(Timestamp::now());
        effects.retain(|effect| effect.system == system);
        (state, effects)
    };
    let mut releases = BTreeMap::new();
    for effect in effects.iter().filter(|effect| effect.is_gone()) {
        let may = may_release(&effect.id, global).await;
        let may = may.map_err(|failure| failure.message().to_owned());
        releases.insert(effect.id.clone(), may);
    }
    Ok(Ours {
        state,
        effects,
        releases,
        system,
        is_found: false,
        as_by_default: Vec::new(),
    })
}

/// Whether who asks may take this off the list: only then is the command for it shown.
async fn may_release(id: &str, global: &Global) -> Result<(), Failure> {
    let controls = global.state.controls()?;
    Ok(controls.may_release(id, &global.state.actor()?).await?)
}
