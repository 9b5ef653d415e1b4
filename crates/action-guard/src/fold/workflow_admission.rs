//! Which proposal belongs to which step, and when it may be made.

use std::sync::Arc;

use action_core::Work;
use jiff::Timestamp;

use crate::fold::refuse::refused;
use crate::fold::workflow_attempts::ended;
use crate::proposal::{Phase, Proposal, Refusal, StepAttemptId};
use crate::state::{Attempts, Flow, ProposalStatus, State, StepState};

impl State {
    /// Refuses a proposal for a step whose turn it is not.
    pub(super) fn admit(&self, proposal: &Proposal, at: Timestamp) -> Result<(), Refusal> {
        let correlation_id = proposal.request.correlation_id.as_deref();
        if let Some(attempt_id) = correlation_id.and_then(StepAttemptId::read) {
            let invalid_record = |what: String| Refusal::InvalidRecord { what };
            self.admit_to(&attempt_id.map_err(invalid_record)?, proposal, at)?;
        }
        let Some((flow, step)) = self.taken_back_by(proposal) else {
            return Ok(());
        };
        if flow.back(&step).is_proposed() {
            let why = format!("the undo of step `{step}` is already proposed");
            return Err(refused(flow, why));
        }
        Ok(())
    }

    fn admit_to(
        &self,
        attempt_id: &StepAttemptId,
        proposal: &Proposal,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let flow = self.flow(&attempt_id.flow)?;
        let step = attempt_id.step.as_str();
        flow.may_go_on()?;
        self.nothing_in_motion(flow)?;
        let mut proposed = flow.proposed();
        let is_expired = |(_, id): (&str, &str)| {
            let status = self.open.get(id);
            status.is_some_and(|status| status.phase_at(at) == Phase::Expired)
        };
        if proposed.any(is_expired) {
            return Err(refused(
                flow,
                "a proposal expired before it was run".to_owned(),
            ));
        }
        let Some(Work::Action {
            name, parameters, ..
        }) = flow.work(step)
        else {
            return Err(refused(
                flow,
                format!("step `{step}` does not propose a mutation"),
            ));
        };
        let attempts = flow.forward(step);
        let request = &proposal.request;
        let is_it = request.action == name
            && request.parameters.as_object() == Some(parameters)
            && request.actor == flow.by.as_str()
            && (flow.resumed_by.iter()).all(|by| request.may_be_carried_out_by(by))
            && flow.systems.get(name) == Some(&proposal.system);
        let why = if !is_it {
            "the proposal does not match the step"
        } else if !flow.is_ready(step) {
            "steps that it needs are not done"
        } else if !attempts.may_begin(flow.retry(step)) || attempt_id.attempt != attempts.count + 1
        {
            "it is not the next step"
        } else {
            return Ok(());
        };
        Err(refused(flow, format!("step `{step}`: {why}")))
    }

    /// While an earlier mutation may still happen, nothing else of a workflow begins.
    pub(super) fn nothing_in_motion(&self, flow: &Flow) -> Result<(), Refusal> {
        let holds = |(_, proposal): &(&str, &str)| {
            self.open
                .get(*proposal)
                .is_some_and(|status| status.phase.is_in_flight())
        };
        match flow.proposed().find(holds) {
            Some((step, proposal)) => Err(refused(
                flow,
                format!("step `{step}` may still take effect: proposal {proposal} has no outcome"),
            )),
            None => Ok(()),
        }
    }

    /// Takes in a proposal that was admitted.
    pub(super) fn begin_step_attempt(&mut self, proposal: &Proposal) {
        let correlation_id = proposal.request.correlation_id.as_deref();
        let attempt_id = correlation_id
            .and_then(StepAttemptId::read)
            .and_then(Result::ok);
        let taken_back = self
            .taken_back_by(proposal)
            .map(|(flow, step)| (flow.id.clone(), step));
        if let Some(attempt_id) = attempt_id {
            self.step_mut(&attempt_id.flow, &attempt_id.step, |_, state| {
                state.forward.begin(&proposal.id)
            });
        }
        if let Some((flow, step)) = taken_back {
            self.step_mut(&flow, &step, |_, state| state.back.begin(&proposal.id));
        }
    }

    /// Takes in how a proposal ended.
    pub(super) fn step_attempt_ended(&mut self, status: &ProposalStatus, at: Timestamp) {
        let proposal = &status.proposal;
        let correlation_id = proposal.request.correlation_id.as_deref();
        let is_it = |attempts: &Attempts| {
            attempts.is_proposed() && attempts.proposal.as_deref() == Some(proposal.id.as_str())
        };
        if let Some(Ok(attempt_id)) = correlation_id.and_then(StepAttemptId::read) {
            self.step_mut(&attempt_id.flow, &attempt_id.step, |applied, state| {
                if is_it(&state.forward) {
                    state.forward.state = ended(status, at);
                    if status.phase == Phase::Applied {
                        applied.push(attempt_id.step.clone());
                    }
                }
            });
            self.settle_flow(&attempt_id.flow, at);
        }
        let taken_back = self
            .taken_back_by(proposal)
            .map(|(flow, step)| (flow.id.clone(), step));
        if let Some((flow, step)) = taken_back {
            self.step_mut(&flow, &step, |_, state| {
                if is_it(&state.back) {
                    state.back.state = ended(status, at);
                }
            });
            self.settle_flow(&flow, at);
        }
    }

    /// The step whose mutation a proposal takes back.
    fn taken_back_by(&self, proposal: &Proposal) -> Option<(&Arc<Flow>, String)> {
        let undone = proposal.undoes.as_deref()?;
        self.flows.values().find_map(|flow| {
            let is_it = |step: &&String| flow.forward(step).proposal.as_deref() == Some(undone);
            Some((flow, flow.applied.iter().find(is_it)?.clone()))
        })
    }

    pub(super) fn step_mut(
        &mut self,
        flow: &str,
        step: &str,
        change: impl FnOnce(&mut Vec<String>, &mut StepState),
    ) {
        if let Some(flow) = self.flows.get_mut(flow) {
            let flow = Arc::make_mut(flow);
            change(
                &mut flow.applied,
                flow.steps.entry(step.to_owned()).or_default(),
            );
        }
    }
}
