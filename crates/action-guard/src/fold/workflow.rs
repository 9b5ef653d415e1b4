//! Which record may follow in a workflow, and what it changes.
//!
//! What is refused here is what must never be, whoever decides and whenever: it rests on no clock
//! beside the records' own, and on no library, so that a journal stays readable.

use std::sync::Arc;

use action_core::Work;
use jiff::Timestamp;

use crate::fold::refuse::{cancel, person, refused, stopped, unknown_flow};
use crate::identity::Actor;
use crate::policy::matches_actor;
use crate::proposal::{Phase, Refusal};
use crate::records::{StartedFlow, StepEvent};
use crate::state::{AttemptState, Cancel, Ended, Ending, Flow, State};

/// How many workflows may be under way.
const MOST_UNDER_WAY: usize = 16;
/// How many that are over are kept at hand.
const OVER_KEPT: usize = 16;

impl State {
    pub(super) fn flow_started(
        &mut self,
        id: &str,
        started: &StartedFlow,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let refused = |why: String| Refusal::Flow {
            id: id.to_owned(),
            why,
        };
        if self.flows.contains_key(id) || id.is_empty() || id.contains('/') {
            return Err(refused("its id cannot be used".to_owned()));
        }
        if let Some(killed) = self.killed_on_any(started.systems.values()) {
            return Err(stopped(killed));
        }
        self.not_paused(&started.by, at)?;
        let over = |flow: &&Arc<Flow>| flow.ended.is_some();
        if self.flows.values().filter(|flow| !over(flow)).count() >= MOST_UNDER_WAY {
            return Err(refused(format!(
                "{MOST_UNDER_WAY} workflows are under way: cancel one first"
            )));
        }
        let too_many = self
            .flows
            .values()
            .filter(over)
            .count()
            .saturating_sub(OVER_KEPT - 1);
        let oldest = self.flows.values().filter(over).take(too_many);
        for id in oldest.map(|flow| flow.id.clone()).collect::<Vec<_>>() {
            self.flows.remove(&id);
        }
        let flow = begun(id, started.clone(), at);
        self.flows.insert(id.to_owned(), Arc::new(flow));
        Ok(())
    }

    pub(super) fn flow_step(
        &mut self,
        id: &str,
        step: &str,
        event: &StepEvent,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        if let StepEvent::AskedAnew { by, back } = event {
            return self.flow_asked_anew(id, step, by, *back, at);
        }
        let flow = Arc::clone(self.flow(id)?);
        if let StepEvent::Confirmed { by, .. } = event {
            may_confirm(&flow, step, by)?;
        }
        let ours = matches!(
            event,
            StepEvent::Left { .. } | StepEvent::NotTakenBack { .. }
        );
        if ours && flow.ended.is_none() {
            if !flow.applied.iter().any(|applied| applied == step) {
                return Err(refused(
                    &flow,
                    format!("step `{step}` did nothing to take back"),
                ));
            }
        } else {
            if matches!(event, StepEvent::Failed { .. }) {
                flow.is_wanted()?;
            } else {
                flow.may_go_on()?;
            }
            if !flow.is_ready(step) {
                return Err(refused(
                    &flow,
                    format!("what step `{step}` needs is not done"),
                ));
            }
        }
        let mut state = flow.steps.get(step).cloned().unwrap_or_default();
        if !state.take(event, flow.work(step), at) {
            return Err(refused(&flow, format!("step `{step}`: this cannot follow")));
        }
        self.step_mut(id, step, |_, old| *old = state);
        self.settle_flow(id, at);
        Ok(())
    }

    /// What is proposed for a step was ruled on for others than who goes on with it now: it is
    /// called off, and proposed again for them too.
    fn flow_asked_anew(
        &mut self,
        id: &str,
        step: &str,
        by: &Actor,
        back: bool,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let flow = self.flow(id)?;
        let attempts = if back {
            flow.back(step)
        } else {
            flow.forward(step)
        };
        let proposal = attempts.proposal.clone().unwrap_or_default();
        let why = match self.open.get(&proposal) {
            None => "nothing is proposed",
            Some(status) if !status.phase.is_unsent() => "what is proposed was sent",
            Some(status) if flow.is_asked_for(&status.proposal.request, by) => {
                "what is proposed is for them already"
            }
            Some(_) => "",
        };
        if !why.is_empty() {
            return Err(refused(flow, format!("step `{step}`: {why}")));
        }
        if let Some(status) = self.open.get_mut(&proposal) {
            let reason = format!("it was ruled on for others than `{by}`: it is proposed again");
            status.cancel = Some(cancel(by, &reason, at));
        }
        self.end(&proposal, Phase::Cancelled, at);
        self.step_mut(id, step, |_, state| {
            let attempts = if back {
                &mut state.back
            } else {
                &mut state.forward
            };
            attempts.state = AttemptState::Open;
            attempts.since_resumed = attempts.since_resumed.saturating_sub(1);
        });
        Ok(())
    }

