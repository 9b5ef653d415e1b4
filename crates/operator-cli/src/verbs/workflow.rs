//! `operator workflow`: work in several steps.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use action_core::{ActionDefinition, Role, Work, Workflow};
use action_guard::{Ending, Flow, FlowRun, StartOptions, StopCode, WaitPolicy, Workflows};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::arguments::{given_reason, reason};
use crate::flags;
use crate::reports::workflow as report;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;

pub(crate) fn command() -> Command {
    let wait = Arg::new("wait-for-people")
        .long("wait-for-people")
        .action(ArgAction::SetTrue)
        .help("Stay, also while people or a date are waited for");
    let time = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("TIME")
            .value_parser(value_parser!(Timestamp))
            .help(help)
    };
    let start = made("start")
        .about("Start a workflow and go on with it as far as it goes without people")
        .args([
            reason(false).global(true),
            wait.clone().global(true),
            time(
                "scheduled-at",
                "Do not begin before this, such as 2026-11-30T02:00:00Z",
            )
            .global(true),
            time("begin-by", "Do not begin after this").global(true),
            Arg::new("detach")
                .long("detach")
                .action(ArgAction::SetTrue)
                .global(true)
                .help("Only start it; `operator workflow resume` goes on with it"),
        ]);
    Command::new("workflow")
        .about("Start, watch, confirm, resume and take back work in several steps")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("list").about("List what was started, and what can be"),
            made("show").about("Show the steps of a workflow; starts nothing"),
            start,
            Command::new("status")
                .about("Show how one that was started stands")
                .arg(id()),
            Command::new("resume")
                .about("Go on with one that was started, after a crash too")
                .args([id(), wait.clone(), reason(false)])
                .arg(
                    Arg::new("retry")
                        .long("retry")
                        .action(ArgAction::SetTrue)
                        .requires("reason")
                        .help("Try again what failed; nothing whose outcome is unknown"),
                ),
            Command::new("cancel")
                .about("Let one end at its next step; what it did stays")
                .args([id(), reason(true)]),
            Command::new("confirm")
                .about("Say that what a step waits for somebody to do is done")
                .arg(id())
                .arg(
                    Arg::new("step")
                        .required(true)
                        .value_name("STEP")
                        .help("The step"),
                )
                .arg(
                    Arg::new("note")
                        .long("note")
                        .value_name("TEXT")
                        .help("What was done, for the journal"),
                ),
            Command::new("compensate")
                .about("Take back what one did, as far as that is its own, the last first")
                .args([id(), wait, reason(true)]),
        ])
}

/// A command about a workflow that is not started: one that an action makes, or one in a file.
fn made(name: &'static str) -> Command {
    let file = Arg::new("file")
        .long("file")
        .short('f')
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("A workflow in TOML, or in JSON if the file is named so");
    Command::new(name)
        .arg(file)
        .arg_required_else_help(true)
        .args_conflicts_with_subcommands(false)
        .subcommand_value_name("WORKFLOW")
        .subcommand_help_heading("Workflows")
        .defer(|command| command.subcommands(makers().iter().map(flags::command)))
}

/// The actions that make workflows.
fn makers() -> Vec<ActionDefinition> {
    let mut definitions = crate::subjects::definitions();
    definitions.retain(|definition| definition.role == Some(Role::Workflow));
    definitions
}

fn id() -> Arg {
    Arg::new("id")
        .required(true)
        .value_name("ID")
        .help("Its id, or the beginning or end of it")
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Failure::usage("no such command"));
    };
    let bare = || Ok::<_, Failure>(Workflows::new(global.state.bare_guard(&global.connection)?));
    let guarded = || Ok::<_, Failure>(Workflows::new(global.state.guard(&global.connection)?));
    match verb {
        "list" => list(&bare()?, output).await,
        "show" => {
            let workflow = read(&bare()?, matches).await?;
            if output.is_json() {
                output.json(&workflow);
            } else {
                output.data(&report::workflow(&workflow));
            }
            Ok(Exit::Done)
        }
        "start" => start(&guarded()?, matches, global, output).await,
        "status" => {
            let workflows = bare()?;
            let flow = find(&workflows, matches).await?;
            status(&workflows, &flow.id, global, output).await
        }
        "resume" => {
            let workflows = guarded()?;
            let flow = find(&workflows, matches).await?;
            if matches.get_flag("retry") {
                let actor = global.state.actor()?;
                workflows
                    .resume(&flow.id, &actor, given_reason(matches))
                    .await?;
            }
            run(&workflows, &flow, matches, global, output).await
        }
        "cancel" => {
            let workflows = bare()?;
            let flow = find(&workflows, matches).await?;
            let actor = global.state.actor()?;
            workflows
                .cancel(&flow.id, &actor, given_reason(matches))
                .await?;
            status(&workflows, &flow.id, global, output).await
        }
        "confirm" => {
            let workflows = bare()?;
            let flow = find(&workflows, matches).await?;
            let (step, note) = (text_of(matches, "step"), text_of(matches, "note"));
            let actor = global.state.actor()?;
            let step = step.unwrap_or_default();
            workflows.confirm(&flow.id, &step, &actor, note).await?;
            output.note("confirmed");
            status(&workflows, &flow.id, global, output).await
        }
        _ => {
            let workflows = guarded()?;
            let flow = find(&workflows, matches).await?;
            let actor = global.state.actor()?;
            workflows
                .compensate(&flow.id, &actor, given_reason(matches))
                .await?;
            run(&workflows, &flow, matches, global, output).await
        }
    }
}

