//! Workflows at a gate: it carries on what is started, and what is asked here is how that gets on.

use std::sync::Arc;
use std::time::Duration;

use action_core::{Workflow, redacted};
use action_guard::policy::Confirmed;
use action_guard::{
    Flow, FlowEvent, FlowRun, Guard, GuardError, Hash, MemoryJournal, NextSteps, PlannedStep,
    Proof, Waiting, Workflows,
};
use clap::ArgMatches;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arguments::given_reason;
use crate::flags;
use crate::gate::Gate;
use crate::reports::workflow as report;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::interrupt::interrupted;
use crate::terminal::output::Output;
use crate::verbs::workflow::{
    Named, confirmed, exit, meant, no_step, not_found, pick, short_of, show_list, text_of,
};

/// How long the gate is asked to wait for something to change, before it is asked again.
const WAIT: Duration = Duration::from_secs(2);

/// How a workflow stands at a gate.
#[derive(Deserialize)]
struct Stands {
    flow: Arc<Flow>,
    next_steps: NextSteps,
    is_carried_on: bool,
    held_up: Option<String>,
}

impl Stands {
    /// Whether nothing more comes of it without people, or before a date.
    fn takes_people(&self) -> bool {
        let mut waiting = self.next_steps.waiting.iter();
        self.next_steps.ready.is_empty() && waiting.all(Waiting::takes_people_or_a_date)
    }

    fn show(self, global: &Global, output: &mut Output) -> Exit {
        let run = FlowRun::new(self.flow, self.next_steps);
        let data = json!({"flow": run.flow, "next_steps": run.next_steps});
        output.show(&data, || report::run(&run, global));
        exit(&run)
    }
}

#[derive(Deserialize)]
struct Listed {
    workflows: Vec<Stands>,
}

#[derive(Deserialize)]
struct Previewed {
    steps: Vec<PlannedStep>,
}

pub(super) async fn main(
    gate: &Gate,
    matches: &ArgMatches,
    (as_given, global): (&Global, &Global),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Failure::usage("unknown command"));
    };
    match verb {
        "list" => {
            show_list(&listed(gate).await?, output);
            return Ok(Exit::Done);
        }
        "show" => {
            let workflow = read(gate, matches, global).await?;
            output.show(&workflow, || report::workflow(&workflow));
            return Ok(Exit::Done);
        }
        "start" => return start(gate, matches, global, output).await,
        _ => {}
    }
    started(verb, gate, matches, (as_given, global), output).await
}

/// What is about one that was started.
async fn started(
    verb: &str,
    gate: &Gate,
    matches: &ArgMatches,
    (as_given, global): (&Global, &Global),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let all = listed(gate).await?;
    let found = pick(&all, matches, verb)?;
    let found = found.ok_or_else(|| not_found(&text_of(matches, "id").unwrap_or_default()))?;
    let of = |what: &str| {
        format!(
            "/api/v1/workflows/{}{what}",
            gate_client::segment(&found.id)
        )
    };
    let why = || json!({ "reason": given_reason(matches) });
    match verb {
        "status" => {
            let stands = get(gate, &found.id, Duration::ZERO).await?;
            stands.show(global, output);
            Ok(Exit::Done)
        }
        "cancel" => {
            let stands: Stands = gate.post(&of("/cancel"), &why()).await?;
            stands.show(global, output);
            Ok(Exit::Done)
        }
        "confirm" => {
            if text_of(matches, "step").is_none() {
                return Err(no_step(&all, &found));
            }
            let body = confirmation(&found, matches, as_given)?;
            let stands: Stands = gate.post(&of("/confirm"), &body).await?;
            stands.show(global, output);
            Ok(Exit::Done)
        }
        "resume" => {
            if matches.get_flag("retry") {
                gate.post::<Stands>(&of("/resume"), &why()).await?;
            }
            follow(gate, &found, matches, global, output).await
        }
        _ => {
            gate.post::<Stands>(&of("/compensate"), &why()).await?;
            follow(gate, &found, matches, global, output).await
        }
    }
}

async fn get(gate: &Gate, id: &str, wait: Duration) -> Result<Stands, Failure> {
    let (id, seconds) = (gate_client::segment(id), wait.as_secs());
    let path = format!("/api/v1/workflows/{id}?wait_seconds={seconds}");
    gate.get(&path).await
}

async fn listed(gate: &Gate) -> Result<Vec<(Arc<Flow>, NextSteps)>, Failure> {
    let Listed { workflows } = gate.get("/api/v1/workflows").await?;
    let each = workflows.into_iter();
    Ok(each.map(|one| (one.flow, one.next_steps)).collect())
}

