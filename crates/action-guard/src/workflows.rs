//! Carries out workflows over a guard.

use std::collections::BTreeMap;
use std::sync::Arc;

use action_core::{Role, Work, Workflow, WorkflowError, WorkflowProblem};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::guard::{Decider, Guard, GuardError, is_redacted};
use crate::identity::{Actor, Proof};
use crate::policy::Confirmed;
use crate::proposal::Refusal;
use crate::records::{Record, StartedFlow, StepEvent};
use crate::state::Flow;

pub use decide_next::next_steps;
pub use event::FlowEvent;
pub use next_steps::{NextSteps, Ready, StopCode, Stopped, Waiting};
pub use preview::PlannedStep;
pub use run::{FlowRun, WaitPolicy};

mod backoff;
mod carry_on;
mod decide_next;
mod event;
mod mutate_step;
mod next_steps;
mod observe_step;
mod preview;
mod run;
mod throttle;

/// Workflows over a guard: what carries them out proposes, executes and observes like anybody
/// else, and sends nothing by itself.
///
/// All that is known of a workflow is in the journal. Any process may go on with it, after a crash
/// too; when two do, the journal lets one of them.
///
/// ```no_run
/// # async fn example(guard: action_guard::Guard) -> Result<(), action_guard::GuardError> {
/// use action_guard::{Actor, WaitPolicy, StartOptions, Workflows};
/// use serde_json::json;
///
/// let workflows = Workflows::new(guard);
/// let workflow = workflows
///     .make("rolling_drain", json!({ "label": "zone=z1" }))
///     .await?;
/// let ana: Actor = "user:ana".parse()?;
/// let flow = workflows.start(&workflow, &ana, StartOptions::default()).await?;
/// let run = workflows.run(&flow.id, &ana, WaitPolicy::UntilPeople, &mut |_| {}).await?;
/// println!("{:?}", run.next_steps.waiting);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Workflows {
    pub(super) guard: Guard,
}

/// Why a workflow with a secret is not started.
const HOLDS_A_SECRET: &str =
    "it contains a secret; secrets are not recorded, so the workflow could not be continued";

/// When, and why, a workflow is started.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct StartOptions {
    /// Why.
    pub reason: Option<String>,
    /// What ties it to the caller's own records.
    pub correlation_id: Option<String>,
    /// Its first step does not begin before this.
    pub scheduled_at: Option<Timestamp>,
    /// Its first step does not begin after this.
    pub begin_by: Option<Timestamp>,
}

impl StartOptions {
    /// With a reason.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Not before this.
    #[must_use]
    pub fn scheduled_at(mut self, at: Timestamp) -> Self {
        self.scheduled_at = Some(at);
        self
    }

    /// Not after this.
    #[must_use]
    pub fn begin_by(mut self, by: Timestamp) -> Self {
        self.begin_by = Some(by);
        self
    }
}

