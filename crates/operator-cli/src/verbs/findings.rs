//! `operator why` and `operator doctor`: what an observation found that is not as it should be, for people and for programs.

use std::collections::BTreeMap;
use std::sync::Arc;

use action_core::{ActionDefinition, Catalogue, Finding, Role, printable};
use action_guard::ActiveEffect;
use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use crate::call::{Call, check_system};
use crate::flags;
use crate::settings::Global;
use crate::settings::connection::Connection;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::table::when;
use crate::terminal::table::{section, shortened, text_of};

/// Why something is not as it should be.
const WHY: &str = "why";

/// What was left behind.
const DOCTOR: &str = "doctor";

pub(crate) fn why() -> Command {
    command(WHY, Role::Diagnose)
}

pub(crate) fn doctor() -> Command {
    command(DOCTOR, Role::Leftovers)
}

pub(crate) async fn why_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let call = call(WHY, Role::Diagnose, &global.connection)?;
    main(call, matches, global, output).await
}

pub(crate) async fn doctor_main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let call = call(DOCTOR, Role::Leftovers, &global.connection)?;
    main(call, matches, global, output).await
}

/// A verb for the first action with this role, with its flags. Without one the verb is there and
/// says so.
fn command(verb: &'static str, role: Role) -> Command {
    match with_role(role) {
        Some(definition) => flags::command(&definition).name(verb),
        None => Command::new(verb)
            .about("No subject offers this")
            .hide(true),
    }
}

/// What the verb needs.
fn call(verb: &str, role: Role, connection: &Connection) -> Result<Call, Failure> {
    let definition = with_role(role)
        .ok_or_else(|| Failure::usage(format!("no subject offers what `{verb}` needs")))?;
    Ok(Call {
        definition,
        definitions: crate::subjects::definitions(),
        connection: connection.clone(),
    })
}

fn with_role(role: Role) -> Option<ActionDefinition> {
    let mut definitions = crate::subjects::definitions().into_iter();
    definitions.find(|definition| definition.role == Some(role))
}

/// Looks, and shows what was found.
async fn main(
    call: Call,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let given = flags::parameters(&call.definition, matches)?;
    let registry = crate::subjects::registry(&call.connection)?;
    let catalogue = registry.catalogue();
    let parameters = catalogue.validate(&call.definition.name, given)?;
    check_system(&call, &catalogue).await?;
    let result = catalogue.observe(&call.definition.name, parameters).await?;
    let findings = findings(&result)?;
    let owned = owned(&call, &catalogue, &findings, global, output).await;
    if output.is_json() {
        output.json(&with_commands(&call, &findings, &owned, result));
    } else {
        output.data(&text(&call, &findings, &owned, &result));
    }
    Ok(if findings.is_empty() {
        Exit::Done
    } else {
        Exit::Found
    })
}

fn findings(result: &Value) -> Result<Vec<Finding>, Failure> {
    let found = result.get("findings").cloned().unwrap_or_default();
    serde_json::from_value(found)
        .map_err(|error| Failure::new(Exit::Failed, "findings", error.to_string()))
}

/// The lasting effects that our journal knows on this system, by key. Without a journal, or one
/// that cannot be read, nothing is known to be ours.
async fn owned(
    call: &Call,
    catalogue: &Catalogue,
    findings: &[Finding],
    global: &Global,
    output: &Output,
) -> BTreeMap<String, Arc<ActiveEffect>> {
    let lasts = |finding: &Finding| finding.lasting_effect.is_some();
    let is_there = |global: &Global| global.state.directory().is_ok_and(|path| path.exists());
    if !findings.iter().any(lasts) || !is_there(global) {
        return BTreeMap::new();
    }
    match known_effects(call, catalogue, global).await {
        Ok(effects) => effects,
        Err(failure) => {
            output.note(&format!(
                "whose effects they are is not known: {}",
                failure.message()
            ));
            BTreeMap::new()
        }
    }
}

async fn known_effects(
    call: &Call,
    catalogue: &Catalogue,
    global: &Global,
) -> Result<BTreeMap<String, Arc<ActiveEffect>>, Failure> {
    let system = catalogue.identity(&call.definition.name).await?;
    let state = global.state.bare_controls()?.state().await?;
    let here = state
        .effects
        .values()
        .filter(|effect| effect.system == system);
    let effects = here.map(|effect| (effect.key.clone(), Arc::clone(effect)));
    Ok(effects.collect())
}

/// The result, with whose each lasting effect is and the command line that fixes each finding.
fn with_commands(
    call: &Call,
    findings: &[Finding],
    owned: &BTreeMap<String, Arc<ActiveEffect>>,
    mut result: Value,
) -> Value {
    let found = result.get_mut("findings").and_then(Value::as_array_mut);
    for (finding, found) in findings.iter().zip(found.into_iter().flatten()) {
        let Value::Object(members) = found else {
            continue;
        };
        if let Some(command) = fix_command(call, finding) {
            members.insert("fix_command".to_owned(), json!(command));
        }
        if let Some(key) = &finding.lasting_effect {
            members.insert(
                "owner".to_owned(),
                json!(owned.get(key).map(|effect| {
                    json!({"proposal": effect.id, "actor": effect.actor, "since": effect.since})
                })),
            );
        }
    }
    result
}

fn text(
    call: &Call,
    findings: &[Finding],
    owned: &BTreeMap<String, Arc<ActiveEffect>>,
    result: &Value,
) -> String {
    let mut parts = Vec::new();
    if findings.is_empty() {
        parts.push("Nothing was found".to_owned());
    }
    parts.extend(findings.iter().map(|finding| one(call, finding, owned)));
    if result.get("cut") == Some(&Value::Bool(true)) {
        parts.push("There is more that is left out here".to_owned());
    }
    let unknown = result.get("unknown").and_then(Value::as_array);
    let unknown = unknown
        .into_iter()
        .flatten()
        .map(|what| vec![text_of(what)]);
    parts.extend(section("Could not be told", unknown.collect()));
    parts.join("\n\n")
}

fn one(call: &Call, finding: &Finding, owned: &BTreeMap<String, Arc<ActiveEffect>>) -> String {
    let evidence = finding.evidence.iter().map(|read| {
        vec![
            read.fact.clone(),
            shortened(&text_of(&read.value)),
            read.source.clone(),
        ]
    });
    let mut lines = vec![format!(
        "{} ({})",
        printable(&finding.text),
        printable(&finding.code)
    )];
    lines.extend(section("Seen", evidence.collect()));
    if let Some(key) = &finding.lasting_effect {
        lines.push(match owned.get(key) {
            Some(effect) => format!(
                "Asked for here by {} at {}; `operator undo {}` takes it back",
                printable(&effect.actor),
                when(effect.since),
                printable(&effect.id)
            ),
            None => "Not asked for here, as far as the journal knows".to_owned(),
        });
    }
    lines.push(format!("Next: {}", printable(&finding.next)));
    lines.extend(fix_command(call, finding).map(|command| format!("  {command}")));
    lines.join("\n")
}

/// The command line that fixes a finding.
fn fix_command(call: &Call, finding: &Finding) -> Option<String> {
    let fix = finding.fix.as_ref()?;
    let mut definitions = call.definitions.iter();
    let definition = definitions.find(|definition| definition.name == fix.name);
    let mut words = vec!["run".to_owned(), fix.name.clone()];
    words.extend(flags::arguments(definition, &fix.parameters));
    words.extend(call.connection.flags());
    Some(flags::command_line(&words))
}
