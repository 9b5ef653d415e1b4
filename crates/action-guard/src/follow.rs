//! Follows a mutation by probing until its outcome is known.

use std::time::Duration;

use action_core::{Accepted, Cause, Evidence, Outcome, Progress, Sent};
use tokio::time::Instant;

use crate::guard::{Guard, Watch};
use crate::journal_file::FileIntent;
use crate::report::Event;

/// A mutation that was sent, or may have been.
pub(crate) struct Following<'a> {
    pub(crate) guard: &'a Guard,
    pub(crate) id: &'a str,
    pub(crate) intent: &'a FileIntent,
    pub(crate) accepted: Option<Accepted>,
    /// Milliseconds between the send and `since`.
    pub(crate) elapsed_before_ms: u64,
    pub(crate) since: Instant,
}

/// Between two probes at least, whatever a plan says.
const SHORTEST_POLL: Duration = Duration::from_millis(20);

impl Following<'_> {
    /// Probes until it is known, or the deadline is over. At least once, and never sends.
    pub(crate) async fn finish(&mut self, watch: Watch<'_>) -> Outcome {
        let follow = self.intent.plan.follow;
        let poll = Duration::from_millis(follow.poll_ms).max(SHORTEST_POLL);
        // What is recovered late still gets the time to show.
        let late = self.elapsed_before_ms.saturating_add(follow.settle_ms);
        let deadline_ms = follow.deadline_ms.max(late);
        let mut last = Last::default();
        loop {
            match self.probe().await {
                Ok(progress) => {
                    watch(Event::Progress(progress.clone()));
                    if let Some(outcome) = last.take(progress) {
                        return outcome;
                    }
                }
                Err(error) => {
                    last.error = Some(error.clone());
                    watch(Event::ProbeFailed { error });
                }
            }
            if self.elapsed_ms() >= deadline_ms {
                return last.unknown(self.id);
            }
            let left = Duration::from_millis(deadline_ms - self.elapsed_ms());
            tokio::time::sleep(poll.min(left)).await;
        }
    }

    async fn probe(&self) -> Result<Progress, String> {
        let request = &self.intent.request;
        let sent = Sent::new(
            self.intent.attempt.clone(),
            self.accepted.clone(),
            self.elapsed_ms(),
        );
        let registry = &self.guard.registry;
        let before = &self.intent.plan.before;
        let progress = registry.probe(&request.action, request.parameters.clone(), before, &sent);
        progress.await.map_err(|error| error.report())
    }

    fn elapsed_ms(&self) -> u64 {
        let since = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.elapsed_before_ms.saturating_add(since)
    }
}

/// What was seen last.
#[derive(Default)]
struct Last {
    summary: Option<String>,
    stalled: Vec<Cause>,
    evidence: Vec<Evidence>,
    error: Option<String>,
}

impl Last {
    /// The outcome, if this is one.
    fn take(&mut self, progress: Progress) -> Option<Outcome> {
        match progress {
            Progress::Applied {
                by,
                summary,
                evidence,
            } => Some(Outcome::applied(by, summary, evidence)),
            Progress::NotApplied {
                cause,
                retryable,
                evidence,
            } => Some(Outcome::not_applied(
                cause.code, cause.text, retryable, evidence,
            )),
            Progress::Pending {
                summary,
                stalled,
                evidence,
                ..
            } => {
                *self = Self {
                    summary: Some(summary),
                    stalled,
                    evidence,
                    error: None,
                };
                None
            }
            _ => None,
        }
    }

    fn unknown(self, id: &str) -> Outcome {
        let next =
            format!("it may still happen: nothing is sent again, `recover` probes {id} anew");
        let (code, summary) = match (self.stalled.first(), self.error, self.summary) {
            (_, Some(error), _) => ("cannot_probe".to_owned(), error),
            (Some(stall), None, summary) => {
                let summary = summary.unwrap_or_default();
                (stall.code.clone(), format!("{summary}: {}", stall.text))
            }
            (None, None, Some(summary)) => ("deadline".to_owned(), summary),
            (None, None, None) => (
                "deadline".to_owned(),
                "it was not probed in time".to_owned(),
            ),
        };
        Outcome::unknown(code, summary, next, self.evidence)
    }
}
