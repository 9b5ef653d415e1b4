//! Decides what is next in a workflow, from the records alone.

use action_core::{DurationText, Retry, Step, Work};
use jiff::Timestamp;

use crate::proposal::time::after;
use crate::proposal::{Mode, Phase, Refusal};
use crate::state::{AttemptState, Attempts, Flow, ProposalStatus, State};
use crate::workflows::backoff::before_retry;
use crate::workflows::mutate_step::WHOSE_UNKNOWN;
use crate::workflows::next_steps::{NextSteps, Ready, StopCode, Stopped, Waiting};

/// What is next in a workflow. Reads nothing but what it is given, so that it is the same for
/// whoever asks, also after a crash.
///
/// While a mutation may still happen nothing else begins; after one of unknown outcome, or one
/// that failed for good, nothing is ready until a person has said something.
#[must_use]
pub fn next_steps(flow: &Flow, state: &State, now: Timestamp) -> NextSteps {
    let mut situation = Situation {
        flow,
        state,
        now,
        next_steps: NextSteps::default(),
    };
    situation.next_steps.ended = flow.ended.as_ref().map(|over| over.how);
    if situation.next_steps.ended.is_none() {
        situation.under_way();
    }
    situation.next_steps
}

struct Situation<'a> {
    flow: &'a Flow,
    state: &'a State,
    now: Timestamp,
    next_steps: NextSteps,
}