async fn start(
    workflows: &Workflows,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let workflow = read(workflows, matches).await?;
    check_system(&workflow, global).await?;
    let mut options = StartOptions::default();
    let given = Some(given_reason(matches)).filter(|reason| !reason.is_empty());
    options.reason = given.map(str::to_owned);
    options.scheduled_at = matches.get_one("scheduled-at").copied();
    options.begin_by = matches.get_one("begin-by").copied();
    let actor = global.state.actor()?;
    let flow = workflows.start(&workflow, &actor, options).await?;
    output.note(&format!("started workflow {}", flow.id));
    if matches.get_flag("detach") {
        return status(workflows, &flow.id, global, output).await;
    }
    run(workflows, &flow, matches, global, output).await
}

/// The workflow that is meant: in a file, or made by an action.
async fn read(workflows: &Workflows, matches: &ArgMatches) -> Result<Workflow, Failure> {
    match (matches.get_one::<PathBuf>("file"), matches.subcommand()) {
        (Some(path), None) => Ok(Workflow::read(&document(path)?).map_err(wrong)?),
        (None, Some((name, matches))) => {
            let makers = makers();
            let definition = makers.iter().find(|known| known.name == name);
            let definition = definition.ok_or_else(|| Failure::usage("no such workflow"))?;
            let given = flags::parameters(definition, matches)?;
            Ok(workflows.make(name, given).await?)
        }
        _ => Err(Failure::usage("name a workflow, or give one with `--file`")),
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
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| error.to_string())
    };
    document.map_err(|error| Failure::usage(format!("cannot read the workflow `{place}`: {error}")))
}

fn wrong(error: action_core::WorkflowError) -> Failure {
    action_guard::GuardError::from(error).into()
}

/// Refuses a system that is not the one asked for, before anything is started.
async fn check_system(workflow: &Workflow, global: &Global) -> Result<(), Failure> {
    if global.connection.cluster_id.is_none() {
        return Ok(());
    }
    let registry = crate::subjects::registry(&global.connection)?;
    for step in &workflow.steps {
        if let Work::Action { name, .. } | Work::Observe { name, .. } = step.work()
            && registry.definition(name).is_some()
        {
            let system = registry.identity(name).await?;
            global.connection.check_system(&system)?;
        }
    }
    Ok(())
}

/// Goes on with it until it is over, stopped, or takes people.
async fn run(
    workflows: &Workflows,
    flow: &Flow,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let wait_policy = match matches.get_flag("wait-for-people") {
        true => WaitPolicy::UntilEnded,
        false => WaitPolicy::UntilPeople,
    };
    let mut follow = report::FollowFlow::default();
    let run = {
        let mut watch = |event| {
            if output.is_lines() {
                output.json(&event);
            }
            follow.event(event);
        };
        tokio::select! {
            biased;
            run = workflows.run(&flow.id, wait_policy, &mut watch) => Some(run),
            _ = tokio::signal::ctrl_c() => None,
        }
    };
    follow.finish();
    match run {
        Some(run) => Ok(show(&run?, global, output)),
        None => Err(Failure::new(
            Exit::Waiting,
            "interrupted",
            "no longer at it; a mutation that was sent goes on",
        )
        .next(format!(
            "`operator workflow resume {}` goes on with it",
            flow.id
        ))),
    }
}

async fn status(
    workflows: &Workflows,
    id: &str,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let listed = workflows.list().await?;
    let found = listed.into_iter().find(|(flow, _)| flow.id == id);
    let (flow, next_steps) = found.ok_or_else(|| Failure::usage("it ended long ago"))?;
    let run = FlowRun::new(flow, next_steps);
    show(&run, global, output);
    Ok(Exit::Done)
}

fn show(run: &FlowRun, global: &Global, output: &mut Output) -> Exit {
    if output.is_json() {
        output.json(&json!({"flow": run.flow, "next_steps": run.next_steps}));
    } else {
        output.data(&report::run(run, &global.connection));
    }
    exit(run)
}

fn exit(run: &FlowRun) -> Exit {
    match (&run.next_steps.ended, &run.next_steps.stopped) {
        (Some(Ending::Completed | Ending::Cancelled | Ending::Compensated), _) => Exit::Done,
        (_, Some(stopped)) => match stopped.code {
            StopCode::Unknown => Exit::Unknown,
            StopCode::Failed => Exit::Failed,
            _ => Exit::Refused,
        },
        _ => Exit::Waiting,
    }
}

async fn list(workflows: &Workflows, output: &mut Output) -> Result<Exit, Failure> {
    let started = workflows.list().await?;
    let makers = makers();
    if output.is_json() {
        let started: Vec<Value> = started
            .iter()
            .map(|(flow, next_steps)| json!({"flow": flow, "next_steps": next_steps}))
            .collect();
        output.list("workflows", &started);
    } else {
        output.data(&report::list(&started, &makers));
    }
    Ok(Exit::Done)
}

/// The fewest characters that stand for an id.
const SHORTEST: usize = 4;

/// The workflow that is meant: by its id, or by the beginning or the end of it.
async fn find(workflows: &Workflows, matches: &ArgMatches) -> Result<Arc<Flow>, Failure> {
    let meant = text_of(matches, "id").unwrap_or_default();
    let listed = workflows.list().await?;
    let fits = |id: &str| {
        id == meant || meant.len() >= SHORTEST && (id.starts_with(&meant) || id.ends_with(&meant))
    };
    let found: Vec<_> = listed.iter().filter(|(flow, _)| fits(&flow.id)).collect();
    match found.as_slice() {
        [(flow, _)] => Ok(Arc::clone(flow)),
        [] => Err(Failure::usage(format!("there is no workflow `{meant}`"))
            .next("`operator workflow list` shows them")),
        [..] => Err(
            Failure::usage(format!("more than one workflow is meant by `{meant}`"))
                .next("give more of its id"),
        ),
    }
}

fn text_of(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}
