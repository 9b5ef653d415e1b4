//! Workflows for people.

use std::sync::Arc;

use action_core::{ActionDefinition, Step, Work, Workflow, printable};
use action_guard::{
    AttemptState, Attempts, Ending, Flow, FlowEvent, FlowRun, NextSteps, PlannedStep, StepEvent,
    Waiting,
};

use crate::call::Call;
use crate::flags::first_sentence;
use crate::ids;
use crate::reports::{plan, proposal};
use crate::settings::Global;
use crate::terminal::output::note;
use crate::terminal::progress::Follow;
use crate::terminal::table::{self, Column, section};
use crate::terminal::values::when;

/// What was started, and what can be.
pub(crate) fn list(started: &[(Arc<Flow>, NextSteps)], makers: &[&ActionDefinition]) -> String {
    let rows = started.iter().map(|(flow, next_steps)| {
        vec![
            ids::short(&flow.id, others(started)),
            state_of(flow, next_steps),
            format!("{} of {}", done(flow), flow.workflow.steps.len()),
            flow.workflow.title.clone(),
            flow.by.to_string(),
            when(flow.started_at),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let started = if rows.is_empty() {
        "No workflows.".to_owned()
    } else {
        let columns = [
            Column::new("id"),
            Column::new("state"),
            Column::new("steps").whole(),
            Column::new("what"),
            Column::new("started by"),
            Column::new("started at").whole().first_to_go(),
        ];
        table::list(columns.into(), rows)
    };
    let makers = makers
        .iter()
        .map(|maker| vec![maker.name.clone(), first_sentence(&maker.description)]);
    let makers = section("Available", makers.collect());
    [Some(started), makers]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n")
}

fn others(started: &[(Arc<Flow>, NextSteps)]) -> impl Iterator<Item = &str> {
    started.iter().map(|(flow, _)| flow.id.as_str())
}

/// One that is not started.
pub(crate) fn workflow(workflow: &Workflow) -> String {
    let steps = workflow.steps.iter();
    let rows = steps.map(|step| vec![step.id.clone(), what(step), step.needs.join(", ")]);
    let steps = table::table(&["step", "what", "needs"], rows.collect());
    format!("{}\n\n{steps}", printable(&workflow.title))
}

/// One that is not started, with what its mutations would do and what the rules say of that.
pub(crate) fn planned(document: &Workflow, steps: &[PlannedStep], global: &Global) -> String {
    let mut parts = vec![workflow(document)];
    for step in steps {
        let call = Call::named(&step.action, global);
        let text = match (&step.proposal, call) {
            (Some(proposal), Some(call)) => plan::Planned {
                call: &call,
                parameters: &proposal.request.parameters,
                system: Some(&proposal.system),
                plan: &proposal.plan,
                undo: &proposal.undo,
                taken_back: plan::TakenBack::ByLaterId,
            }
            .text(),
            _ => {
                let why = step.unplanned.as_deref().unwrap_or("unknown action");
                format!("{}: cannot be planned yet: {}", step.action, printable(why))
            }
        };
        parts.push(format!("Step {}: {text}", step.step));
        parts.extend(
            step.ruling
                .as_ref()
                .map(|ruling| printable(&proposal::ruling(ruling)).into_owned()),
        );
    }
    parts.join("\n\n")
}

/// One that was started.
pub(crate) fn run(run: &FlowRun, global: &Global) -> String {
    let flow = &run.flow;
    let rows = flow.workflow.steps.iter().map(|step| {
        let state = flow.steps.get(&step.id);
        let forward = match (step.work(), state) {
            (Work::Undo { of, .. }, Some(state)) if state.forward.is_settled() => {
                let undone = flow.steps.get(of).map(|undone| &undone.back.state);
                undone.and_then(taken_back).unwrap_or_default()
            }
            (_, state) => state.map_or_else(String::new, |state| attempts(&state.forward)),
        };
        let back = state.map_or_else(String::new, |state| back(&state.back));
        vec![step.id.clone(), what(step), format!("{forward}{back}")]
    });
    let mut lines = vec![
        format!("{}: {}", flow.id, printable(&flow.workflow.title)),
        format!("started by {} at {}", flow.by, when(flow.started_at)),
        String::new(),
        table::table(&["step", "what", "state"], rows.collect()),
        String::new(),
        state_of(flow, &run.next_steps),
    ];
    if let Some(stopped) = &run.next_steps.stopped {
        let step = stopped
            .step
            .as_ref()
            .map_or_else(String::new, |step| format!("{step}: "));
        lines.push(format!("  {step}{}", printable(&stopped.reason)));
        lines.push(format!("  next: {}", stopped.next));
        let proposal = stopped.proposal.as_ref();
        lines.extend(proposal.map(|id| format!("  proposal {id}")));
    }
    for waiting in &run.next_steps.waiting {
        lines.extend(wait(waiting, flow, global));
    }
    lines.join("\n")
}

/// The command that goes on with it.
pub(crate) fn resume(flow: &Flow, global: &Global) -> String {
    // What was agreed to is for who is at it: somebody else would have to be agreed to anew.
    let resume = ["workflow", "resume", &flow.id];
    match global.state.actor_without_flag() {
        Ok(who) if who.is_same(&flow.by) => global.command(&resume),
        _ => global.command_of(flow.by.as_str(), &resume),
    }
}

fn wait(waiting: &Waiting, flow: &Flow, global: &Global) -> Vec<String> {
    let command = |words: &[&str]| global.command(words);
    let then = resume(flow, global);
    match waiting {
        Waiting::Approval { step, proposal } => vec![
            format!("{step} needs approval:"),
            format!("  {}", command(&["proposals", "show", proposal])),
            format!("and then\n  {then}"),
        ],
        Waiting::Confirmation { step, text, by, .. } => vec![
            format!(
                "{step} waits for {} to do this and confirm it:",
                confirmers(by)
            ),
            format!("  {}", printable(text)),
            format!("  {}", command(&["workflow", "confirm", &flow.id, step])),
            format!("and then\n  {then}"),
        ],
        Waiting::Schedule { at } => vec![format!(
            "can begin at {at}; to begin it then, run\n  {then}"
        )],
        Waiting::Retry { step, at } => vec![format!("{step} will be retried at {at}")],
        Waiting::Mutation { step, proposal } => {
            vec![format!("{step} is in progress: proposal {proposal}")]
        }
        _ => Vec::new(),
    }
}

/// How it stands, in a few words.
pub(crate) fn state_of(flow: &Flow, next_steps: &NextSteps) -> String {
    match (&next_steps.ended, &next_steps.stopped) {
        (Some(Ending::Completed), _) => "completed".to_owned(),
        (Some(Ending::Cancelled), _) => "cancelled".to_owned(),
        (Some(Ending::Compensated), _) => compensated(flow),
        (Some(_), _) => "ended".to_owned(),
        (None, Some(_)) => "stopped".to_owned(),
        (None, None) if next_steps.ready.is_empty() && !next_steps.waiting.is_empty() => {
            "waiting".to_owned()
        }
        (None, None) => "in progress".to_owned(),
    }
}

/// What came of taking back all that it did.
fn compensated(flow: &Flow) -> String {
    let all = flow.applied.iter().filter_map(|id| {
        let state = flow.steps.get(id)?;
        Some((id.as_str(), &state.back.state))
    });
    let (left, rest): (Vec<_>, Vec<_>) =
        all.partition(|(_, state)| matches!(state, AttemptState::Left { .. }));
    let any = rest
        .iter()
        .any(|(_, state)| matches!(state, AttemptState::Done { .. }));
    let left: Vec<_> = left.into_iter().map(|(id, _)| id).collect();
    match (any, left.as_slice()) {
        (true, []) => "taken back".to_owned(),
        (true, left) => format!("taken back except {}", left.join(", ")),
        (false, _) => "nothing to take back".to_owned(),
    }
}

fn done(flow: &Flow) -> usize {
    let steps = flow.workflow.steps.iter();
    steps.filter(|step| flow.is_done(&step.id)).count()
}

/// Who may confirm.
fn confirmers(by: &[String]) -> String {
    match by {
        [] => "a person".to_owned(),
        by => by.join(" or "),
    }
}

fn what(step: &Step) -> String {
    match step.work() {
        Work::Action {
            name, parameters, ..
        } => plan::request(name, &serde_json::Value::Object(parameters.clone())),
        Work::Undo { of, .. } => format!("take back {of}"),
        Work::Observe { name, until, .. } => {
            let until: Vec<String> = until.iter().map(ToString::to_string).collect();
            format!("until {name} shows {}", until.join(" and "))
        }
        Work::Confirm { text, by, .. } => format!("{}: {text}", confirmers(by)),
        _ => String::new(),
    }
}

/// What came of taking a step back; `None` while it is not over.
fn taken_back(state: &AttemptState) -> Option<String> {
    match state {
        AttemptState::Done { summary, .. } => {
            let summary = summary.as_ref().map(|summary| format!(": {summary}"));
            Some(format!("took it back{}", summary.unwrap_or_default()))
        }
        AttemptState::Left { reason } => Some(format!("nothing to take back: {reason}")),
        _ => None,
    }
}

/// How taking back a step stands, behind how the step does.
fn back(back: &Attempts) -> String {
    match (&back.state, attempts(back)) {
        (AttemptState::Left { reason }, _) => format!("; nothing to take back: {reason}"),
        (AttemptState::Done { summary, .. }, _) => {
            let summary = summary.as_ref().map(|summary| format!(": {summary}"));
            format!("; taken back{}", summary.unwrap_or_default())
        }
        (_, how) if how.is_empty() => how,
        (_, how) => format!("; taking it back: {how}"),
    }
}

fn attempts(attempts: &Attempts) -> String {
    match &attempts.state {
        AttemptState::Open => String::new(),
        AttemptState::Proposed => "proposed".to_owned(),
        AttemptState::Done { summary, by, .. } => {
            let by = by.as_ref().map(|by| format!(" by {by}"));
            let summary = summary.as_ref().map(|summary| format!(": {summary}"));
            format!(
                "done{}{}",
                by.unwrap_or_default(),
                summary.unwrap_or_default()
            )
        }
        AttemptState::Failed(failure) => format!("{}: {}", failure.code, failure.reason),
        AttemptState::Left { reason } => format!("nothing of ours is left: {reason}"),
        _ => String::new(),
    }
}

/// Shows what happens, on stderr.
#[derive(Default)]
pub(crate) struct FollowFlow {
    follow: Follow,
    last: String,
}

impl FollowFlow {
    pub(crate) fn event(&mut self, event: FlowEvent) {
        match event {
            FlowEvent::Proposed { step, proposal } => {
                self.line(&format!("{step}: proposed as {proposal}"));
            }
            FlowEvent::Mutation { step, seen } => {
                self.line(&format!("{step}:"));
                self.follow.event(*seen);
            }
            FlowEvent::NotYet { step, unmet } => self.line(&format!("{step}: not yet: {unmet}")),
            FlowEvent::NotNow { step, why } => self.line(&format!("{step}: waiting: {why}")),
            FlowEvent::Step { step, what } => match what {
                StepEvent::Seen { summary } => self.line(&format!("{step}: {summary}")),
                StepEvent::Failed { reason, .. } | StepEvent::NotTakenBack { reason, .. } => {
                    self.line(&format!("{step}: {reason}"));
                }
                StepEvent::Left { reason } => self.line(&format!("{step}: skipped: {reason}")),
                _ => {}
            },
            FlowEvent::Waiting { .. } => self.line("waiting for a person or for a start time"),
            _ => {}
        }
    }

    pub(crate) fn finish(&mut self) {
        self.follow.finish();
    }

    /// The same line once.
    fn line(&mut self, line: &str) {
        if self.last != line {
            line.clone_into(&mut self.last);
            note(&printable(line));
        }
    }
}
