//! Which record may follow in a workflow, and what it changes.
//!
//! What is refused here is what must never be, whoever decides and whenever: it rests on no clock
//! beside the records' own, and on no library, so that a journal stays readable.

use std::sync::Arc;

use action_core::Work;
use jiff::Timestamp;

use crate::actor::Actor;
use crate::proposal::Proposal;
use crate::record::{StartedFlow, StepEvent};
use crate::refusal::Refusal;
use crate::state::flow::{Ending, Failure, Flow, Over, Seat, Stands, StepState, Tries};
use crate::state::fold::{cancel, stopped};
use crate::state::{Life, Phase, State};

/// How many workflows may be under way.
const MOST_UNDER_WAY: usize = 16;
/// How many that are over are kept at hand.
const OVER_KEPT: usize = 16;

impl State {
    pub(in crate::state) fn flow_started(
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
        if let Some(killed) = &self.killed {
            return Err(stopped(killed));
        }
        let over = |flow: &&Arc<Flow>| flow.over.is_some();
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
        let StartedFlow {
            workflow,
            systems,
            by,
            reason,
            scheduled_at,
            begin_by,
        } = started.clone();
        let flow = Flow {
            id: id.to_owned(),
            workflow: Arc::new(workflow),
            systems,
            by,
            reason,
            started_at: at,
            scheduled_at,
            begin_by,
            steps: Default::default(),
            applied: Vec::new(),
            cancel: None,
            compensation: None,
            over: None,
        };
        self.flows.insert(id.to_owned(), Arc::new(flow));
        Ok(())
    }

    /// Refuses a proposal for a step whose turn it is not.
    pub(in crate::state) fn admit(
        &self,
        proposal: &Proposal,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let correlation_id = proposal.request.correlation_id.as_deref();
        if let Some(seat) = correlation_id.and_then(Seat::read) {
            let nonsense = |what: String| Refusal::Nonsense { what };
            self.admit_to(&seat.map_err(nonsense)?, proposal, at)?;
        }
        let Some((flow, step)) = self.taken_back_by(proposal) else {
            return Ok(());
        };
        if flow.back(&step).is_proposed() {
            let why = format!("what takes back step `{step}` is proposed already");
            return Err(refused(flow, why));
        }
        Ok(())
    }

    fn admit_to(&self, seat: &Seat, proposal: &Proposal, at: Timestamp) -> Result<(), Refusal> {
        let flow = self.flow(&seat.flow)?;
        let step = seat.step.as_str();
        flow.may_go_on()?;
        self.nothing_in_motion(flow)?;
        let mut proposed = flow.proposed();
        let is_expired = |(_, id): (&str, &str)| {
            let life = self.open.get(id);
            life.is_some_and(|life| life.phase_at(at) == Phase::Expired)
        };
        if proposed.any(is_expired) {
            return Err(refused(
                flow,
                "a proposal was not carried out in time".to_owned(),
            ));
        }
        let Some(Work::Action {
            name, parameters, ..
        }) = flow.work(step)
        else {
            return Err(refused(
                flow,
                format!("`{step}` is no step that proposes something"),
            ));
        };
        let tries = flow.forward(step);
        let request = &proposal.request;
        let is_it = request.action == name
            && request.parameters.as_object() == Some(parameters)
            && request.actor == flow.by.as_str()
            && flow.systems.get(name) == Some(&proposal.system);
        let why = if !is_it {
            "the proposal is not what the step says"
        } else if !flow.is_ready(step) {
            "what it needs is not done"
        } else if !tries.may_begin(flow.retry(step)) || seat.attempt != tries.count + 1 {
            "it is not its turn"
        } else {
            return Ok(());
        };
        Err(refused(flow, format!("step `{step}`: {why}")))
    }

