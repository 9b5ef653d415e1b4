//! What can happen to a workflow, and that it does.

use std::sync::Arc;

use action_core::{Attribution, Outcome, OutcomeKind};
use action_guard::{Mode, Phase, Record, StepEvent};
use jiff::SignedDuration;

use crate::fixtures::actor;
use crate::flow_world::{FLOW, World, event, mode};

/// What happens next, as far as it can.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Happens {
    /// The runner does what is due: the first, or another.
    Ready(usize),
    /// It ends so, if something is being carried out.
    Ends(u8),
    Approve,
    Reject,
    Confirm,
    Later(i64),
    Resolve(bool),
    Kill,
    Reset,
    Observe,
    Resume,
    Cancel,
    Compensate,
}

impl World {
    pub(crate) fn happens(&mut self, what: Happens) {
        let id = FLOW.to_owned();
        let (by, reason) = (actor("user:ana"), "a test".to_owned());
        let written = match what {
            Happens::Ready(which) => {
                let ready = self.next_steps().ready;
                if let Some(ready) = ready.get(which).or(ready.first()) {
                    self.act(&ready.clone());
                }
                return;
            }
            Happens::Ends(how) => {
                let Some(id) = self.phase_of(Phase::Executing) else {
                    return;
                };
                let outcome = match how {
                    0 => Outcome::unknown("deadline", "not seen", "look", Vec::new()),
                    1 | 2 => Outcome::not_applied("gone", "it is gone", how == 1, Vec::new()),
                    _ => Outcome::applied(Attribution::Ours, "turned", Vec::new()),
                };
                let (result, retryable) = (outcome.result, outcome.retryable);
                self.must(Record::Outcome {
                    id: id.clone(),
                    outcome,
                    undo: None,
                });
                self.concluded(&id, result, retryable);
                return;
            }
            Happens::Approve => {
                let Some(id) = self.phase_of(Phase::NeedsApproval) else {
                    return;
                };
                let status = Arc::clone(self.state().proposal_status(&id).unwrap());
                let until = self.now + SignedDuration::from_mins(20);
                let hash = status.proposal.plan_hash.clone();
                let approval = action_guard::Approval::new(actor("user:ben"), hash, until);
                self.write(Record::Approved { id, approval })
            }
            Happens::Reject => {
                let Some(id) = self.phase_of(Phase::NeedsApproval) else {
                    return;
                };
                self.write(Record::Rejected { id, by, reason })
            }
            Happens::Confirm => {
                let steps = self.flow().workflow.steps.clone();
                for step in steps {
                    let confirms = matches!(step.work(), action_core::Work::Confirm { .. });
                    let note = None;
                    let by = by.clone();
                    let said = event(
                        &step.id,
                        StepEvent::Confirmed {
                            by,
                            note,
                            proof: None,
                        },
                    );
                    if confirms && self.write(said).is_ok() {
                        for needed in &step.needs {
                            assert!(self.done.contains(needed), "{} before {needed}", step.id);
                        }
                        self.done.insert(step.id.clone());
                        self.finish_undoing();
                        return;
                    }
                }
                return;
            }
            Happens::Later(seconds) => {
                self.now += SignedDuration::from_secs(seconds);
                return;
            }
            Happens::Resolve(applied) => {
                let Some(id) = self.phase_of(Phase::Unknown) else {
                    return;
                };
                let result = match applied {
                    true => OutcomeKind::Applied,
                    false => OutcomeKind::NotApplied,
                };
                self.must(Record::Resolved {
                    id: id.clone(),
                    by,
                    result,
                    reason,
                });
                self.concluded(&id, result, false);
                return;
            }
            Happens::Kill => self.write(Record::Killed {
                target: None,
                by,
                reason,
            }),
            Happens::Observe => self.write(mode(Mode::Observe)),
            Happens::Reset => {
                let reset = Record::Reset {
                    target: None,
                    by,
                    reason,
                    proof: None,
                };
                let _ = self.write(reset);
                self.write(mode(Mode::Execute))
            }
            Happens::Resume => {
                let written = self.write(Record::FlowResumed { id, by, reason });
                if written.is_ok() {
                    self.let_go_on();
                }
                written
            }
            Happens::Cancel => self.write(Record::FlowCancelled { id, by, reason }),
            Happens::Compensate => self.write(Record::FlowCompensating { id, by, reason }),
        };
        // Not everything may be said at every time.
        let _ = written;
    }
}