/// The workflow that is meant: in a file here, or made by an action there.
async fn read(gate: &Gate, matches: &ArgMatches, global: &Global) -> Result<Workflow, Failure> {
    let document = match meant(matches)? {
        Named::Document(document) => document,
        Named::MadeBy(definition, matches) => {
            let given = flags::parameters(definition, matches)?;
            let name = gate_client::segment(&definition.name);
            let path = gate.path(global, &format!("observations/{name}"))?;
            gate.look(&path, &given).await?
        }
    };
    let workflow = Workflow::read(&document).map_err(GuardError::from)?;
    // A secret is neither shown nor sent.
    let guard = Guard::new(action_core::ActionRegistry::new(), MemoryJournal::new());
    let checked = Workflows::new(guard).check_secrets(&workflow);
    checked.map_err(GuardError::from)?;
    Ok(workflow)
}

async fn start(
    gate: &Gate,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let workflow = read(gate, matches, global).await?;
    global
        .connection
        .check_system(&gate.cluster(global)?.system)?;
    let path = gate.path(global, "workflows")?;
    let mut body = json!({ "document": workflow });
    let planned: Previewed = gate.look(&format!("{path}/preview"), &body).await?;
    let shown = report::planned(&workflow, &planned.steps, global);
    output.note(&format!("{shown}\n"));
    confirmed(&workflow, &planned.steps, matches.get_flag("yes")).await?;
    let reason = Some(given_reason(matches)).filter(|reason| !reason.is_empty());
    let time = |name: &str| matches.get_one::<Timestamp>(name).copied();
    body["reason"] = json!(reason);
    body["scheduled_at"] = json!(time("scheduled-at"));
    body["begin_by"] = json!(time("begin-by"));
    let stands: Stands = gate.post_by_key(&path, &body, &key(&body)).await?;
    let id = short_of(&listed(gate).await?, &stands.flow.id);
    output.note(&format!("started workflow {id}"));
    if matches.get_flag("detach") {
        stands.show(global, output);
        return Ok(Exit::Done);
    }
    follow(gate, &stands.flow, matches, global, output).await
}

/// A key for just this request.
fn key(body: &Value) -> String {
    let this = format!("{} {} {body}", Timestamp::now(), std::process::id());
    Hash::of(this.as_bytes()).to_string()
}

/// What is said of a step, signed where there is a key.
fn confirmation(flow: &Flow, matches: &ArgMatches, as_given: &Global) -> Result<Value, Failure> {
    let step = text_of(matches, "step").unwrap_or_default();
    // What is signed is what is written.
    let note = text_of(matches, "note").map(|note| redacted(&note).into_owned());
    let proof = match as_given.state.key()? {
        Some(key) => {
            let (by, now) = (as_given.state.actor()?, Timestamp::now());
            let confirmed = Confirmed::new(&flow.id, &step, note.as_deref());
            Some(Proof::of_confirmation(&confirmed, &by, now, &key))
        }
        None => None,
    };
    Ok(json!({ "step": step, "note": note, "proof": proof }))
}

/// Looks how it gets on until it is over, stopped, or takes people.
async fn follow(
    gate: &Gate,
    known: &Flow,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (id, waits) = (&*known.id, matches.get_flag("wait-for-people"));
    let mut told = report::FollowFlow::default();
    let stands = {
        let mut proposed: Vec<String> = proposals(known).into_iter().map(|(_, id)| id).collect();
        let following = async {
            let mut stands = get(gate, id, Duration::ZERO).await?;
            loop {
                for (step, proposal) in proposals(&stands.flow) {
                    if !proposed.contains(&proposal) {
                        proposed.push(proposal.clone());
                        let event = FlowEvent::Proposed { step, proposal };
                        output.event(&event);
                        told.event(event);
                    }
                }
                let next = &stands.next_steps;
                let is_over = next.ended.is_some() || next.stopped.is_some();
                if is_over || (stands.takes_people() && !waits) {
                    return Ok(stands);
                }
                if let Some(why) = stands.held_up.as_ref().filter(|_| !stands.is_carried_on) {
                    let text = format!("the gate does not carry on this workflow: {why}");
                    return Err(Failure::refused("held_up", text)
                        .command("workflow status ID", "shows its state"));
                }
                stands = get(gate, id, WAIT).await?;
            }
        };
        tokio::select! {
            biased;
            stands = following => Some(stands),
            () = interrupted() => None,
        }
    };
    told.finish();
    match stands {
        Some(stands) => Ok(stands?.show(global, output)),
        None => {
            let text = format!("stopped following workflow {id}; the gate continues it");
            let again = global.own_command(&["workflow", "resume", id]);
            Err(Failure::interrupted(text).next(format!("run `{again}` to follow it again")))
        }
    }
}

/// What was proposed for its steps, and what takes them back.
fn proposals(flow: &Flow) -> Vec<(String, String)> {
    let steps = flow.workflow.steps.iter();
    let states = steps.filter_map(|step| Some((&step.id, flow.steps.get(&step.id)?)));
    let each = states.flat_map(|(id, state)| {
        let both = [&state.forward.proposal, &state.back.proposal];
        both.into_iter()
            .flatten()
            .map(move |one| (id.clone(), one.clone()))
    });
    each.collect()
}