    /// While an earlier mutation may still happen, nothing else of a workflow begins.
    fn nothing_in_motion(&self, flow: &Flow) -> Result<(), Refusal> {
        let holds = |(_, proposal): &(&str, &str)| {
            self.open
                .get(*proposal)
                .is_some_and(|life| life.phase.holds())
        };
        match flow.proposed().find(holds) {
            Some((step, proposal)) => Err(refused(
                flow,
                format!("step `{step}` may still happen: proposal {proposal} has no outcome"),
            )),
            None => Ok(()),
        }
    }

    /// Takes in a proposal that was admitted.
    pub(in crate::state) fn seat(&mut self, proposal: &Proposal) {
        let correlation_id = proposal.request.correlation_id.as_deref();
        let seat = correlation_id.and_then(Seat::read).and_then(Result::ok);
        let taken_back = self
            .taken_back_by(proposal)
            .map(|(flow, step)| (flow.id.clone(), step));
        if let Some(seat) = seat {
            self.step_mut(&seat.flow, &seat.step, |_, state| {
                state.forward.begin(&proposal.id)
            });
        }
        if let Some((flow, step)) = taken_back {
            self.step_mut(&flow, &step, |_, state| state.back.begin(&proposal.id));
        }
    }

    /// Takes in how a proposal ended.
    pub(in crate::state) fn seat_ended(&mut self, life: &Life, at: Timestamp) {
        let proposal = &life.proposal;
        let correlation_id = proposal.request.correlation_id.as_deref();
        let is_it = |tries: &Tries| {
            tries.is_proposed() && tries.proposal.as_deref() == Some(proposal.id.as_str())
        };
        if let Some(Ok(seat)) = correlation_id.and_then(Seat::read) {
            self.step_mut(&seat.flow, &seat.step, |applied, state| {
                if is_it(&state.forward) {
                    state.forward.stands = ended(life, at);
                    if life.phase == Phase::Applied {
                        applied.push(seat.step.clone());
                    }
                }
            });
            self.settle_flow(&seat.flow, at);
        }
        let taken_back = self
            .taken_back_by(proposal)
            .map(|(flow, step)| (flow.id.clone(), step));
        if let Some((flow, step)) = taken_back {
            self.step_mut(&flow, &step, |_, state| {
                if is_it(&state.back) {
                    state.back.stands = ended(life, at);
                }
            });
            self.settle_flow(&flow, at);
        }
    }

