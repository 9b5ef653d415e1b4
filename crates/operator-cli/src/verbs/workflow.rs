//! `operator workflow`: work in several steps.

mod arguments;
mod exit;
mod lookup;

use std::sync::Arc;

use action_core::{ActionRegistry, Risk, Work, Workflow, printable};
use action_guard::{
    Decider, Flow, FlowRun, Guard, GuardError, NextSteps, PlannedStep, StartOptions, WaitPolicy,
    Workflows,
};
use clap::ArgMatches;
use serde_json::{Value, json};

use crate::arguments::given_reason;
use crate::reports::workflow as report;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::interrupt::interrupted;
use crate::terminal::output::Output;
use crate::terminal::prompt::Word;
use crate::verbs::confirm::asked;
use crate::{ids, subjects};

pub(crate) use self::exit::exit;
pub(crate) use self::lookup::text_of;
#[cfg(feature = "proxy")]
pub(crate) use self::lookup::{Named, meant, not_found, pick};
use self::lookup::{confirmations, find, read};

pub(crate) use self::arguments::command;

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Failure::usage("unknown command"));
    };
    if let Ok(false) = matches.try_contains_id("id") {
        // It is said which there are, whether their systems answer or not.
        find(&bare(global).await?, matches, verb).await?;
    }
    match verb {
        "list" => list(&bare(global).await?, output).await,
        "show" => show_file(matches, global, output).await,
        "start" => start(&guarded(global).await?, matches, global, output).await,
        "status" => {
            let workflows = bare(global).await?;
            let flow = find(&workflows, matches, "status").await?;
            status(&workflows, &flow.id, global, output).await
        }
        "resume" => {
            let global = &to_its(matches, global).await?;
            let workflows = guarded(global).await?;
            let flow = find(&workflows, matches, "resume").await?;
            if matches.get_flag("retry") {
                let actor = global.state.actor()?;
                workflows
                    .resume(&flow.id, &actor, given_reason(matches))
                    .await?;
            }
            run(&workflows, &flow, matches, global, output).await
        }
        "cancel" => {
            let workflows = bare(global).await?;
            let flow = find(&workflows, matches, "cancel").await?;
            let actor = global.state.actor()?;
            workflows
                .cancel(&flow.id, &actor, given_reason(matches))
                .await?;
            status(&workflows, &flow.id, global, output).await
        }
        "confirm" => {
            let global = &to_its(matches, global).await?;
            confirm(&guarded(global).await?, matches, global, output).await
        }
        _ => {
            let global = &to_its(matches, global).await?;
            let workflows = guarded(global).await?;
            let flow = find(&workflows, matches, "compensate").await?;
            let actor = global.state.actor()?;
            workflows
                .compensate(&flow.id, &actor, given_reason(matches))
                .await?;
            run(&workflows, &flow, matches, global, output).await
        }
    }
}

async fn show_file(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let guard = global.state.bare_guard(&global.connection).await?;
    let workflows = Workflows::new(guard);
    let workflow = read(&workflows, matches).await?;
    workflows
        .check_secrets(&workflow)
        .map_err(GuardError::from)?;
    output.show(&workflow, || report::workflow(&workflow));
    Ok(Exit::Done)
}

/// What looks at workflows and calls them off. It asks no system, so none has to be meant.
async fn bare(global: &Global) -> Result<Workflows, Failure> {
    global.state.must_exist()?;
    let guard = match subjects::meant() {
        Some(_) => global.state.bare_guard(&global.connection).await?,
        None => Guard::over(ActionRegistry::new(), global.state.journal()?),
    };
    Ok(Workflows::new(guard))
}

/// What leads to the system of the workflow that is meant.
async fn to_its(matches: &ArgMatches, global: &Global) -> Result<Global, Failure> {
    let state = global.state.bare_controls()?.state().await?;
    let given = text_of(matches, "id").unwrap_or_default();
    let mut flows = state.flows.values();
    let flow = flows.find(|flow| flow.id == given || ids::fits(&flow.id, &given));
    let system = flow.and_then(|flow| flow.systems.values().next());
    let mut names = global.connection.names.iter();
    match names.find(|name| Some(&name.system) == system) {
        Some(target) => global.to(target),
        None => Ok(global.clone()),
    }
}

async fn guarded(global: &Global) -> Result<Workflows, Failure> {
    let guard = global.state.guard(&global.connection).await?;
    Ok(Workflows::new(guard))
}

async fn confirm(
    workflows: &Workflows,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let flow = find(workflows, matches, "confirm").await?;
    let (step, note) = (text_of(matches, "step"), text_of(matches, "note"));
    let Some(step) = step else {
        return Err(no_step(&workflows.list().await?, &flow));
    };
    let (actor, key) = (global.state.actor()?, global.state.key()?);
    let by = key.as_ref().map_or_else(
        || Decider::claimed(&actor),
        |key| Decider::with_key(&actor, key),
    );
    workflows.confirm(&flow.id, &step, by, note).await?;
    output.note(&format!(
        "confirmed; to continue the workflow, run\n  {}",
        report::resume(&flow, global)
    ));
    status(workflows, &flow.id, global, output).await
}

