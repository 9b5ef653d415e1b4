//! Which workflow is meant: one in a file, one that an action makes, or one that was started.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use action_core::{Workflow, unique_json};
use action_guard::{Flow, Workflows};
use clap::ArgMatches;
use serde_json::Value;

use crate::terminal::failure::Failure;
use crate::{flags, ids};

use super::arguments::makers;

/// The workflow that is meant: in a file, or made by an action.
pub(super) async fn read(workflows: &Workflows, matches: &ArgMatches) -> Result<Workflow, Failure> {
    match (matches.get_one::<PathBuf>("file"), matches.subcommand()) {
        (Some(path), None) => Ok(Workflow::read(&document(path)?).map_err(wrong)?),
        (None, Some((name, matches))) => {
            let makers = makers();
            let definition = makers.iter().find(|known| known.name == name);
            let definition = definition.ok_or_else(|| Failure::usage("unknown workflow"))?;
            let given = flags::parameters(definition, matches)?;
            Ok(workflows.make(name, given).await?)
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

/// The workflow that is meant: by its id, or by the beginning or the end of it.
pub(super) async fn find(
    workflows: &Workflows,
    matches: &ArgMatches,
) -> Result<Arc<Flow>, Failure> {
    let meant = text_of(matches, "id").unwrap_or_default();
    let listed = workflows.list().await?;
    let found: Vec<_> = listed
        .iter()
        .filter(|(flow, _)| flow.id == meant || ids::fits(&flow.id, &meant))
        .collect();
    match found.as_slice() {
        [(flow, _)] => Ok(Arc::clone(flow)),
        [] => Err(Failure::usage(format!("workflow `{meant}` not found"))
            .command("workflow list", "lists them")),
        [..] => Err(
            Failure::usage(format!("`{meant}` matches more than one workflow"))
                .next("give more digits of the id"),
        ),
    }
}

pub(super) fn text_of(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}
