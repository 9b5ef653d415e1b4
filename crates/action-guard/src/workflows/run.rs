//! Goes on with a workflow, one thing at a time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::guard::GuardError;
use crate::identity::Actor;
use crate::proposal::Refusal;
use crate::records::StepEvent;
use crate::state::{Flow, State};
use crate::workflows::Workflows;
use crate::workflows::decide_next::next_steps;
use crate::workflows::event::{FlowEvent, WatchFlow};
use crate::workflows::next_steps::{NextSteps, Ready, StopCode, Stopped, Waiting};
use crate::workflows::throttle::{Runner, Throttle};

/// How long somebody who goes on with a workflow stays at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitPolicy {
    /// As long as something can be done now. What is observed is looked at once.
    Now,
    /// Until it takes people, or a date. Nothing is held while they are waited for.
    UntilPeople,
    /// Until it is over or stopped, looking again and again whether people have decided.
    UntilEnded,
}

/// Where a workflow was when it was left.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FlowRun {
    /// How it stands.
    pub flow: Arc<Flow>,
    /// What is next in it.
    pub next_steps: NextSteps,
}

impl FlowRun {
    /// A workflow, and what is next in it.
    #[must_use]
    pub fn new(flow: Arc<Flow>, next_steps: NextSteps) -> Self {
        Self { flow, next_steps }
    }
}

/// Between two looks at the journal.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

impl Workflows {
    /// Goes on with a workflow, by its records: proposes what is ready, carries out what is
    /// approved, observes, and stops at the first outcome that is not known or not what was
    /// wanted. What a dead process left open in it is recovered first.
    ///
    /// The rules speak of each mutation for who started it, for who let it go on last, and for who
    /// goes on with it now: the strictest decides. What was ruled on for others is proposed again.
    ///
    /// When the future is dropped, what was sent is followed all the same, as by
    /// [`Guard::execute`](crate::Guard::execute), and anybody can go on later.
    ///
    /// # Errors
    /// When the journal cannot be read or written, or there is no such workflow. What goes wrong
    /// in a step is in its next steps. Over a guard that takes [nobody's
    /// word](crate::Guard::only_proven), when somebody who is at it is not proven. When who goes on with it
    /// is paused.
    pub async fn run(
        &self,
        id: &str,
        by: &Actor,
        wait_policy: WaitPolicy,
        watch: WatchFlow<'_>,
    ) -> Result<FlowRun, GuardError> {
        let by = &self.at_it(id, by).await?;
        self.go_on(id, by, wait_policy, watch).await
    }

    pub(super) async fn go_on(
        &self,
        id: &str,
        by: &Actor,
        wait_policy: WaitPolicy,
        watch: WatchFlow<'_>,
    ) -> Result<FlowRun, GuardError> {
        let mut runner = Runner::new(by);
        let mut told = Vec::new();
        self.recover(id, watch).await?;
        self.ask_anew(id, by, watch).await?;
        loop {
            let state = self.guard.state().await?;
            let flow = find(&state, id)?;
            let mut next_steps = next_steps(&flow, &state, Timestamp::now());
            self.stop_by_other_means(&flow, &mut next_steps).await?;
            if next_steps.ended.is_some() || next_steps.stopped.is_some() {
                return Ok(FlowRun { flow, next_steps });
            }
            if let Some(pause) = state.paused_at(by.as_str(), Timestamp::now()) {
                return Err(pause.refusal().into());
            }
            let next = next_steps
                .ready
                .iter()
                .find(|ready| runner.throttle.may(ready.step()));
            if let Some(ready) = next {
                self.act(&flow, ready, &state, &mut runner, watch).await?;
                continue;
            }
            let takes_people = next_steps.ready.is_empty()
                && next_steps
                    .waiting
                    .iter()
                    .all(Waiting::takes_people_or_a_date);
            if wait_policy == WaitPolicy::Now
                || (wait_policy == WaitPolicy::UntilPeople && takes_people)
            {
                return Ok(FlowRun { flow, next_steps });
            }
            if takes_people && told != next_steps.waiting {
                told.clone_from(&next_steps.waiting);
                watch(FlowEvent::Waiting {
                    waiting: next_steps.waiting.clone(),
                });
            }
            if self.left_by_the_dead(&flow, &state).await? {
                self.recover(id, watch).await?;
            }
            tokio::time::sleep(self.until_next(&next_steps, &runner.throttle)).await;
        }
    }

    /// Who goes on with it, when they and all who are at it are known as the guard wants it.
    pub(super) async fn at_it(&self, id: &str, by: &Actor) -> Result<Actor, GuardError> {
        let state = self.guard.state().await?;
        let (flow, trust) = (find(&state, id)?, self.guard.trust);
        for who in flow.resumed_by.iter().chain([&flow.by]) {
            trust.known(who)?;
        }
        Ok(trust.known(by)?)
    }

