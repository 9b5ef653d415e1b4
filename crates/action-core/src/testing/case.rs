//! One action on one fresh fake: planned, sent and followed as a guard does it, with writes counted.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::declare::Subject;
use crate::error::{ActionError, report};
use crate::registry::ActionRegistry;
use crate::schema::ActionDefinition;
use crate::testing::broken::{Broken, Promise};
use crate::testing::fake_system::{Example, FakeSystem};
use crate::values::{Accepted, Attempt, Evidence, Plan, Progress, Sent};

/// One action on one fake.
pub(super) struct Case<F> {
    pub(super) fake: F,
    pub(super) registry: ActionRegistry,
    pub(super) name: String,
    pub(super) example: Example,
}

/// A request that was planned, and perhaps sent.
pub(super) struct Run {
    pub(super) name: String,
    pub(super) parameters: Value,
    pub(super) plan: Plan,
    pub(super) attempt: Attempt,
    pub(super) accepted: Option<Accepted>,
}

impl<F: FakeSystem> Case<F> {
    pub(super) async fn start(definition: &ActionDefinition) -> Result<Self, Broken> {
        let fake = F::start(&definition.name).await;
        Ok(Self {
            registry: registry(&fake).await?,
            example: fake.example(&definition.name),
            name: definition.name.clone(),
            fake,
        })
    }

    pub(super) fn broken(&self, promise: Promise, what: impl Into<String>) -> Broken {
        Broken::new(&self.name, promise, what)
    }

    /// Parameters are valid, and what the action's own struct writes of them is read as the same.
    pub(super) fn check_round_trip(&self, parameters: &Value) -> Result<(), Broken> {
        let once = self.written(parameters, Promise::Example)?;
        match self.written(&once, Promise::RoundTrips)? {
            twice if twice == once => Ok(()),
            twice => {
                let what = format!("parameters {once} are read as {twice}");
                Err(self.broken(Promise::RoundTrips, what))
            }
        }
    }

    fn written(&self, parameters: &Value, promise: Promise) -> Result<Value, Broken> {
        let prepared = self.registry.prepare(&self.name, parameters.clone());
        let written = prepared.and_then(|prepared| {
            let bound = &prepared.action.bound;
            bound.written(&prepared.parameters)
        });
        written.map_err(|error| self.broken(promise, error.report()))
    }

    /// Nothing arrived and nothing changed so far.
    pub(super) async fn only_read(&self, promise: Promise, state: &Value) -> Result<(), Broken> {
        let writes = self.fake.writes();
        if writes != 0 {
            return Err(self.broken(promise, format!("the fake got {}", count(writes))));
        }
        let now = self.fake.state().await;
        if now != *state {
            return Err(self.broken(promise, difference(state, &now)));
        }
        Ok(())
    }

    /// The example, planned.
    pub(super) async fn planned(&self) -> Result<Run, Broken> {
        let parameters = self.example.goes_ahead.clone();
        self.planned_as(&self.name, parameters).await
    }

    /// Any request, planned, for this system.
    pub(super) async fn planned_as(&self, name: &str, parameters: Value) -> Result<Run, Broken> {
        let failed = |error: ActionError| {
            let what = format!("`{name}` with {parameters}: {}", error.report());
            self.broken(Promise::PlanOnlyReads, format!("it fails: {what}"))
        };
        let system = self.registry.identity(name).await.map_err(failed)?;
        let plan = self.registry.plan(name, parameters.clone()).await;
        let plan = plan.map_err(failed)?;
        let id = format!("attempt-{}", self.fake.writes() + 1);
        let attempt = Attempt::new(id, self.fake.unix_ms(), plan.clock);
        Ok(Run {
            name: name.to_owned(),
            parameters,
            attempt: attempt.for_system(system),
            plan,
            accepted: None,
        })
    }

    pub(super) async fn send(&self, run: &Run) -> Result<Accepted, ActionError> {
        let parameters = run.parameters.clone();
        self.registry
            .send(&run.name, parameters, &run.plan.before, &run.attempt)
            .await
    }

    /// One probe.
    pub(super) async fn probe(&self, run: &Run, sent: &Sent) -> Result<Progress, Broken> {
        let parameters = run.parameters.clone();
        let before = &run.plan.before;
        let progress = self.registry.probe(&run.name, parameters, before, sent);
        progress.await.map_err(|error| {
            let what = format!("`{}`: it fails: {}", run.name, error.report());
            self.broken(Promise::ProbeOnlyReads, what)
        })
    }

    /// Probes until it has ended, or until the plan's deadline is over.
    pub(super) async fn followed(&self, run: &Run) -> Result<(Progress, Sent), Broken> {
        let follow = run.plan.follow;
        let end = follow.deadline_ms.saturating_add(follow.settle_ms);
        let mut earlier: Vec<Evidence> = Vec::new();
        let mut elapsed = 0_u64;
        loop {
            let sent = run.sent(elapsed).earlier(earlier.clone());
            let progress = self.probe(run, &sent).await?;
            if !matches!(progress, Progress::Pending { .. }) || elapsed > end {
                return Ok((progress, sent));
            }
            for seen in progress.evidence() {
                if !earlier.iter().any(|one| one.fact == seen.fact) {
                    earlier.push(seen.clone());
                }
            }
            // Often at first, and then as seldom as it takes to see hours go by.
            let step = follow.poll_ms.max(elapsed / 8).max(1);
            self.fake.pass(Duration::from_millis(step)).await;
            elapsed = elapsed.saturating_add(step);
        }
    }
}

impl Run {
    /// What is known of it, so many milliseconds after it was sent.
    pub(super) fn sent(&self, elapsed_ms: u64) -> Sent {
        Sent::new(self.attempt.clone(), self.accepted.clone(), elapsed_ms)
    }
}

/// A progress or a verdict, as it is kept.
pub(super) fn shown(value: &impl Serialize) -> String {
    json!(value).to_string()
}

/// Where two states first differ, such as `the state's /stores/2 was "Up", and is "Down"`.
pub(super) fn difference(then: &Value, now: &Value) -> String {
    let (mut then, mut now, mut at) = (then, now, String::new());
    while let Some((key, one, other)) = first_difference(then, now) {
        at = format!("{at}/{key}");
        (then, now) = (one, other);
    }
    format!("the state's `{at}` was {then}, and is {now}")
}

/// The first member that differs in two objects, or in two lists of one length.
fn first_difference<'a>(then: &'a Value, now: &'a Value) -> Option<(String, &'a Value, &'a Value)> {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => then.iter().find_map(|(key, then)| {
            let now = now.get(key).filter(|now| *now != then)?;
            Some((key.clone(), then, now))
        }),
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            let mut pairs = then.iter().zip(now).enumerate();
            let (at, (then, now)) = pairs.find(|(_, (then, now))| then != now)?;
            Some((at.to_string(), then, now))
        }
        _ => None,
    }
}

pub(super) fn count(writes: u64) -> String {
    match writes {
        0 => "no write".to_owned(),
        1 => "1 write".to_owned(),
        many => format!("{many} writes"),
    }
}

/// The actions on a fake, through a new handle.
pub(super) async fn registry<F: FakeSystem>(fake: &F) -> Result<ActionRegistry, Broken> {
    let mut registry = ActionRegistry::new();
    match registry.register(fake.connect().await) {
        Ok(()) => Ok(registry),
        Err(error) => {
            let what = report(&error);
            Err(Broken::new(F::Subject::NAME, Promise::WellFormed, what))
        }
    }
}