impl Workflows {
    /// Workflows over this guard.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self { guard }
    }

    /// The guard that they are over.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Has a subject make a workflow, by an action of role [`Role::Workflow`]. Starts nothing.
    ///
    /// # Errors
    /// When there is no such action, when it does not make one of these parameters, or what it
    /// makes cannot be carried out.
    pub async fn make(&self, name: &str, parameters: Value) -> Result<Workflow, GuardError> {
        let definition = self.guard.definition(name)?;
        if definition.role != Some(Role::Workflow) {
            let text = format!("action `{name}` does not make a workflow");
            return Err(WorkflowError::of(WorkflowProblem::new("", text)).into());
        }
        let document = self.guard.registry.observe(name, parameters).await?;
        Ok(Workflow::read_for(&document, &self.guard.registry)?)
    }

    /// Refuses a workflow that holds a secret, and names where, before anybody is shown any of it.
    /// [`preview`](Self::preview) and [`start`](Self::start) refuse it as well.
    ///
    /// # Errors
    /// When there is one: it is written nowhere, so that nobody could go on with the workflow.
    pub fn check_secrets(&self, workflow: &Workflow) -> Result<(), WorkflowError> {
        let document = serde_json::to_value(workflow).unwrap_or_default();
        let places = self.guard.redactor.places(&document);
        let mut problems = places
            .iter()
            .map(|place| WorkflowProblem::new(place, HOLDS_A_SECRET));
        let Some(first) = problems.next() else {
            return Ok(());
        };
        let mut error = WorkflowError::of(first);
        error.problems.extend(problems);
        Err(error)
    }

    /// Starts a workflow: from now on it is in the journal, and [`run`](Self::run) goes on with it.
    /// Proposes nothing yet.
    ///
    /// # Errors
    /// All that is wrong with it, which system could not be asked, or that the kill switch is set.
    pub async fn start(
        &self,
        workflow: &Workflow,
        by: &Actor,
        options: StartOptions,
    ) -> Result<Arc<Flow>, GuardError> {
        self.check_secrets(workflow)?;
        let document = serde_json::to_value(workflow).unwrap_or_default();
        let workflow = Workflow::read_for(&document, &self.guard.registry)?;
        let mut systems = BTreeMap::new();
        for step in &workflow.steps {
            if let Work::Action { name, .. } | Work::Observe { name, .. } = step.work()
                && !systems.contains_key(name)
            {
                let system = self.guard.registry.identity(name).await?;
                systems.insert(name.to_owned(), system);
            }
        }
        let mut started = StartedFlow::new(workflow, systems, self.guard.trust.known(by)?);
        started.reason = options.reason;
        started.correlation_id = options.correlation_id;
        started.scheduled_at = options.scheduled_at;
        started.begin_by = options.begin_by;
        let id = Uuid::now_v7().to_string();
        let record = Record::FlowStarted {
            id: id.clone(),
            started: Box::new(started),
        };
        let cleaned = self.guard.redactor.clean(record)?;
        if serde_json::to_value(&cleaned).is_ok_and(|value| is_redacted(&value)) {
            return Err(WorkflowError::of(WorkflowProblem::new("", HOLDS_A_SECRET)).into());
        }
        self.guard.write(cleaned).await?;
        self.flow(&id).await
    }

    /// A workflow that is under way, or ended lately.
    ///
    /// # Errors
    /// When there is none, or the journal cannot be read.
    pub async fn flow(&self, id: &str) -> Result<Arc<Flow>, GuardError> {
        let state = self.guard.state().await?;
        let flow = state.flows.get(id).cloned();
        flow.ok_or_else(|| Refusal::UnknownFlow { id: id.to_owned() }.into())
    }

    /// The workflows that are under way, and those that ended lately, the oldest first, each with
    /// what is next in it.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn list(&self) -> Result<Vec<(Arc<Flow>, NextSteps)>, GuardError> {
        let state = self.guard.state().await?;
        let now = Timestamp::now();
        let flows = state.flows.values();
        Ok(flows
            .map(|flow| (Arc::clone(flow), next_steps(flow, &state, now)))
            .collect())
    }

    /// Says that what a step waits for somebody to do is done. A person says that, and one of those
    /// whom the step names if it names any: never an agent, which only carries the workflow out.
    ///
    /// # Errors
    /// When it is not the step's turn, the step waits for nobody, or who says it may not, or is not
    /// proven.
    pub async fn confirm(
        &self,
        id: &str,
        step: &str,
        by: Decider<'_>,
        note: Option<String>,
    ) -> Result<Arc<Flow>, GuardError> {
        let flow = self.flow(id).await?;
        if !matches!(flow.work(step), Some(Work::Confirm { .. })) {
            let why = format!("step `{step}` does not need a confirmation");
            return Err(Refusal::Flow {
                id: id.to_owned(),
                why,
            }
            .into());
        }
        let (actor, signed_at) = (by.actor.clone(), Timestamp::now());
        // Before it is signed: what is signed is what is written.
        let note = note.map(|note| self.guard.redactor.text_without(note));
        let proof = by.proof_by(|key| {
            let confirmed = Confirmed::new(id, step, note.as_deref());
            Proof::of_confirmation(&confirmed, &actor, signed_at, key)
        });
        let actor = match proof {
            Some(_) => actor,
            None => self.guard.trust.known(&actor)?,
        };
        let (rules, own, step) = (self.guard.rules.clone(), id.to_owned(), step.to_owned());
        self.guard
            .commit(move |_, now| {
                let confirmed = Confirmed::new(&own, &step, note.as_deref());
                rules.vouch_for_confirmation(&confirmed, &actor, proof.as_ref(), now)?;
                let event = StepEvent::Confirmed {
                    by: actor,
                    note,
                    proof,
                };
                Ok(vec![Record::FlowStep {
                    id: own,
                    step,
                    event,
                }])
            })
            .await?;
        self.flow(id).await
    }

    /// Lets what failed be tried again. What has an unknown outcome stays as it is until that is
    /// known.
    ///
    /// # Errors
    /// When the workflow is over, or something in it may still happen.
    pub async fn resume(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<Arc<Flow>, GuardError> {
        let record = Record::FlowResumed {
            id: id.to_owned(),
            by: self.guard.trust.known(by)?,
            reason: reason.to_owned(),
        };
        self.say(id, record).await
    }

    /// Ends a workflow at the next step: what it has proposed and nobody has sent is cancelled;
    /// what was sent is followed to its end. What it did stays.
    ///
    /// # Errors
    /// When it is over or cancelled already.
    pub async fn cancel(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<Arc<Flow>, GuardError> {
        let record = Record::FlowCancelled {
            id: id.to_owned(),
            by: self.guard.trust.known(by)?,
            reason: reason.to_owned(),
        };
        self.say(id, record).await
    }

    /// Ends a workflow and wants taken back what it did, as far as that is still its own: the last
    /// first, each by a proposal of its own. [`run`](Self::run) does it. Also for one that is over.
    ///
    /// # Errors
    /// When it is being taken back already.
    pub async fn compensate(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<Arc<Flow>, GuardError> {
        let record = Record::FlowCompensating {
            id: id.to_owned(),
            by: self.guard.trust.known(by)?,
            reason: reason.to_owned(),
        };
        self.say(id, record).await
    }

    async fn say(&self, id: &str, record: Record) -> Result<Arc<Flow>, GuardError> {
        self.guard.write(record).await?;
        self.flow(id).await
    }

    pub(super) async fn note(
        &self,
        id: &str,
        step: &str,
        event: StepEvent,
    ) -> Result<(), GuardError> {
        let record = Record::FlowStep {
            id: id.to_owned(),
            step: step.to_owned(),
            event,
        };
        self.guard.write(record).await?;
        Ok(())
    }
}