    pub(super) fn flow_cancelled(
        &mut self,
        id: &str,
        by: &Actor,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let flow = self.flow_under_way(id)?;
        if flow.cancel.is_some() || flow.compensation.is_some() {
            return Err(refused(
                flow,
                "it is cancelled, or being taken back, already".to_owned(),
            ));
        }
        flow.cancel = Some(cancel(by, reason, at));
        self.end_pending(id, by, reason, at);
        self.settle_flow(id, at);
        Ok(())
    }

    pub(super) fn flow_compensating(
        &mut self,
        id: &str,
        by: &Actor,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        self.not_paused(by, at)?;
        let flow = self.flow(id)?;
        // What an agent began to take back, and may not be allowed to, a person takes over.
        let is_taken_over = |before: &Cancel| by.is_user() && !before.by.is_user();
        if (flow.compensation.as_ref()).is_some_and(|before| !is_taken_over(before)) {
            return Err(refused(flow, "it is being taken back already".to_owned()));
        }
        if let Some(flow) = self.flows.get_mut(id).map(Arc::make_mut) {
            if flow.compensation.is_some() {
                flow.resumed_by = Some(by.clone());
                flow.try_again();
            }
            flow.ended = None;
            flow.compensation = Some(cancel(by, reason, at));
        }
        self.end_pending(id, by, reason, at);
        self.settle_flow(id, at);
        Ok(())
    }

    /// What failed may be tried again.
    pub(super) fn flow_resumed(
        &mut self,
        id: &str,
        by: &Actor,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        self.not_paused(by, at)?;
        let flow = self.flow(id)?;
        self.nothing_in_motion(flow)?;
        self.flow_under_way(id)?;
        // Whatever was proposed and not sent in time is to be proposed again.
        self.expire(at);
        let Some(flow) = self.flows.get_mut(id).map(Arc::make_mut) else {
            return Ok(());
        };
        flow.resumed_by = Some(by.clone());
        flow.try_again();
        Ok(())
    }

    pub(super) fn flow(&self, id: &str) -> Result<&Arc<Flow>, Refusal> {
        self.flows.get(id).ok_or_else(|| unknown_flow(id))
    }

    fn flow_under_way(&mut self, id: &str) -> Result<&mut Flow, Refusal> {
        let flow = self.flows.get_mut(id).ok_or_else(|| unknown_flow(id))?;
        if flow.ended.is_some() {
            return Err(refused(flow, "it has ended".to_owned()));
        }
        Ok(Arc::make_mut(flow))
    }

    /// Ends what a workflow has proposed and nobody has sent.
    fn end_pending(&mut self, id: &str, by: &Actor, reason: &str, at: Timestamp) {
        let Some(flow) = self.flows.get(id).cloned() else {
            return;
        };
        for (_, proposal) in flow.proposed() {
            let Some(status) = self.open.get_mut(proposal) else {
                continue;
            };
            if status.phase.is_unsent() {
                status.cancel = Some(cancel(by, reason, at));
                self.end(proposal, Phase::Cancelled, at);
            }
        }
    }

    /// Ends a workflow in which nothing is left to do.
    pub(super) fn settle_flow(&mut self, id: &str, at: Timestamp) {
        let Some(flow) = self.flows.get_mut(id).map(Arc::make_mut) else {
            return;
        };
        if flow.ended.is_some() {
            return;
        }
        flow.finish_undoing(at);
        if flow.proposed().next().is_some() {
            return;
        }
        let how = if flow.compensation.is_some() {
            flow.next_to_take_back()
                .is_none()
                .then_some(Ending::Compensated)
        } else if flow.cancel.is_some() {
            Some(Ending::Cancelled)
        } else {
            let mut steps = flow.workflow.steps.iter();
            steps
                .all(|step| flow.is_done(&step.id))
                .then_some(Ending::Completed)
        };
        if let Some(how) = how {
            flow.ended = Some(Ended { how, at });
        }
    }
}

/// A workflow of which nothing is done yet.
fn begun(id: &str, started: StartedFlow, at: Timestamp) -> Flow {
    let StartedFlow {
        workflow,
        systems,
        by,
        reason,
        correlation_id,
        scheduled_at,
        begin_by,
    } = started;
    Flow {
        id: id.to_owned(),
        workflow: Arc::new(workflow),
        systems,
        by,
        resumed_by: None,
        reason,
        correlation_id,
        started_at: at,
        scheduled_at,
        begin_by,
        steps: Default::default(),
        applied: Vec::new(),
        cancel: None,
        compensation: None,
        ended: None,
    }
}

/// Who says that something outside is done is a person, and one that the step names if it does: who
/// only carries the workflow out cannot vouch for it.
fn may_confirm(flow: &Flow, step: &str, by: &Actor) -> Result<(), Refusal> {
    person(by, "confirm a step")?;
    let Some(Work::Confirm { by: named, .. }) = flow.work(step) else {
        return Ok(());
    };
    let is_among = |pattern: &String| matches_actor(pattern, by.as_str());
    if named.is_empty() || named.iter().any(is_among) {
        return Ok(());
    }
    let named = named.join("`, `");
    Err(refused(
        flow,
        format!("step `{step}` is confirmed by `{named}`, not by `{by}`"),
    ))
}
