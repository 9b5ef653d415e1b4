//! What the probes of a mutation have shown, and what it comes to when they decide nothing.

use std::time::Duration;

use action_core::{Cause, Evidence, Outcome, Progress};
use tokio::time::Instant;

/// The code of what an undo has taken over.
const TAKEN_OVER: &str = "taken_over";

/// What was seen last.
#[derive(Default)]
pub(super) struct LastSeen {
    pub(super) summary: Option<String>,
    stalled: Vec<Cause>,
    stalled_since: Option<Instant>,
    evidence: Vec<Evidence>,
    pub(super) error: Option<String>,
}

impl LastSeen {
    /// That this was seen, and nothing else is told of it.
    pub(super) fn saying(summary: &str) -> Self {
        Self {
            summary: Some(summary.to_owned()),
            ..Self::default()
        }
    }

    /// The outcome of the proposal with this id, if this is one.
    pub(super) fn take(&mut self, progress: Progress, id: &str) -> Option<Outcome> {
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
            Progress::NotKnown {
                summary,
                cause,
                evidence,
            } => {
                let next = format!(
                    "nothing is sent again, and no probe can decide it: find out the outcome, then record it with `resolve {id}`"
                );
                let summary = format!("{summary}: {}", cause.text);
                Some(Outcome::unknown(cause.code, summary, next, evidence))
            }
            Progress::Pending {
                summary,
                stalled,
                evidence,
                ..
            } => {
                let since = self.stalled_since.unwrap_or_else(Instant::now);
                *self = Self {
                    summary: Some(summary),
                    stalled_since: (!stalled.is_empty()).then_some(since),
                    stalled,
                    evidence,
                    error: None,
                };
                None
            }
            _ => None,
        }
    }

    pub(super) fn stalled_for(&self) -> Duration {
        self.stalled_since
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// What its follower says when an undo has taken it over: how it ended is for that to say.
    pub(super) fn taken_over(self, by: &str) -> Outcome {
        let seen = self.summary.or(self.error).unwrap_or_default();
        Outcome::unknown(
            TAKEN_OVER,
            format!("proposal {by} is taking it back: {seen}"),
            format!("see proposal {by}"),
            self.evidence,
        )
    }

    /// What is known of it when the undo that has taken it over ended without taking it back.
    pub(super) fn not_taken_back(self, undo: &str, id: &str) -> Outcome {
        let mut outcome = self.unknown(id);
        outcome.summary = format!("proposal {undo} did not take it back: {}", outcome.summary);
        outcome
    }

    pub(super) fn called_off(self, id: &str) -> Outcome {
        let mut outcome = self.unknown(id);
        outcome.code = Some("cancelled".to_owned());
        outcome.summary = format!("no longer followed: {}", outcome.summary);
        outcome
    }

    pub(super) fn unknown(self, id: &str) -> Outcome {
        let next =
            format!("it may still take effect; nothing is sent again; `recover` probes {id} again");
        let (code, summary) = match (self.stalled.first(), self.error, self.summary) {
            (_, Some(error), _) => ("cannot_probe".to_owned(), error),
            (Some(stall), None, summary) => {
                let summary = summary.unwrap_or_default();
                (stall.code.clone(), format!("{summary}: {}", stall.text))
            }
            (None, None, Some(summary)) => ("deadline".to_owned(), summary),
            (None, None, None) => ("deadline".to_owned(), "the probe timed out".to_owned()),
        };
        Outcome::unknown(code, summary, next, self.evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(summary: &str, causes: &[&str]) -> Progress {
        let mut pending = Progress::pending(summary, Vec::new());
        if let Progress::Pending { stalled, .. } = &mut pending {
            *stalled = causes
                .iter()
                .map(|code| Cause::new(code, "it waits"))
                .collect();
        }
        pending
    }

    fn ended(last: LastSeen) -> (Option<String>, String) {
        let outcome = last.unknown("a");
        (outcome.code, outcome.summary)
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_stalled_since_the_first_of_the_probes_in_a_row_that_said_so() {
        let mut last = LastSeen::default();
        let step = Duration::from_secs(1);
        for (causes, expected) in [
            (&[][..], 0),
            (&["slow"], 0),
            (&["slow"], 1),
            (&["other"], 2),
            (&[], 0),
            (&["slow"], 0),
        ] {
            assert_eq!(last.take(pending("2 of 3", causes), "a"), None);
            assert_eq!(last.stalled_for(), step * expected, "{causes:?}");
            tokio::time::advance(step).await;
        }
        let stalled = (Some("slow".to_owned()), "2 of 3: it waits".to_owned());
        assert_eq!(ended(last), stalled);
    }

    /// Nobody waits for what nothing will show.
    #[test]
    fn what_cannot_be_known_ends_it_at_once() {
        let cause = Cause::new("region_gone", "it was merged away");
        let gone = Progress::not_known("no region 7", cause, Vec::new());
        let outcome = LastSeen::default().take(gone, "a").unwrap();
        assert_eq!(outcome.result, action_core::OutcomeKind::Unknown);
        assert_eq!(outcome.code.as_deref(), Some("region_gone"));
        assert_eq!(outcome.summary, "no region 7: it was merged away");
        assert!(outcome.next.unwrap().contains("`resolve a`"));
    }

    #[test]
    fn what_was_seen_last_is_what_is_told() {
        let deadline = |text: &str| (Some("deadline".to_owned()), text.to_owned());
        assert_eq!(ended(LastSeen::default()), deadline("the probe timed out"));
        assert_eq!(ended(LastSeen::saying("1 of 3")), deadline("1 of 3"));
        let mut last = LastSeen::default();
        last.take(pending("1 of 3", &["slow"]), "a");
        last.error = Some("no answer".to_owned());
        last.take(pending("2 of 3", &[]), "a");
        assert_eq!(ended(last), deadline("2 of 3"));
        let mut last = LastSeen::default();
        last.take(pending("2 of 3", &["slow"]), "a");
        last.error = Some("no answer".to_owned());
        let failing = (Some("cannot_probe".to_owned()), "no answer".to_owned());
        assert_eq!(ended(last), failing);
    }
}
