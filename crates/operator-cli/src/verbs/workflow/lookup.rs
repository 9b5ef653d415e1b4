//! Which workflow is meant: one in a file, one that an action makes, or one that was started.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use action_core::{ActionDefinition, Workflow, unique_json};
use action_guard::{Flow, NextSteps, Record, Waiting, Workflows};
use clap::ArgMatches;
use serde_json::Value;

use crate::reports::workflow as report;
use crate::terminal::failure::Failure;
use crate::{flags, ids};

use super::arguments::makers;

/// A workflow that is named on the command line.
pub(crate) enum Named<'m> {
    /// What is in a file.
    Document(Value),
    /// One that an action makes of these.
    MadeBy(&'static ActionDefinition, &'m ArgMatches),
}

/// The workflow that is meant: in a file, or made by an action.
pub(super) async fn read(workflows: &Workflows, matches: &ArgMatches) -> Result<Workflow, Failure> {
    match meant(matches)? {
        Named::Document(document) => Ok(Workflow::read(&document).map_err(wrong)?),
        Named::MadeBy(definition, matches) => {
            let given = flags::parameters(definition, matches)?;
            Ok(workflows.make(&definition.name, given).await?)
        }
    }
}

/// The same, before anything is asked for it.
pub(crate) fn meant(matches: &ArgMatches) -> Result<Named<'_>, Failure> {
    match (matches.get_one::<PathBuf>("file"), matches.subcommand()) {
        (Some(path), None) => Ok(Named::Document(document(path)?)),
        (None, Some((name, matches))) => {
            let found = makers().into_iter().find(|known| known.name == name);
            let definition = found.ok_or_else(|| Failure::usage("unknown workflow"))?;
            Ok(Named::MadeBy(definition, matches))
        }
        _ => Err(Failure::usage(
            "give the name of a workflow, or a file with `--file`",
        )),
    }
}

fn document(path: &Path) -> Result<Value, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read the workflow `{place}`: {error}")))?;
    let is_json = path
        .extension()
        .is_some_and(|extension| extension == "json");
    let document = if is_json {
        unique_json(text.as_bytes()).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| error.to_string())
    };
    document.map_err(|error| Failure::usage(format!("cannot read the workflow `{place}`: {error}")))
}

fn wrong(error: action_core::WorkflowError) -> Failure {
    action_guard::GuardError::from(error).into()
}

/// The workflow that is meant: by its id, or by the beginning or the end of it. Without one it is said
/// which there are for this verb.
pub(super) async fn find(
    workflows: &Workflows,
    matches: &ArgMatches,
    verb: &str,
) -> Result<Arc<Flow>, Failure> {
    let listed = workflows.list().await?;
    if let Some(flow) = pick(&listed, matches, verb)? {
        return Ok(flow);
    }
    let meant = text_of(matches, "id").unwrap_or_default();
    Err(long_ago(workflows, &meant).await?)
}

/// The one of these that is meant, if it is among them.
pub(crate) fn pick(
    listed: &[(Arc<Flow>, NextSteps)],
    matches: &ArgMatches,
    verb: &str,
) -> Result<Option<Arc<Flow>>, Failure> {
    let Some(meant) = text_of(matches, "id") else {
        return Err(unnamed(listed, verb));
    };
    if ids::is_too_short(&meant) {
        let text = format!(
            "`{meant}` is too short for an id: give at least {} of its digits",
            ids::SHORTEST
        );
        return Err(Failure::usage(text).command("workflow list", "lists the workflows"));
    }
    let is_meant =
        |(flow, _): &&(Arc<Flow>, NextSteps)| flow.id == meant || ids::fits(&flow.id, &meant);
    let found: Vec<_> = listed.iter().filter(is_meant).collect();
    match found.as_slice() {
        [(flow, _)] => Ok(Some(Arc::clone(flow))),
        [] => Ok(None),
        [..] => {
            let text = format!("`{meant}` matches more than one workflow:");
            let lines = found.iter().map(|one| line(one, listed)).collect();
            Err(Failure::usage(text)
                .lines(lines)
                .next("give more digits of the id"))
        }
    }
}

/// That none is named, and which could be.
fn unnamed(listed: &[(Arc<Flow>, NextSteps)], verb: &str) -> Failure {
    let can_be = |(flow, next): &&(Arc<Flow>, NextSteps)| match verb {
        "resume" | "cancel" => next.ended.is_none(),
        "confirm" => !confirmations(next).is_empty(),
        "compensate" => !flow.applied.is_empty(),
        _ => true,
    };
    let found: Vec<_> = listed.iter().filter(can_be).collect();
    let Some(first) = found.first() else {
        let text = format!("no workflow to {}", spoken(verb));
        return Failure::usage(text).command("workflow list", "lists the workflows");
    };
    let text = format!("no workflow named; these are the ones to {}:", spoken(verb));
    let lines = found.iter().map(|one| line(one, listed)).collect();
    let id = match found.len() {
        1 => ids::short(&first.0.id, all(listed)),
        _ => "ID".to_owned(),
    };
    let (ending, does) = match verb {
        "resume" => ("", "continues it"),
        "cancel" => (" --reason TEXT", "stops it before its next step"),
        "confirm" => (" STEP", "confirms a step"),
        "compensate" => (" --reason TEXT", "takes back its changes"),
        _ => ("", "shows its state"),
    };
    let failure = Failure::usage(text).lines(lines);
    failure.command(format!("workflow {verb} {id}{ending}"), does)
}

/// The steps that wait for somebody to confirm them.
pub(super) fn confirmations(next: &NextSteps) -> Vec<&str> {
    let waiting = next.waiting.iter();
    let steps = waiting.filter_map(|waiting| match waiting {
        Waiting::Confirmation { step, .. } => Some(step.as_str()),
        _ => None,
    });
    steps.collect()
}

fn spoken(verb: &str) -> &str {
    match verb {
        "status" => "show",
        "confirm" => "confirm a step of",
        "compensate" => "take back",
        verb => verb,
    }
}

fn all(listed: &[(Arc<Flow>, NextSteps)]) -> impl Iterator<Item = &str> {
    listed.iter().map(|(flow, _)| flow.id.as_str())
}

/// A workflow in a line.
fn line((flow, next): &(Arc<Flow>, NextSteps), listed: &[(Arc<Flow>, NextSteps)]) -> String {
    let id = ids::short(&flow.id, all(listed));
    let (title, state) = (&flow.workflow.title, report::state_of(flow, next));
    format!("{id}  {title}: {state}, started by {}", flow.by)
}

/// That none is known, or that it ended long ago.
async fn long_ago(workflows: &Workflows, meant: &str) -> Result<Failure, Failure> {
    let beginning = ids::with_dashes(meant);
    let entries = match &beginning {
        Some(beginning) => workflows.guard().journal().entries_with(beginning).await?,
        None => Vec::new(),
    };
    let started = entries.iter().find_map(|entry| match &entry.record {
        Record::FlowStarted { id, .. } => Some(id),
        _ => None,
    });
    Ok(match started {
        Some(id) => Failure::usage(format!("workflow `{meant}` ended long ago"))
            .command(format!("journal show --id {id}"), "shows its records"),
        None => not_found(meant),
    })
}

pub(crate) fn not_found(meant: &str) -> Failure {
    Failure::usage(format!("workflow `{meant}` not found"))
        .command("workflow list", "lists the workflows")
}

pub(crate) fn text_of(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}