    /// Calls off what was proposed for others than those who are at it now, so that it is proposed
    /// again: the rules speak for those who are at it, and for nobody who is not.
    async fn ask_anew(&self, id: &str, by: &Actor, watch: WatchFlow<'_>) -> Result<(), GuardError> {
        let state = self.guard.state().await?;
        let flow = find(&state, id)?;
        for (step, proposal) in flow.proposed() {
            let Some(status) = state.open.get(proposal) else {
                continue;
            };
            if status.phase.is_unsent() && !flow.is_asked_for(&status.proposal.request, by) {
                let event = StepEvent::AskedAnew {
                    by: by.clone(),
                    back: flow.back(step).proposal.as_deref() == Some(proposal),
                };
                self.step_event(&flow, step, event, watch).await?;
            }
        }
        Ok(())
    }

    /// Finds the outcome of what was sent for this workflow and has none.
    async fn recover(&self, id: &str, watch: WatchFlow<'_>) -> Result<(), GuardError> {
        let state = self.guard.state().await?;
        let flow = find(&state, id)?;
        let open = flow.proposed().find_map(|(step, proposal)| {
            let status = state.open.get(proposal);
            let status = status.filter(|status| status.phase.is_in_flight());
            status.map(|status| (step, status.proposal.target()))
        });
        if let Some((step, target)) = open {
            let step = step.to_owned();
            let mut seen = |event| {
                watch(FlowEvent::Mutation {
                    step: step.clone(),
                    seen: Box::new(event),
                });
            };
            self.guard.recover_on(&target, &mut seen).await?;
        }
        Ok(())
    }

    /// Whether something was sent for this workflow by a process that is dead.
    async fn left_by_the_dead(&self, flow: &Flow, state: &State) -> Result<bool, GuardError> {
        for (_, proposal) in flow.proposed() {
            let status = state
                .open
                .get(proposal)
                .filter(|status| status.phase.is_in_flight());
            if let Some(owner) = status.and_then(|status| status.owner.as_deref())
                && !self.guard.journal.is_alive(owner).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The kill switch may be set where no record says so.
    async fn stop_by_other_means(
        &self,
        flow: &Flow,
        next_steps: &mut NextSteps,
    ) -> Result<(), GuardError> {
        if flow.compensation.is_none() && self.guard.journal.is_stopped().await? {
            next_steps.stopped.get_or_insert_with(|| Stopped {
                code: StopCode::Killed,
                step: None,
                proposal: None,
                reason: "the kill switch is set".to_owned(),
                next: "a person must reset the kill switch".to_owned(),
            });
        }
        Ok(())
    }

    fn until_next(&self, next_steps: &NextSteps, throttle: &Throttle) -> Duration {
        let now = Timestamp::now();
        let dates = next_steps.waiting.iter().filter_map(Waiting::until);
        let dates = dates.map(|at| at.duration_since(now).unsigned_abs());
        let paces = next_steps.ready.iter().filter_map(|ready| {
            let not_before = throttle.not_before.get(ready.step())?;
            Some(not_before.saturating_duration_since(Instant::now()))
        });
        dates.chain(paces).fold(LOOK_AGAIN, Duration::min)
    }

    async fn act(
        &self,
        flow: &Flow,
        ready: &Ready,
        state: &State,
        runner: &mut Runner,
        watch: WatchFlow<'_>,
    ) -> Result<(), GuardError> {
        if runner.by.is_gate()
            && self
                .is_stopped_for(flow, ready, state, runner, watch)
                .await?
        {
            return Ok(());
        }
        match ready {
            Ready::Propose { step, attempt } => {
                self.propose_step(flow, step, *attempt, runner, watch).await
            }
            Ready::TakeBack { step, proposal } => {
                self.propose_back(flow, step, proposal, runner, watch).await
            }
            Ready::Execute {
                step,
                proposal,
                back,
            } => {
                let Some(status) = state.open.get(proposal) else {
                    return Ok(());
                };
                self.execute_step(flow, step, &status.proposal, *back, runner, watch)
                    .await
            }
            Ready::Begin { step } => self.step_event(flow, step, StepEvent::Began, watch).await,
            Ready::Observe { step, until } => {
                self.observe_step(flow, step, *until, &mut runner.throttle, watch)
                    .await
            }
            Ready::GiveUp { step } => {
                let event = StepEvent::Failed {
                    code: "timed_out".to_owned(),
                    reason: "timed out waiting for the confirmation".to_owned(),
                    retryable: false,
                };
                self.step_event(flow, step, event, watch).await
            }
        }
    }

    /// Writes something down of a step, unless another process was faster.
    pub(super) async fn step_event(
        &self,
        flow: &Flow,
        step: &str,
        event: StepEvent,
        watch: WatchFlow<'_>,
    ) -> Result<(), GuardError> {
        match self.note(&flow.id, step, event.clone()).await {
            Ok(()) => {
                watch(FlowEvent::Step {
                    step: step.to_owned(),
                    what: event,
                });
                Ok(())
            }
            Err(GuardError::Refused(Refusal::Flow { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn find(state: &State, id: &str) -> Result<Arc<Flow>, Refusal> {
    let flow = state.flows.get(id).cloned();
    flow.ok_or_else(|| Refusal::UnknownFlow { id: id.to_owned() })
}