impl Situation<'_> {
    fn under_way(&mut self) {
        let flow = self.flow;
        if self.in_motion() {
            return;
        }
        if let Some((step, failure)) = flow.failed() {
            let reason = format!("{}: {}", failure.code, failure.reason);
            let (proposal, next) = match failure.code.as_str() {
                WHOSE_UNKNOWN => (flow.forward(step).proposal.as_deref(), DECIDE_WHOSE),
                _ => (None, LET_GO_ON),
            };
            return self.stop(StopCode::Failed, Some(step), proposal, reason, next);
        }
        for (step, proposal) in flow.proposed() {
            let status = self.state.open.get(proposal);
            if status.is_some_and(|status| status.phase_at(self.now) == Phase::Expired) {
                let reason = "its proposal was not carried out in time".to_owned();
                return self.stop(
                    StopCode::Failed,
                    Some(step),
                    Some(proposal),
                    reason,
                    LET_GO_ON,
                );
            }
        }
        // What is ours may be taken back all the same; the guard says which.
        let killed = self.state.killed_on_any(flow.systems.values());
        if let (Some(killed), None) = (killed, &flow.compensation) {
            let reason = format!("stopped by `{}`: {}", killed.by, killed.reason);
            let next = "a person resets the kill switch, or takes back what the workflow did";
            return self.stop(StopCode::Killed, None, None, reason, next);
        }
        if let Some(refusal) = self.paused() {
            let next = "a person resumes the agent, or takes back what the workflow did";
            return self.stop(StopCode::Paused, None, None, refusal.to_string(), next);
        }
        if killed.is_none()
            && let Some(reason) = self.observing()
        {
            let next = "a person sets the mode to execute";
            return self.stop(StopCode::Observing, None, None, reason, next);
        }
        if flow.compensation.is_some() {
            if let Some(step) = flow.next_to_take_back() {
                self.back(step);
            }
            return;
        }
        if flow.cancel.is_some() || !self.may_begin() {
            return;
        }
        for step in &flow.workflow.steps {
            if !flow.is_done(&step.id) && flow.is_ready(&step.id) {
                self.step(step);
            }
        }
    }

    /// Why nothing goes on for who is at it, if one of them is paused.
    fn paused(&self) -> Option<Refusal> {
        let mut at_it = std::iter::once(&self.flow.by).chain(&self.flow.resumed_by);
        let pause = at_it.find_map(|who| self.state.paused_at(who.as_str(), self.now))?;
        Some(pause.refusal())
    }

    /// Why nothing is sent by the mode, if that is so for one of its systems.
    fn observing(&self) -> Option<String> {
        let mut systems = self.flow.systems.values();
        let of_all = || "the mode is observe, so nothing is sent".to_owned();
        if self.state.mode == Mode::Observe {
            return Some(of_all());
        }
        let observing = systems.find_map(|system| self.state.observing(system))?;
        Some(match observing {
            Refusal::ClusterObserving { cluster } => {
                format!("the mode of cluster `{cluster}` is observe, so nothing is sent to it")
            }
            _ => of_all(),
        })
    }

    /// Whether something may still happen.
    fn in_motion(&mut self) -> bool {
        let flow = self.flow;
        for (step, proposal) in flow.proposed() {
            match self.state.open.get(proposal).map(|status| status.phase) {
                Some(Phase::Unknown) => {
                    let reason = "it may have happened, or may still happen".to_owned();
                    let next = "find the outcome with `recover`, or resolve the proposal; nothing \
                                goes on before";
                    self.stop(StopCode::Unknown, Some(step), Some(proposal), reason, next);
                }
                Some(Phase::Executing) => self.next_steps.waiting.push(Waiting::Mutation {
                    step: step.to_owned(),
                    proposal: proposal.to_owned(),
                }),
                _ => {}
            }
        }
        self.next_steps.stopped.is_some() || !self.next_steps.waiting.is_empty()
    }

    /// Whether the first step may begin, or has.
    fn may_begin(&mut self) -> bool {
        if !self.flow.steps.is_empty() {
            return true;
        }
        let early = self.flow.scheduled_at.filter(|at| self.now < *at);
        if let Some(at) = early {
            self.next_steps.waiting.push(Waiting::Schedule { at });
            return false;
        }
        if let Some(by) = self.flow.begin_by.filter(|by| self.now > *by) {
            let reason = format!("it was to begin by {by}");
            self.stop(
                StopCode::Missed,
                None,
                None,
                reason,
                "cancel it, and start it anew",
            );
            return false;
        }
        true
    }

    fn step(&mut self, step: &Step) {
        let id = step.id.as_str();
        let since = self
            .flow
            .steps
            .get(id)
            .and_then(|state| state.waiting_since);
        let until = |within: DurationText| since.map(|since| after(since, within.duration()));
        match step.work() {
            Work::Action { retry, .. } => {
                let attempts = self.flow.forward(id);
                let propose = Ready::Propose {
                    step: id.to_owned(),
                    attempt: attempts.count + 1,
                };
                self.attempts(id, attempts, retry, false, propose);
            }
            Work::Undo { of, .. } => self.back(of),
            Work::Observe { within, .. } => self.next_steps.ready.push(match until(within) {
                Some(until) => Ready::Observe {
                    step: id.to_owned(),
                    until,
                },
                None => begin(id),
            }),
            Work::Confirm { text, within, by } => {
                let until = within.and_then(until);
                if since.is_none() {
                    self.next_steps.ready.push(begin(id));
                } else if until.is_some_and(|until| self.now > until) {
                    self.next_steps.ready.push(Ready::GiveUp {
                        step: id.to_owned(),
                    });
                } else {
                    self.next_steps.waiting.push(Waiting::Confirmation {
                        step: id.to_owned(),
                        text: text.to_owned(),
                        by: by.to_vec(),
                        until,
                    });
                }
            }
            _ => {}
        }
    }

    /// Taking back a step's mutation.
    fn back(&mut self, step: &str) {
        let flow = self.flow;
        let Some(proposal) = &flow.forward(step).proposal else {
            return;
        };
        let take_back = Ready::TakeBack {
            step: step.to_owned(),
            proposal: proposal.clone(),
        };
        let retry = flow.retry_back(step);
        self.attempts(step, flow.back(step), retry, true, take_back);
    }

    fn attempts(
        &mut self,
        step: &str,
        attempts: &Attempts,
        retry: Option<Retry>,
        back: bool,
        begin: Ready,
    ) {
        let next_steps = &mut self.next_steps;
        match &attempts.state {
            AttemptState::Open => next_steps.ready.push(begin),
            AttemptState::Proposed => {
                let open = &self.state.open;
                let status = attempts.proposal.as_ref().and_then(|id| open.get(id));
                next_steps.proposed(step, status.map(|status| &**status), back);
            }
            AttemptState::Failed(failure) => {
                let wait = retry
                    .map(|retry| before_retry(retry, attempts.since_resumed, &self.flow.id, step));
                let at = after(failure.at, wait.unwrap_or_default());
                if self.now >= at {
                    next_steps.ready.push(begin);
                } else {
                    let step = step.to_owned();
                    next_steps.waiting.push(Waiting::Retry { step, at });
                }
            }
            AttemptState::Done { .. } | AttemptState::Left { .. } => {}
        }
    }

    fn stop(
        &mut self,
        code: StopCode,
        step: Option<&str>,
        proposal: Option<&str>,
        reason: String,
        next: &str,
    ) {
        self.next_steps.stopped.get_or_insert(Stopped {
            code,
            step: step.map(str::to_owned),
            proposal: proposal.map(str::to_owned),
            reason,
            next: next.to_owned(),
        });
    }
}

impl NextSteps {
    fn proposed(&mut self, step: &str, status: Option<&ProposalStatus>, back: bool) {
        let Some(status) = status else { return };
        let (step, proposal) = (step.to_owned(), status.proposal.id.clone());
        match status.phase {
            Phase::NeedsApproval => self.waiting.push(Waiting::Approval { step, proposal }),
            Phase::Approved => self.ready.push(Ready::Execute {
                step,
                proposal,
                back,
            }),
            _ => {}
        }
    }
}

const LET_GO_ON: &str = "look at it, then resume the workflow, cancel it, or take back what it did";

const DECIDE_WHOSE: &str = "a person takes it back with `undo`, or gives it up with `release`; then \
                            resume the workflow";

fn begin(step: &str) -> Ready {
    Ready::Begin {
        step: step.to_owned(),
    }
}
