//! One action's request: is it right, and to whom does it go. Beside reading it as JSON.

use std::hint::black_box;

use action_core::{
    ActionRegistry, ActionSet, Catalogue, Cost, FailureKind, Observation, Subject, SubjectError,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::Failed;
use crate::measure::compared;
use crate::report::{Budget, Report};

struct Echo;

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl SubjectError for Never {
    fn kind(&self) -> FailureKind {
        FailureKind::Refused
    }
}

#[async_trait]
impl Subject for Echo {
    const NAME: &'static str = "echo";
    type Error = Never;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<TwoNumbers>()
            .observation::<Named>()
    }

    async fn identity(&self) -> Result<String, Never> {
        Ok("echo".to_owned())
    }
}

/// Nothing.
#[derive(Serialize, JsonSchema)]
struct Nothing {}

/// Two numbers, as a leader's transfer has.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TwoNumbers {
    /// A region.
    #[schemars(range(min = 1))]
    region_id: u64,
    /// A store.
    #[schemars(range(min = 1))]
    to_store_id: u64,
}

/// Text with a pattern.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// A scheduler.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[a-z][a-z0-9-]*$"))]
    scheduler: String,
}

#[async_trait]
impl Observation<Echo> for TwoNumbers {
    const NAME: &'static str = "two_numbers";
    const COST: Cost = Cost::Point;
    type Output = Nothing;

    async fn observe(&self, _: &Echo) -> Result<Nothing, Never> {
        black_box(self.region_id + self.to_store_id);
        Ok(Nothing {})
    }
}

#[async_trait]
impl Observation<Echo> for Named {
    const NAME: &'static str = "named";
    const COST: Cost = Cost::Point;
    type Output = Nothing;

    async fn observe(&self, _: &Echo) -> Result<Nothing, Never> {
        black_box(&self.scheduler);
        Ok(Nothing {})
    }
}

const RUNS: u64 = 20_000;

pub(crate) fn measure(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    let catalogue = catalogue()?;
    let (numbers, text) = (two_numbers(), named());
    let beside = "`serde_json::from_value`, and the result to JSON";
    report.row(
        "validate and dispatch, two numbers",
        beside,
        Budget::Cpu(3.0),
        RUNS,
        compared(
            || dispatched(runtime, &catalogue, "two_numbers", &numbers, RUNS),
            || read::<TwoNumbers>(&numbers),
        ),
    );
    report.row(
        "validate and dispatch, text with a pattern",
        beside,
        Budget::Cpu(3.0),
        RUNS,
        compared(
            || dispatched(runtime, &catalogue, "named", &text, RUNS),
            || read::<Named>(&text),
        ),
    );
    Ok(())
}

/// One of the two, so many times, for whoever counts.
pub(crate) fn repeated(runtime: &Runtime, with_pattern: bool, times: u64) -> Result<(), Failed> {
    let catalogue = catalogue()?;
    let (name, parameters) = match with_pattern {
        true => ("named", named()),
        false => ("two_numbers", two_numbers()),
    };
    dispatched(runtime, &catalogue, name, &parameters, times);
    Ok(())
}

fn catalogue() -> Result<Catalogue, Failed> {
    let mut registry = ActionRegistry::new();
    registry.register(Echo)?;
    Ok(registry.catalogue())
}

fn two_numbers() -> Value {
    json!({"region_id": 4711, "to_store_id": 3})
}

fn named() -> Value {
    json!({"scheduler": "balance-leader-scheduler"})
}

fn dispatched(
    runtime: &Runtime,
    catalogue: &Catalogue,
    name: &str,
    parameters: &Value,
    times: u64,
) {
    runtime.block_on(async {
        for _ in 0..times {
            let observed = catalogue.observe(name, parameters.clone()).await;
            black_box(observed.is_ok());
        }
    });
}

/// What serde alone does.
fn read<T: for<'a> Deserialize<'a>>(parameters: &Value) {
    for _ in 0..RUNS {
        let read = serde_json::from_value::<T>(parameters.clone());
        black_box(read.is_ok());
        black_box(serde_json::to_value(Nothing {}).is_ok());
    }
}
