//! After a crash: probes what was sent, or may have been, and has no outcome.

use action_core::{Outcome, OutcomeKind};
use tokio::time::Instant;

use crate::error::GuardError;
use crate::follow::Following;
use crate::guard::{Guard, Watch, unix_ms};
use crate::journal_file::Open;
use crate::record::Answer;
use crate::report::Report;

impl Guard {
    /// Finds the outcome of every intent that has none, or whose outcome is unknown, and writes
    /// it down. Sends nothing.
    ///
    /// An intent for another system than the one that answers is left open, and reported as
    /// unknown.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub async fn recover(&self, watch: Watch<'_>) -> Result<Vec<Report>, GuardError> {
        let mut reports = Vec::new();
        for open in self.journal.open_intents().await? {
            reports.push(self.recover_one(open, watch).await?);
        }
        Ok(reports)
    }

    async fn recover_one(&self, open: Open, watch: Watch<'_>) -> Result<Report, GuardError> {
        let Open { id, intent, answer } = open;
        let mut following = Following {
            guard: self,
            id: &id,
            intent: &intent,
            accepted: None,
            elapsed_before_ms: unix_ms().saturating_sub(intent.attempt.sent_at_unix_ms),
            since: Instant::now(),
        };
        let outcome = match answer {
            Some(Answer::Refused {
                code,
                error,
                retryable,
            }) => Outcome::not_applied(code, error, retryable, Vec::new()),
            answer => {
                if let Some(Answer::Accepted { accepted }) = answer {
                    following.accepted = Some(accepted);
                }
                match self.registry.identity(&intent.request.action).await {
                    Ok(found) if found == intent.system => following.finish(watch).await,
                    Ok(found) => Outcome::unknown(
                        "other_system",
                        format!("it was sent to `{}`, and this is `{found}`", intent.system),
                        format!("run `recover` where `{}` can be reached", intent.system),
                        Vec::new(),
                    ),
                    Err(error) => Outcome::unknown(
                        "cannot_probe",
                        error.report(),
                        "run `recover` when the system can be reached",
                        Vec::new(),
                    ),
                }
            }
        };
        let accepted = following.accepted;
        if outcome.result == OutcomeKind::Unknown {
            tracing::warn!(action = intent.request.action, "outcome still unknown");
        }
        self.conclude(&id, &intent, accepted, outcome, watch).await
    }
}
