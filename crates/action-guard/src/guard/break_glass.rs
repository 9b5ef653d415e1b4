//! Taking back our own when not even the reserve of the journal is left.

use std::sync::Arc;

use action_core::{Attempt, FailureKind, Undo};
use jiff::Timestamp;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::guard::error::GuardError;
use crate::guard::follow::Following;
use crate::guard::permit::SendGate;
use crate::guard::{Guard, Watch, size_limits};
use crate::identity::Actor;
use crate::proposal::time::{after, unix_ms};
use crate::proposal::{Event, Intent, Refusal, Report, Standing};
use crate::records::Record;

/// What was sent without an intent, and whether that is in the journal by now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BrokenGlass {
    /// What became of it.
    pub report: Report,
    /// What belongs in the journal. Keep it until it is there: see
    /// [`Guard::record_break_glass`].
    pub record: Record,
    /// Whether it is there.
    pub recorded: bool,
}

impl Guard {
    /// Takes back a lasting effect of ours. The one exception to "no send without an intent on
    /// disk": a person asks for it, the effect is ours by the journal as it can still be read,
    /// nobody changed it since, and the journal cannot be written. When it can, this is an ordinary
    /// undo. It is written down afterwards, as soon as there is space.
    ///
    /// # Errors
    /// When it was not sent, and why.
    pub async fn break_glass(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
        watch: Watch<'_>,
    ) -> Result<BrokenGlass, GuardError> {
        if !by.is_user() {
            return Err(GuardError::Refused(Refusal::NotAPerson {
                by: by.to_string(),
                wanted: "use break-glass",
            }));
        }
        let by = &self.trust.known(by)?;
        if !self.state().await?.effects.contains_key(id) {
            return Err(GuardError::Refused(Refusal::NotOurs { id: id.to_owned() }));
        }
        match self.undo_in_order(id, by, reason, watch).await {
            Err(GuardError::Journal(error)) if error.is_full() => {}
            Err(error) => return Err(error),
            Ok(report) => {
                let record = Record::Outcome {
                    id: report.id.clone(),
                    outcome: report.outcome.clone(),
                    undo: Some(report.undo.clone()),
                };
                return Ok(BrokenGlass {
                    report,
                    record,
                    recorded: true,
                });
            }
        }
        self.undo_unrecorded(id, by, reason, watch).await
    }

    /// Writes down what was taken back while the journal could not be written.
    ///
    /// # Errors
    /// When it still cannot, or the effect is no longer ours.
    pub async fn record_break_glass(&self, record: Record) -> Result<(), GuardError> {
        self.write(record).await?;
        Ok(())
    }

    async fn undo_in_order(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
        watch: Watch<'_>,
    ) -> Result<Report, GuardError> {
        let proposed = self.propose_undo(id, by, reason).await?;
        let executed = self.execute(&proposed.into_proposal()?, by, watch).await?;
        executed.into_report()
    }

    async fn undo_unrecorded(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
        watch: Watch<'_>,
    ) -> Result<BrokenGlass, GuardError> {
        let proposal = self.planned_undo(id, by, reason).await?.proposal;
        let plan = proposal.plan.clone();
        if !plan.verdict.may_be_sent() {
            let verdict = plan.verdict;
            let standing = Standing::RefusedByPlan { proposal, verdict };
            return Err(GuardError::NotCarriedOut(Box::new(standing)));
        }
        let now = Timestamp::now();
        let attempt = Attempt::new(proposal.id.as_str(), unix_ms(now), plan.clock)
            .for_system(proposal.system.as_str());
        let intent = Intent::new(plan, attempt, after(now, self.send_within));
        let intent = intent.held_for(self.held_for);
        let request = &proposal.request;
        tracing::warn!(action = request.action, id, "sent without a record");
        let definition = self.definition(&request.action)?;
        let gate = SendGate::new(self, &proposal, definition, &intent, None, || false);
        let answer = self.send(&proposal, &intent, Arc::new(gate)).await;
        let answer = size_limits::answer(answer);
        let token = CancellationToken::new();
        let mut following = Following::of(self, &proposal, &intent, &token);
        let outcome = following.after(answer.clone(), watch).await;
        let outcome = size_limits::outcome(outcome);
        watch(Event::Outcome(outcome.clone()));
        let record = Record::BreakGlass {
            id: id.to_owned(),
            by: by.clone(),
            reason: reason.to_owned(),
            attempt: intent.attempt.clone(),
            answer,
            outcome: outcome.clone(),
        };
        let recorded = self.can_record(&record).await?;
        let report = Report {
            id: proposal.id.clone(),
            action: request.action.clone(),
            parameters: request.parameters.clone(),
            attempt: intent.attempt.clone(),
            accepted: following.accepted.take(),
            outcome,
            undo: Undo::none("it took something back itself"),
        };
        Ok(BrokenGlass {
            report,
            record,
            recorded,
        })
    }

    /// Whether it is in the journal by now.
    async fn can_record(&self, record: &Record) -> Result<bool, GuardError> {
        match self.record_break_glass(record.clone()).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == FailureKind::Unavailable => Ok(false),
            Err(error) => Err(error),
        }
    }
}