/// That no step is named, and which wait.
pub(crate) fn no_step(listed: &[(Arc<Flow>, NextSteps)], flow: &Flow) -> Failure {
    let id = short_of(listed, &flow.id);
    let found = listed.iter().find(|(other, _)| other.id == flow.id);
    let steps = found
        .map(|(_, next)| confirmations(next))
        .unwrap_or_default();
    let Some(first) = steps.first() else {
        let text = format!("no step of workflow {id} waits for a confirmation");
        return Failure::usage(text).command(format!("workflow status {id}"), "shows its state");
    };
    let text = format!(
        "no step named; these wait for a confirmation: {}",
        steps.join(", ")
    );
    let command = format!("workflow confirm {id} {first}");
    Failure::usage(text).command(command, "confirms the first")
}

async fn start(
    workflows: &Workflows,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let workflow = read(workflows, matches).await?;
    workflows
        .check_secrets(&workflow)
        .map_err(GuardError::from)?;
    check_system(&workflow, global).await?;
    let mut options = StartOptions::default();
    let given = Some(given_reason(matches)).filter(|reason| !reason.is_empty());
    options.reason = given.map(str::to_owned);
    options.scheduled_at = matches.get_one("scheduled-at").copied();
    options.begin_by = matches.get_one("begin-by").copied();
    let actor = global.state.actor()?;
    let planned = workflows.preview(&workflow, &actor).await?;
    output.note(&format!(
        "{}\n",
        report::planned(&workflow, &planned, global)
    ));
    confirmed(&workflow, &planned, matches.get_flag("yes")).await?;
    let flow = workflows.start(&workflow, &actor, options).await?;
    output.note(&format!(
        "started workflow {}",
        short(workflows, &flow.id).await?
    ));
    if matches.get_flag("detach") {
        return status(workflows, &flow.id, global, output).await;
    }
    run(workflows, &flow, matches, global, output).await
}

/// Asks, unless the command line said yes: for more than `y` where a step is of high risk.
pub(crate) async fn confirmed(
    workflow: &Workflow,
    planned: &[PlannedStep],
    yes: bool,
) -> Result<(), Failure> {
    let Some(risk) = planned.iter().filter_map(|step| step.risk).max() else {
        return Ok(());
    };
    let count = workflow.steps.len();
    let s = if count == 1 { "" } else { "s" };
    let title = printable(&workflow.title);
    let what = format!("This starts the workflow \"{title}\": {count} step{s}, {risk} risk.");
    let word = match risk {
        Risk::Low | Risk::Medium => Word::Yes,
        _ => Word::This("start"),
    };
    asked(&what, word, yes, "nothing was started").await
}

/// The id of a workflow as people are shown it.
async fn short(workflows: &Workflows, id: &str) -> Result<String, Failure> {
    Ok(short_of(&workflows.list().await?, id))
}

/// The same among these.
pub(crate) fn short_of(listed: &[(Arc<Flow>, NextSteps)], id: &str) -> String {
    ids::short(id, listed.iter().map(|(flow, _)| flow.id.as_str()))
}

/// Refuses a system that is not the one asked for, before anything is started.
async fn check_system(workflow: &Workflow, global: &Global) -> Result<(), Failure> {
    if global.connection.cluster_id.is_none() {
        return Ok(());
    }
    let registry = global.connection.registry().await?;
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
    let actor = global.state.actor()?;
    let mut follow = report::FollowFlow::default();
    let run = {
        let mut watch = |event| {
            output.event(&event);
            follow.event(event);
        };
        tokio::select! {
            biased;
            run = workflows.run(&flow.id, &actor, wait_policy, &mut watch) => Some(run),
            () = interrupted() => None,
        }
    };
    follow.finish();
    let id = short(workflows, &flow.id).await?;
    match run {
        Some(run) => Ok(show(&run?, global, output)),
        None => Err(Failure::interrupted(format!(
            "stopped following workflow {id}; a mutation that was sent continues"
        ))
        .next(format!(
            "run `{}` to continue",
            global.own_command(&["workflow", "resume", &id])
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
    output.show(
        &json!({"flow": run.flow, "next_steps": run.next_steps}),
        || report::run(run, global),
    );
    exit(run)
}

async fn list(workflows: &Workflows, output: &mut Output) -> Result<Exit, Failure> {
    show_list(&workflows.list().await?, output);
    Ok(Exit::Done)
}

pub(crate) fn show_list(started: &[(Arc<Flow>, NextSteps)], output: &mut Output) {
    let makers = arguments::makers();
    let items: Vec<Value> = started
        .iter()
        .map(|(flow, next_steps)| json!({"flow": flow, "next_steps": next_steps}))
        .collect();
    output.show_list("workflows", &items, || report::list(started, &makers));
}
