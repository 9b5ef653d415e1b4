//! Goes on with a workflow, one thing at a time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::guard::GuardError;
use crate::proposal::Refusal;
use crate::records::StepEvent;
use crate::state::{Flow, State};
use crate::workflows::Workflows;
use crate::workflows::event::{FlowEvent, WatchFlow};
use crate::workflows::next_step::look;
use crate::workflows::outlook::{Due, Outlook, StopCode, Stopped, Waiting};
use crate::workflows::pace::Pace;

/// How long somebody who goes on with a workflow stays at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Patience {
    /// As long as something can be done now. What is observed is looked at once.
    Now,
    /// Until it takes people, or a date. Nothing is held while they are waited for.
    UntilPeople,
    /// Until it is over or stopped, looking again and again whether people have decided.
    UntilOver,
}

/// Where a workflow was when it was left.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FlowRun {
    /// How it stands.
    pub flow: Arc<Flow>,
    /// What is next in it.
    pub outlook: Outlook,
}

impl FlowRun {
    /// A workflow, and what is next in it.
    #[must_use]
    pub fn new(flow: Arc<Flow>, outlook: Outlook) -> Self {
        Self { flow, outlook }
    }
}

/// Between two looks at the journal.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

impl Workflows {
    /// Goes on with a workflow, by its records: proposes what is due, carries out what is
    /// approved, observes, and stops at the first outcome that is not known or not what was
    /// wanted. What a dead process left open in it is recovered first.
    ///
    /// When the future is dropped, what was sent is followed all the same, as by
    /// [`Guard::execute`](crate::Guard::execute), and anybody can go on later.
    ///
    /// # Errors
    /// When the journal cannot be read or written, or there is no such workflow. What goes wrong
    /// in a step is in its outlook.
    pub async fn run(
        &self,
        id: &str,
        patience: Patience,
        watch: WatchFlow<'_>,
    ) -> Result<FlowRun, GuardError> {
        let mut pace = Pace::default();
        let mut told = Vec::new();
        self.recover(id, watch).await?;
        loop {
            let state = self.guard.state().await?;
            let flow = find(&state, id)?;
            let mut outlook = look(&flow, &state, Timestamp::now());
            self.stop_by_other_means(&flow, &mut outlook).await?;
            if outlook.over.is_some() || outlook.stopped.is_some() {
                return Ok(FlowRun { flow, outlook });
            }
            let next = outlook.due.iter().find(|due| pace.may(due.step()));
            if let Some(due) = next {
                self.act(&flow, due, &state, &mut pace, watch).await?;
                continue;
            }
            let takes_people = outlook.due.is_empty()
                && outlook.waiting.iter().all(Waiting::takes_people_or_a_date);
            if patience == Patience::Now || (patience == Patience::UntilPeople && takes_people) {
                return Ok(FlowRun { flow, outlook });
            }
            if takes_people && told != outlook.waiting {
                told.clone_from(&outlook.waiting);
                watch(FlowEvent::Waiting {
                    waiting: outlook.waiting.clone(),
                });
            }
            if self.left_by_the_dead(&flow, &state).await? {
                self.recover(id, watch).await?;
            }
            tokio::time::sleep(self.until_next(&outlook, &pace)).await;
        }
    }

    /// Finds the outcome of what was sent for this workflow and has none.
    async fn recover(&self, id: &str, watch: WatchFlow<'_>) -> Result<(), GuardError> {
        let state = self.guard.state().await?;
        let flow = find(&state, id)?;
        let open = flow.proposed().find(|(_, proposal)| {
            let life = state.open.get(*proposal);
            life.is_some_and(|life| life.phase.holds())
        });
        if let Some((step, _)) = open {
            let step = step.to_owned();
            let mut seen = |event| {
                watch(FlowEvent::Mutation {
                    step: step.clone(),
                    seen: Box::new(event),
                });
            };
            self.guard.recover(&mut seen).await?;
        }
        Ok(())
    }

    /// Whether something was sent for this workflow by a process that is dead.
    async fn left_by_the_dead(&self, flow: &Flow, state: &State) -> Result<bool, GuardError> {
        for (_, proposal) in flow.proposed() {
            let life = state.open.get(proposal).filter(|life| life.phase.holds());
            if let Some(owner) = life.and_then(|life| life.owner.as_deref())
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
        outlook: &mut Outlook,
    ) -> Result<(), GuardError> {
        if flow.compensation.is_none() && self.guard.journal.is_stopped().await? {
            outlook.stopped.get_or_insert_with(|| Stopped {
                code: StopCode::Killed,
                step: None,
                proposal: None,
                reason: "the kill switch is set".to_owned(),
                next: "a person resets the kill switch".to_owned(),
            });
        }
        Ok(())
    }

    fn until_next(&self, outlook: &Outlook, pace: &Pace) -> Duration {
        let now = Timestamp::now();
        let dates = outlook.waiting.iter().filter_map(Waiting::until);
        let dates = dates.map(|at| at.duration_since(now).unsigned_abs());
        let paces = outlook.due.iter().filter_map(|due| {
            let not_before = pace.not_before.get(due.step())?;
            Some(not_before.saturating_duration_since(Instant::now()))
        });
        dates.chain(paces).fold(LOOK_AGAIN, Duration::min)
    }

    async fn act(
        &self,
        flow: &Flow,
        due: &Due,
        state: &State,
        pace: &mut Pace,
        watch: WatchFlow<'_>,
    ) -> Result<(), GuardError> {
        match due {
            Due::Propose { step, attempt } => {
                self.propose_step(flow, step, *attempt, pace, watch).await
            }
            Due::TakeBack { step, proposal } => {
                self.propose_back(flow, step, proposal, pace, watch).await
            }
            Due::Execute {
                step,
                proposal,
                back,
            } => {
                let Some(life) = state.open.get(proposal) else {
                    return Ok(());
                };
                self.execute_step(flow, step, &life.proposal, *back, pace, watch)
                    .await
            }
            Due::Begin { step } => self.step_event(flow, step, StepEvent::Began, watch).await,
            Due::Observe { step, until } => {
                self.observe_step(flow, step, *until, pace, watch).await
            }
            Due::GiveUp { step } => {
                let event = StepEvent::Failed {
                    code: "timed_out".to_owned(),
                    reason: "nobody confirmed in time".to_owned(),
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
