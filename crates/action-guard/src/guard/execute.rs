//! Carrying out: plans anew, writes the intent, sends once, writes the answer, follows.

use action_core::{Accepted, ActionError, Attempt, FailureKind, Outcome, Plan, Undo};
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Duration, Instant};

use crate::failpoint::passed;
use crate::guard::error::GuardError;
use crate::guard::follow::Following;
use crate::guard::redact::is_redacted;
use crate::guard::{Guard, Tracked, Watch, size_limits};
use crate::journal::JournalError;
use crate::proposal::time::{after, unix_ms};
use crate::proposal::{
    Answer, Event, Intent, Mode, PlanHash, Proposal, Refusal, Report, plan_difference,
};
use crate::records::Record;

/// Between the intent and the beginning of the send.
pub(super) const SEND_WITHIN: Duration = Duration::from_secs(10);

impl Guard {
    /// Carries out what was proposed: plans anew, writes and syncs the intent, sends once, and
    /// follows until the outcome is known, it is stuck, or the plan's deadline is over.
    ///
    /// When the future is dropped before the request is sent, it is not sent. When it is dropped
    /// later, the following goes on by itself for as long as the runtime lives; after that
    /// [`recover`](Self::recover) finds the outcome.
    ///
    /// # Errors
    /// When it was not sent, and why. A refusal by the system is an outcome, not an error.
    pub async fn execute(
        &self,
        proposal: &Proposal,
        watch: Watch<'_>,
    ) -> Result<Report, GuardError> {
        let id = proposal.id.as_str();
        if is_redacted(&proposal.request.parameters) {
            return Err(GuardError::Refused(Refusal::Redacted { id: id.to_owned() }));
        }
        let Some(tracked) = self.track(id) else {
            let status = self.proposal_status(id).await?;
            return Err(GuardError::Refused(Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted: "executed twice",
            }));
        };
        let plan = self.replanned(proposal).await?;
        watch(Event::Replanned(plan.clone()));
        let (events, mut seen) = unbounded_channel();
        let guard = self.clone();
        let work = guard.carry_out(proposal.clone(), plan, tracked, events);
        // Whatever becomes of the caller, what was sent is followed.
        let work = tokio::spawn(work);
        while let Some(event) = seen.recv().await {
            watch(event);
        }
        work.await.unwrap_or(Err(GuardError::Abandoned))
    }

    /// Plans again, and compares with what was shown.
    async fn replanned(&self, proposal: &Proposal) -> Result<Plan, GuardError> {
        let action = proposal.request.action.as_str();
        let found = self.registry.identity(action).await?;
        if found != proposal.system {
            let planned = proposal.system.clone();
            return Err(GuardError::WrongSystem { planned, found });
        }
        let parameters = proposal.request.parameters.clone();
        let plan = self.registry.plan(action, parameters).await?;
        if !plan.verdict.may_be_sent() {
            return Err(GuardError::NotSent {
                verdict: plan.verdict,
            });
        }
        let changes = plan_difference(&proposal.plan, &plan);
        if !changes.is_empty() {
            return Err(GuardError::Drifted { changes });
        }
        Ok(plan)
    }

    async fn carry_out(
        self,
        proposal: Proposal,
        plan: Plan,
        tracked: Tracked,
        events: UnboundedSender<Event>,
    ) -> Result<Report, GuardError> {
        passed("guard.planned");
        let intent = self.begin(&proposal, plan).await?;
        passed("guard.intent");
        let mut watch = |event| {
            // Nobody may be looking any more.
            let _ = events.send(event);
        };
        watch(Event::Intent {
            attempt: intent.attempt.clone(),
        });
        let mut following = Following::of(&self, &proposal, &intent, &tracked.token);
        let called_off = || tracked.token.is_cancelled() || events.is_closed();
        let outcome = match self.gate(&proposal, &intent, called_off).await {
            Err(outcome) => *outcome,
            Ok(()) => {
                let answer = self.send(&proposal, &intent).await;
                following.since = Instant::now();
                self.note(&proposal.id, answer.clone()).await;
                match answer {
                    Answer::Accepted { accepted } => {
                        watch(Event::Accepted(accepted.clone()));
                        following.accepted = Some(accepted);
                        following.finish(&mut watch).await
                    }
                    Answer::Unclear { error, .. } => {
                        watch(Event::Unanswered { error });
                        following.finish(&mut watch).await
                    }
                    Answer::Refused {
                        code,
                        error,
                        retryable,
                    } => Outcome::not_applied(code, error, retryable, Vec::new()),
                }
            }
        };
        let accepted = following.accepted.take();
        self.conclude(&proposal, &intent, accepted, outcome, &mut watch)
            .await
    }

    /// Writes the intent down, if the state still allows it.
    async fn begin(&self, proposal: &Proposal, plan: Plan) -> Result<Intent, GuardError> {
        let definition = self.definition(&proposal.request.action)?;
        let rules = self.rules.clone();
        // What is sent is what the hash was made of, not what the caller says it is.
        let (request, facts) = (&proposal.request, &proposal.plan.preconditions);
        let hash = PlanHash::of(
            &request.action,
            &request.parameters,
            &proposal.system,
            facts,
            proposal.expires_at,
        );
        let id = proposal.id.clone();
        let entries = self
            .commit(move |state, now| {
                let status = state.open.get(&id);
                if let Some(status) = status.filter(|status| status.phase.is_unsent()) {
                    if status.proposal.plan_hash != hash {
                        return Err(Refusal::OtherPlan {
                            id,
                            approved: status.proposal.plan_hash.to_string(),
                            found: hash.to_string(),
                        });
                    }
                    rules.allow_send(status, &definition, &plan, state, now)?;
                }
                let attempt = Attempt::new(id.as_str(), unix_ms(now), plan.clock);
                let send_by = after(now, SEND_WITHIN);
                let intent = Box::new(Intent::new(plan, attempt, send_by));
                Ok(vec![Record::Intent { id, intent }])
            })
            .await?;
        let intent = entries.into_iter().find_map(|entry| match entry.record {
            Record::Intent { intent, .. } => Some(*intent),
            _ => None,
        });
        intent.ok_or(GuardError::Abandoned)
    }

    /// The last look before the bytes go out. An outcome means that nothing was sent.
    async fn gate(
        &self,
        proposal: &Proposal,
        intent: &Intent,
        called_off: impl Fn() -> bool,
    ) -> Result<(), Box<Outcome>> {
        let not_sent = |code: &str, why: &str| {
            let summary = format!("nothing was sent: {why}");
            let outcome = Outcome::not_applied(code, summary, true, Vec::new());
            Err(Box::new(outcome))
        };
        if called_off() {
            return not_sent("cancelled", "it was called off before");
        }
        if !self.may_send(proposal).await.unwrap_or(false) {
            return not_sent("stopped", "the kill switch is set, or the mode is observe");
        }
        if Timestamp::now() > intent.send_by {
            return not_sent("late", "the time to send it was over");
        }
        passed("send.before");
        Ok(())
    }

    /// Whether the mode and the kill switch allow it now, which they did when the intent was
    /// written. What cannot be read does not allow it.
    async fn may_send(&self, proposal: &Proposal) -> Result<bool, JournalError> {
        let stopped = self.journal.is_stopped().await?;
        let state = self.journal.state().await?;
        if stopped || state.killed.is_some() {
            let undone = proposal.undoes.as_ref();
            return Ok(undone.is_some_and(|undone| state.effects.contains_key(undone)));
        }
        Ok(state.mode == Mode::Execute)
    }

    async fn send(&self, proposal: &Proposal, intent: &Intent) -> Answer {
        let request = &proposal.request;
        let parameters = request.parameters.clone();
        let answer = self
            .registry
            .send(
                &request.action,
                parameters,
                &intent.plan.before,
                &intent.attempt,
            )
            .await;
        passed("send.after");
        tracing::debug!(action = request.action, accepted = answer.is_ok(), "sent");
        read(answer)
    }

    /// Writes the answer down. Whatever happens to this record, the intent is there and the
    /// outcome will be.
    async fn note(&self, id: &str, answer: Answer) {
        let noted = self
            .write(Record::Answer {
                id: id.to_owned(),
                answer: size_limits::answer(answer),
            })
            .await;
        if let Err(error) = noted {
            tracing::warn!(
                error = action_core::report(&error),
                "answer not written down"
            );
        }
        passed("guard.answered");
    }

    /// Writes the outcome down and reports.
    pub(crate) async fn conclude(
        &self,
        proposal: &Proposal,
        intent: &Intent,
        accepted: Option<Accepted>,
        outcome: Outcome,
        watch: Watch<'_>,
    ) -> Result<Report, GuardError> {
        passed("guard.followed");
        let outcome = size_limits::outcome(outcome);
        watch(Event::Outcome(outcome.clone()));
        let request = &proposal.request;
        let (parameters, before) = (request.parameters.clone(), &intent.plan.before);
        let undo = self.registry.undo(
            &request.action,
            parameters,
            before,
            accepted.as_ref(),
            Some(&outcome),
        );
        let report = Report {
            id: proposal.id.clone(),
            action: request.action.clone(),
            parameters: request.parameters.clone(),
            attempt: intent.attempt.clone(),
            accepted,
            undo: undo.unwrap_or_else(|error| Undo::none(error.report())),
            outcome,
        };
        let written = self.write(Record::Outcome {
            id: proposal.id.clone(),
            outcome: report.outcome.clone(),
            undo: Some(report.undo.clone()),
        });
        match written.await {
            Ok(_) => Ok(report),
            Err(source) => Err(GuardError::Unrecorded {
                report: Box::new(report),
                source,
            }),
        }
    }
}

/// What an answer says about the mutation.
pub(crate) fn read(answer: Result<Accepted, ActionError>) -> Answer {
    let error = match answer {
        Ok(accepted) => return Answer::Accepted { accepted },
        Err(error) => error,
    };
    let (code, words) = (error.code().to_owned(), error.report());
    match error.kind() {
        FailureKind::Refused | FailureKind::InvalidInput => Answer::Refused {
            code,
            error: words,
            retryable: false,
        },
        FailureKind::Busy | FailureKind::Unavailable => Answer::Refused {
            code,
            error: words,
            retryable: true,
        },
        _ => Answer::Unclear { code, error: words },
    }
}