    pub(in crate::state) fn flow_step(
        &mut self,
        id: &str,
        step: &str,
        event: &StepEvent,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let flow = Arc::clone(self.flow(id)?);
        let ours = matches!(
            event,
            StepEvent::Left { .. } | StepEvent::NotTakenBack { .. }
        );
        if ours && flow.over.is_none() {
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
        let waits = matches!(
            flow.work(step),
            Some(Work::Observe { .. } | Work::Confirm { .. })
        );
        if !state.take(event, waits, at) {
            return Err(refused(&flow, format!("step `{step}`: this cannot follow")));
        }
        self.step_mut(id, step, |_, old| *old = state);
        self.settle_flow(id, at);
        Ok(())
    }

    pub(in crate::state) fn flow_cancelled(
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

    pub(in crate::state) fn flow_compensating(
        &mut self,
        id: &str,
        by: &Actor,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let flow = self.flow(id)?;
        if flow.compensation.is_some() {
            return Err(refused(flow, "it is being taken back already".to_owned()));
        }
        if let Some(flow) = self.flows.get_mut(id).map(Arc::make_mut) {
            flow.over = None;
            flow.compensation = Some(cancel(by, reason, at));
        }
        self.end_pending(id, by, reason, at);
        self.settle_flow(id, at);
        Ok(())
    }

    /// What failed may be tried again.
    pub(in crate::state) fn flow_resumed(
        &mut self,
        id: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let flow = self.flow(id)?;
        self.nothing_in_motion(flow)?;
        self.flow_under_way(id)?;
        // Whatever was proposed and not sent in time is to be proposed again.
        self.expire(at);
        let Some(flow) = self.flows.get_mut(id).map(Arc::make_mut) else {
            return Ok(());
        };
        for state in flow.steps.values_mut() {
            for tries in [&mut state.forward, &mut state.back] {
                if matches!(tries.stands, Stands::Failed(_)) {
                    tries.stands = Stands::Open;
                    tries.since_resumed = 0;
                    state.waiting_since = None;
                }
            }
        }
        Ok(())
    }

    fn flow(&self, id: &str) -> Result<&Arc<Flow>, Refusal> {
        self.flows.get(id).ok_or_else(|| unknown(id))
    }

    fn flow_under_way(&mut self, id: &str) -> Result<&mut Flow, Refusal> {
        let flow = self.flows.get_mut(id).ok_or_else(|| unknown(id))?;
        if flow.over.is_some() {
            return Err(refused(flow, "it is over".to_owned()));
        }
        Ok(Arc::make_mut(flow))
    }

    fn step_mut(
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

    /// The step whose mutation a proposal takes back.
    fn taken_back_by(&self, proposal: &Proposal) -> Option<(&Arc<Flow>, String)> {
        let undone = proposal.undoes.as_deref()?;
        self.flows.values().find_map(|flow| {
            let is_it = |step: &&String| flow.forward(step).proposal.as_deref() == Some(undone);
            Some((flow, flow.applied.iter().find(is_it)?.clone()))
        })
    }

    /// Ends what a workflow has proposed and nobody has sent.
    fn end_pending(&mut self, id: &str, by: &Actor, reason: &str, at: Timestamp) {
        let Some(flow) = self.flows.get(id).cloned() else {
            return;
        };
        for (_, proposal) in flow.proposed() {
            let Some(life) = self.open.get_mut(proposal) else {
                continue;
            };
            if life.phase.is_pending() {
                Arc::make_mut(life).cancel = Some(cancel(by, reason, at));
                self.end(proposal, Phase::Cancelled, at);
            }
        }
    }

    /// Ends a workflow in which nothing is left to do.
    fn settle_flow(&mut self, id: &str, at: Timestamp) {
        let Some(flow) = self.flows.get_mut(id).map(Arc::make_mut) else {
            return;
        };
        if flow.over.is_some() {
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
            flow.over = Some(Over { how, at });
        }
    }
}

impl Flow {
    /// Nobody has ended it.
    fn is_wanted(&self) -> Result<(), Refusal> {
        let why = if self.over.is_some() {
            "it is over"
        } else if self.compensation.is_some() {
            "it is being taken back"
        } else if self.cancel.is_some() {
            "it is cancelled"
        } else {
            return Ok(());
        };
        Err(refused(self, why.to_owned()))
    }

    /// Nobody has ended it, and nothing has failed.
    fn may_go_on(&self) -> Result<(), Refusal> {
        self.is_wanted()?;
        match self.failed() {
            Some((step, _)) => Err(refused(self, format!("step `{step}` has failed"))),
            None => Ok(()),
        }
    }

    /// A step that takes another back is done once its turn has come and that is taken back,
    /// whoever did it.
    fn finish_undoing(&mut self, at: Timestamp) {
        loop {
            let over = self.workflow.steps.iter().find_map(|step| {
                let Work::Undo { of, .. } = step.work() else {
                    return None;
                };
                let stands = &self.back(of).stands;
                let is_new = !self.is_done(&step.id) && self.is_ready(&step.id);
                let summary = match stands {
                    Stands::Done { summary, .. } => summary.clone(),
                    Stands::Left { reason } => Some(reason.clone()),
                    _ => return None,
                };
                is_new.then(|| (step.id.clone(), summary))
            });
            let Some((step, summary)) = over else { return };
            self.steps.entry(step).or_default().forward.stands = Stands::Done {
                at,
                summary,
                by: None,
            };
        }
    }
}

impl Tries {
    fn begin(&mut self, proposal: &str) {
        self.count += 1;
        self.since_resumed += 1;
        self.proposal = Some(proposal.to_owned());
        self.stands = Stands::Proposed;
    }

    /// Takes in that it could not even be proposed, or that what was proposed was called off.
    fn fail(&mut self, code: &str, reason: &str, retryable: bool, at: Timestamp) -> bool {
        match &self.stands {
            Stands::Failed(failure) if failure.code == CALLED_OFF => {}
            Stands::Failed(failure) if !failure.retryable => return false,
            Stands::Open | Stands::Failed(_) => {
                self.count += 1;
                self.since_resumed += 1;
            }
            _ => return false,
        }
        self.stands = Stands::Failed(Failure {
            code: code.to_owned(),
            reason: reason.to_owned(),
            retryable,
            at,
        });
        true
    }
}

impl StepState {
    /// Takes in an event, unless it cannot be.
    fn take(&mut self, event: &StepEvent, waits: bool, at: Timestamp) -> bool {
        let open = self.forward.stands == Stands::Open;
        let done = |summary: Option<&String>, by: Option<&Actor>| Stands::Done {
            at,
            summary: summary.cloned(),
            by: by.cloned(),
        };
        match event {
            StepEvent::Began => {
                let fresh = waits && open && self.waiting_since.is_none();
                self.waiting_since = self.waiting_since.or(Some(at));
                fresh
            }
            StepEvent::Seen { summary } => {
                self.forward.stands = done(Some(summary), None);
                waits && open && self.waiting_since.is_some()
            }
            StepEvent::Confirmed { by, note } => {
                self.forward.stands = done(note.as_ref(), Some(by));
                waits && open
            }
            StepEvent::Failed {
                code,
                reason,
                retryable,
            } => self.forward.fail(code, reason, *retryable, at),
            StepEvent::NotTakenBack {
                code,
                reason,
                retryable,
            } => self.back.fail(code, reason, *retryable, at),
            StepEvent::Left { reason } => {
                let fresh = !self.back.is_settled() && !self.back.is_proposed();
                self.back.stands = Stands::Left {
                    reason: reason.clone(),
                };
                fresh
            }
        }
    }
}

/// The code of a proposal that was cancelled before it was sent.
const CALLED_OFF: &str = "cancelled";

/// How a try ended, by how its proposal did.
fn ended(life: &Life, at: Timestamp) -> Stands {
    let said = life.cancel.as_ref().map(|cancel| cancel.reason.clone());
    let outcome = life.outcome.as_ref();
    let (code, reason, retryable) = match life.phase {
        Phase::Applied => {
            return Stands::Done {
                at,
                summary: outcome.map(|outcome| outcome.summary.clone()),
                by: life.resolved_by.clone(),
            };
        }
        Phase::NotApplied => {
            let code = outcome.and_then(|outcome| outcome.code.as_deref());
            // What people stopped is not begun again by itself.
            let wanted = life.cancel.is_none() && code != Some("stopped");
            (
                code.unwrap_or("not_applied"),
                outcome.map(|outcome| outcome.summary.clone()),
                outcome.is_some_and(|outcome| outcome.retryable) && wanted,
            )
        }
        Phase::Denied => {
            let reason = match &life.ruling {
                crate::record::Ruling::Deny { reason, .. } => Some(reason.clone()),
                _ => None,
            };
            ("denied", reason, false)
        }
        Phase::Rejected => ("rejected", said, false),
        Phase::Expired => (
            "expired",
            Some("it was not carried out in time".to_owned()),
            false,
        ),
        _ => (CALLED_OFF, said, false),
    };
    Stands::Failed(Failure {
        code: code.to_owned(),
        reason: reason.unwrap_or_default(),
        retryable,
        at,
    })
}

fn refused(flow: &Flow, why: String) -> Refusal {
    Refusal::Flow {
        id: flow.id.clone(),
        why,
    }
}

fn unknown(id: &str) -> Refusal {
    Refusal::UnknownFlow { id: id.to_owned() }
}
