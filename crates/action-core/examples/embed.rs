//! A whole subject and its use: a dial that is set at once, and set back by its old value.
//!
//! `cargo run -p action-core --example embed`

use std::sync::Mutex;

use action_core::{
    Accepted, ActionRegistry, ActionSet, Attempt, Attribution, Cost, Effect, Evidence, FailureKind,
    Mutation, Observation, Outcome, Plan, Progress, Risk, Sent, Subject, SubjectError, Undo,
    Verdict, tool_json,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A dial from 0 to 10.
struct Dial(Mutex<u8>);

#[derive(Debug, thiserror::Error)]
#[error("the dial is stuck")]
struct Stuck;

impl SubjectError for Stuck {
    fn kind(&self) -> FailureKind {
        FailureKind::Refused
    }
}

#[async_trait]
impl Subject for Dial {
    const NAME: &'static str = "dial";
    type Error = Stuck;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ReadDial>()
            .mutation::<SetDial>()
    }

    async fn identity(&self) -> Result<String, Stuck> {
        Ok("the only dial".to_owned())
    }
}

impl Dial {
    fn read(&self) -> Result<u8, Stuck> {
        self.0.lock().map(|value| *value).map_err(|_| Stuck)
    }
}

/// Reads the dial.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadDial {}

/// What the dial shows.
#[derive(Serialize, JsonSchema)]
struct Reading {
    /// Its value, 0 to 10.
    value: u8,
}

#[async_trait]
impl Observation<Dial> for ReadDial {
    const NAME: &'static str = "read_dial";
    const COST: Cost = Cost::Point;
    type Output = Reading;

    async fn observe(&self, dial: &Dial) -> Result<Reading, Stuck> {
        Ok(Reading {
            value: dial.read()?,
        })
    }
}

/// Sets the dial. It is done when the call returns.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetDial {
    /// Where the dial points afterwards.
    #[schemars(range(min = 0, max = 10))]
    value: u8,
}

#[async_trait]
impl Mutation<Dial> for SetDial {
    const NAME: &'static str = "set_dial";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = u8;

    fn resources(&self) -> Vec<String> {
        vec!["dial".to_owned()]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some("dial".to_owned())
    }

    async fn plan(&self, dial: &Dial) -> Result<Plan<u8>, Stuck> {
        let before = dial.read()?;
        let verdict = if before == self.value {
            Verdict::NoOp {
                already: format!("the dial is at {before}"),
            }
        } else {
            Verdict::WouldProceed
        };
        let steps = before.abs_diff(self.value).into();
        Ok(Plan::new(verdict, before)
            .same("value", before)
            .impact("turn", steps, "steps"))
    }

    async fn send(&self, dial: &Dial, _: &Self::Before, _: &Attempt) -> Result<Accepted, Stuck> {
        *dial.0.lock().map_err(|_| Stuck)? = self.value;
        Ok(Accepted::new("click"))
    }

    async fn probe(&self, dial: &Dial, _: &u8, _: &Sent) -> Result<Progress, Stuck> {
        let now = dial.read()?;
        let evidence = vec![Evidence::new("the dial", "value", now)];
        if now == self.value {
            Ok(Progress::applied(
                Attribution::Undecided,
                format!("the dial is at {now}"),
                evidence,
            ))
        } else {
            Ok(Progress::not_applied(
                "not_set",
                format!("the dial is at {now}"),
                true,
                evidence,
            ))
        }
    }

    fn undo(&self, before: &u8, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::with::<Dial, _>(&Self { value: *before }).expecting("value", self.value)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut registry = ActionRegistry::new();
    registry.register(Dial(Mutex::new(3)))?;

    // What a model is offered.
    for definition in registry.definitions() {
        show(&tool_json::mcp(definition));
    }
    // All that is wrong, at once.
    if let Err(error) = registry.validate("set_dial", json!({ "valeu": 3, "value": 11 })) {
        show(&json!(error.report()));
    }
    // What a mutation goes through; `action-guard` does this, and keeps a journal.
    let request = json!({ "value": 7 });
    let plan = registry.plan("set_dial", request.clone()).await?;
    show(&json!(plan));
    let attempt = Attempt::new("1", 0, None);
    let accepted = registry
        .send("set_dial", request.clone(), &plan.before, &attempt)
        .await?;
    let sent = Sent::new(attempt, Some(accepted), 0);
    let progress = registry
        .probe("set_dial", request.clone(), &plan.before, &sent)
        .await?;
    show(&json!(progress));
    show(&json!(registry.undo(
        "set_dial",
        request,
        &plan.before,
        None,
        None
    )?));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn show(value: &serde_json::Value) {
    println!("{value:#}");
}
