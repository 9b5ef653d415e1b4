//! Workflows to carry out on a plant, and whoever does it.

use std::sync::Arc;
use std::time::Duration;

use action_core::Workflow;
use action_guard::{
    AttemptState, FlowRun, Guard, MemoryJournal, Mode, Policy, StartOptions, StopCode, WaitPolicy,
    Workflows,
};
use serde_json::{Value, json};

use crate::fixtures::{actor, mode, write};
use crate::test_workflow_subject::Plant;

/// Open a, wait for the gauge, wait for somebody, open b, close a again.
pub(crate) fn document() -> Value {
    json!({
        "title": "flush b",
        "steps": [
            {"id": "open-a", "action": "open_valve", "parameters": {"valve": "a"}},
            {"id": "low", "observe": "read_gauge", "until": [{"at": "/pressure", "at_most": 2}],
             "readings": 2, "within": "10s", "poll": "10ms"},
            {"id": "look", "confirm": "Look at b."},
            {"id": "open-b", "action": "open_valve", "parameters": {"valve": "b"}},
            {"id": "close-a", "undo": "open-a"},
        ],
    })
}

/// Opens valves one after the other.
pub(crate) fn open(valves: &[&str]) -> Value {
    let steps = valves.iter().map(|valve| {
        json!({"id": format!("open-{valve}"), "action": "open_valve", "parameters": {"valve": valve}})
    });
    json!({"title": "open some", "steps": steps.collect::<Vec<_>>()})
}

pub(crate) struct Fixture {
    pub(crate) plant: Plant,
    pub(crate) guard: Guard,
    pub(crate) workflows: Workflows,
}

pub(crate) async fn fixture_under(policy: Option<&str>) -> Fixture {
    let plant = Plant::new();
    let journal = MemoryJournal::new();
    let mut guard = Guard::new(plant.registry(), journal).settle_for(Duration::ZERO);
    if let Some(policy) = policy {
        let policy: Policy = policy.parse().unwrap();
        guard = guard.rules(Arc::new(policy));
    }
    execute(&guard).await;
    let workflows = Workflows::new(guard.clone());
    Fixture {
        plant,
        guard,
        workflows,
    }
}

pub(crate) async fn fixture() -> Fixture {
    fixture_under(None).await
}

pub(crate) async fn execute(guard: &Guard) {
    write(guard.journal(), [mode(Mode::Execute)]).await.unwrap();
}

impl Fixture {
    pub(crate) async fn start(&self, document: Value) -> String {
        let workflow = Workflow::read(&document).unwrap();
        let by = actor("agent:night");
        let options = StartOptions::default().reason("it is due");
        let flow = self.workflows.start(&workflow, &by, options).await.unwrap();
        flow.id.clone()
    }

    pub(crate) async fn run(&self, id: &str) -> FlowRun {
        let workflows = &self.workflows;
        workflows
            .run(
                id,
                &actor("agent:night"),
                WaitPolicy::UntilPeople,
                &mut |_| {},
            )
            .await
            .unwrap()
    }

    pub(crate) async fn run_until_ended(&self, id: &str) -> FlowRun {
        let workflows = &self.workflows;
        workflows
            .run(
                id,
                &actor("agent:night"),
                WaitPolicy::UntilEnded,
                &mut |_| {},
            )
            .await
            .unwrap()
    }
}

pub(crate) fn stopped(run: &FlowRun) -> StopCode {
    run.next_steps.stopped.as_ref().unwrap().code
}

pub(crate) fn failure(run: &FlowRun, step: &str) -> String {
    match &run.flow.steps[step].forward.state {
        AttemptState::Failed(failure) => failure.code.clone(),
        other => unreachable!("{other:?}"),
    }
}

/// Wants one person's agreement to everything.
pub(crate) const PEOPLE: &str = r#"
version = 1

[[rule]]
name = "people"
decision = "approve"
by = ["user:*"]
count = 1
ttl = "1m"
"#;
