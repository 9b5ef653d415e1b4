//! What a shell completes: proposals that are open, clusters of the config file, things of the system.
//!
//! Nothing is said where something cannot be found out: a shell that completes has no place for it.

use std::time::Duration;

use action_core::{ActionDefinition, Role};
use clap::builder::StyledStr;
use clap::{Args as _, Command, FromArgMatches as _};
use clap_complete::{ArgValueCandidates, CompletionCandidate};
use serde_json::Value;

use crate::flags::PARAMETER;
use crate::ids;
use crate::reports::proposal::asked_by;
use crate::settings::{Global, config_file};
use crate::subjects;
use crate::terminal::observed::{listed, names};
use crate::terminal::values::text_of;

/// How long a system is waited for while somebody has pressed a key.
const PATIENCE: Duration = Duration::from_secs(1);

/// The same command line, with what can be found out about its values.
pub(super) fn with_candidates(mut command: Command) -> Command {
    // Actions are subcommands that are made when they are needed.
    command.build();
    known(command)
}

fn known(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let id = arg.get_id().as_str();
        let candidates = match id.strip_prefix(PARAMETER).map(str::to_owned) {
            Some(name) if name.ends_with("id") => ArgValueCandidates::new(move || things(&name)),
            None if id == "id" => ArgValueCandidates::new(proposals),
            None if id == "cluster" => ArgValueCandidates::new(clusters),
            _ => return arg,
        };
        arg.add(candidates)
    });
    command.mut_subcommands(known)
}

/// Clusters by their names in the config file.
fn clusters() -> Vec<CompletionCandidate> {
    let config = config_file::read(None).ok().flatten();
    let names = config
        .into_iter()
        .flat_map(|(_, config)| config.clusters.into_keys());
    names.map(CompletionCandidate::new).collect()
}

/// Proposals that are open, by the beginning of their ids.
fn proposals() -> Vec<CompletionCandidate> {
    let open = || {
        let controls = global()?.state.bare_controls().ok()?;
        let state = waited_for(async { controls.state().await.ok() })?;
        let candidates = state.open.values().map(|status| {
            let request = &status.proposal.request;
            let id = ids::short_of(&status.proposal.id, &state);
            let help = format!("{}, requested by {}", request.action, asked_by(request));
            CompletionCandidate::new(id).help(Some(StyledStr::from(help)))
        });
        Some(candidates.collect())
    };
    open().unwrap_or_default()
}

/// Things of the system that are listed at a glance, as its stores, where a parameter is the id of one.
fn things(parameter: &str) -> Vec<CompletionCandidate> {
    let things = || {
        let overview = overview()?;
        let connection = global()?.connection;
        let seen = waited_for(async {
            let catalogue = connection.registry().await.ok()?.catalogue();
            let none = Value::Object(serde_json::Map::new());
            catalogue.observe(&overview.name, none).await.ok()
        })?;
        let items = listed(overview, &seen);
        let id_of = |item: &&serde_json::Map<String, Value>| {
            let mut members = item.iter().filter(|(name, _)| name.ends_with("id"));
            members.any(|(name, _)| parameter.ends_with(name.as_str()))
        };
        let all = names(overview, &seen);
        let candidates = items
            .iter()
            .filter(|item| id_of(item))
            .zip(all)
            .map(|(item, id)| {
                let help = ["name", "address"].iter().find_map(|name| item.get(*name));
                let help = help.map(|help| StyledStr::from(text_of(help)));
                CompletionCandidate::new(id).help(help)
            });
        Some(candidates.collect())
    };
    things().unwrap_or_default()
}

fn overview() -> Option<&'static ActionDefinition> {
    let mut all = subjects::definitions().iter();
    all.find(|action| action.role == Some(Role::Overview))
}

/// What holds without any flag: by the environment and the config file.
fn global() -> Option<Global> {
    let command = Global::augment_args(Command::new("completion"));
    let matches = command.try_get_matches_from(["completion"]).ok()?;
    Global::from_arg_matches(&matches).ok()?.resolve(false).ok()
}

fn waited_for<T>(work: impl Future<Output = Option<T>>) -> Option<T> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().ok()?;
    let done = runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.ok()? });
    runtime.shutdown_background();
    done
}
