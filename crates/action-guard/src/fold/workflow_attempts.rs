//! How a step gets on, by what is written down of it.

use action_core::Work;
use jiff::Timestamp;

use crate::fold::refuse::refused;
use crate::identity::Actor;
use crate::proposal::{Phase, Refusal, Ruling};
use crate::records::StepEvent;
use crate::state::{AttemptState, Attempts, Failure, Flow, ProposalStatus, StepState};

impl Flow {
    /// What failed may be tried again.
    pub(super) fn try_again(&mut self) {
        for state in self.steps.values_mut() {
            for attempts in [&mut state.forward, &mut state.back] {
                if matches!(attempts.state, AttemptState::Failed(_)) {
                    attempts.state = AttemptState::Open;
                    attempts.since_resumed = 0;
                    state.waiting_since = None;
                }
            }
        }
    }

    /// Nobody has ended it.
    pub(super) fn is_wanted(&self) -> Result<(), Refusal> {
        let why = if self.ended.is_some() {
            "it has ended"
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
    pub(super) fn may_go_on(&self) -> Result<(), Refusal> {
        self.is_wanted()?;
        match self.failed() {
            Some((step, _)) => Err(refused(self, format!("step `{step}` has failed"))),
            None => Ok(()),
        }
    }

    /// A step that takes another back is done once its turn has come and that is taken back,
    /// whoever did it.
    pub(super) fn finish_undoing(&mut self, at: Timestamp) {
        loop {
            let ended = self.workflow.steps.iter().find_map(|step| {
                let Work::Undo { of, .. } = step.work() else {
                    return None;
                };
                let is_new = !self.is_done(&step.id) && self.is_ready(&step.id);
                let summary = match &self.back(of).state {
                    AttemptState::Done { summary, .. } => summary.clone(),
                    AttemptState::Left { reason } => Some(reason.clone()),
                    _ => return None,
                };
                is_new.then(|| (step.id.clone(), summary))
            });
            let Some((step, summary)) = ended else { return };
            self.steps.entry(step).or_default().forward.state = AttemptState::Done {
                at,
                summary,
                by: None,
            };
        }
    }
}

impl Attempts {
    pub(super) fn begin(&mut self, proposal: &str) {
        self.count += 1;
        self.since_resumed += 1;
        self.proposal = Some(proposal.to_owned());
        self.state = AttemptState::Proposed;
    }

    /// Takes in that it could not even be proposed, or that what was proposed was called off.
    fn fail(&mut self, code: &str, reason: &str, retryable: bool, at: Timestamp) -> bool {
        match &self.state {
            AttemptState::Failed(failure) if failure.code == CALLED_OFF => {}
            AttemptState::Failed(failure) if !failure.retryable => return false,
            AttemptState::Open | AttemptState::Failed(_) => {
                self.count += 1;
                self.since_resumed += 1;
            }
            _ => return false,
        }
        self.state = AttemptState::Failed(Failure {
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
    pub(super) fn take(
        &mut self,
        event: &StepEvent,
        work: Option<Work<'_>>,
        at: Timestamp,
    ) -> bool {
        let open = self.forward.state == AttemptState::Open;
        let observes = matches!(work, Some(Work::Observe { .. }));
        let confirms = matches!(work, Some(Work::Confirm { .. }));
        let done = |summary: Option<&String>, by: Option<&Actor>| AttemptState::Done {
            at,
            summary: summary.cloned(),
            by: by.cloned(),
        };
        match event {
            StepEvent::Began => {
                let waits = observes || confirms;
                let fresh = waits && open && self.waiting_since.is_none();
                self.waiting_since = self.waiting_since.or(Some(at));
                fresh
            }
            StepEvent::Seen { summary } => {
                self.forward.state = done(Some(summary), None);
                observes && open && self.waiting_since.is_some()
            }
            StepEvent::Confirmed { by, note, .. } => {
                self.forward.state = done(note.as_ref(), Some(by));
                confirms && open
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
                self.back.state = AttemptState::Left {
                    reason: reason.clone(),
                };
                fresh
            }
            // It is not the step that this is about, but its proposal.
            StepEvent::AskedAnew { .. } => false,
        }
    }
}

/// The code of a proposal that was cancelled before it was sent.
const CALLED_OFF: &str = "cancelled";

/// How a try ended, by how its proposal did.
pub(super) fn ended(status: &ProposalStatus, at: Timestamp) -> AttemptState {
    let said = status.cancel.as_ref().map(|cancel| cancel.reason.clone());
    let outcome = status.outcome.as_ref();
    let (code, reason, retryable) = match status.phase {
        Phase::Applied => {
            return AttemptState::Done {
                at,
                summary: outcome.map(|outcome| outcome.summary.clone()),
                by: status.resolved_by.clone(),
            };
        }
        Phase::NotApplied => {
            let code = outcome.and_then(|outcome| outcome.code.as_deref());
            // What people stopped is not begun again by itself.
            let wanted = status.cancel.is_none() && code != Some("stopped");
            (
                code.unwrap_or("not_applied"),
                outcome.map(|outcome| outcome.summary.clone()),
                outcome.is_some_and(|outcome| outcome.retryable) && wanted,
            )
        }
        Phase::Denied => {
            let reason = match &status.ruling {
                Ruling::Deny { reason, .. } => Some(reason.clone()),
                _ => None,
            };
            ("denied", reason, false)
        }
        Phase::Rejected => ("rejected", said, false),
        Phase::Expired => (
            "expired",
            Some("its proposal expired before it was run".to_owned()),
            false,
        ),
        _ => (CALLED_OFF, said, false),
    };
    AttemptState::Failed(Failure {
        code: code.to_owned(),
        reason: reason.unwrap_or_default(),
        retryable,
        at,
    })
}
