//! Follows a mutation by probing until its outcome is known.

use std::time::Duration;

use action_core::{
    Accepted, ActionError, Attribution, Evidence, Outcome, OutcomeKind, Progress, Sent, Settled,
};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::failpoint::passed;
use crate::guard::last_seen::LastSeen;
use crate::guard::{Guard, Watch};
use crate::proposal::time::between_ms;
use crate::proposal::{Answer, Event, Intent, Proposal};
use crate::state::Cancel;

/// A mutation that was sent, or may have been.
pub(crate) struct Following<'a> {
    pub(super) guard: &'a Guard,
    pub(super) proposal: &'a Proposal,
    intent: &'a Intent,
    token: &'a CancellationToken,
    /// What called it off before this following began, if anything did.
    pub(crate) cancelled_before: Option<Cancel>,
    pub(crate) accepted: Option<Accepted>,
    /// When it was last possibly on its way, or when we began to count from that.
    pub(crate) since: Instant,
    /// Milliseconds that had passed by then.
    pub(crate) elapsed_before_ms: u64,
    pub(super) sent_at: Timestamp,
    /// Whether it was seen to be done while what it takes back may still have arrived.
    pub(super) was_applied: bool,
    /// What its probes read, the first of each fact.
    earlier: Vec<Evidence>,
    /// What was seen to be done, by whomever, while our own request may still have arrived.
    seen_done: Option<(String, Vec<Evidence>)>,
}

/// The code of an undo that was done before the request it takes back arrived.
pub(super) const OVERTAKEN: &str = "overtaken";

/// So many facts of earlier probes are kept.
const MOST_EARLIER: usize = 32;

/// Between two probes at least, whatever a plan says.
const SHORTEST_POLL: Duration = Duration::from_millis(20);

/// Between two probes at most, unless the plan wants more.
const LONGEST_POLL: Duration = Duration::from_secs(15);

/// So many probes come at the plan's pace before they get rarer.
const STEADY_PROBES: u32 = 20;

impl<'a> Following<'a> {
    pub(crate) fn of(
        guard: &'a Guard,
        proposal: &'a Proposal,
        intent: &'a Intent,
        token: &'a CancellationToken,
    ) -> Self {
        let sent_at = i64::try_from(intent.attempt.sent_at_unix_ms).unwrap_or(i64::MAX);
        Self {
            guard,
            proposal,
            intent,
            token,
            cancelled_before: None,
            accepted: None,
            since: Instant::now(),
            elapsed_before_ms: 0,
            sent_at: Timestamp::from_millisecond(sent_at).unwrap_or(Timestamp::MAX),
            was_applied: false,
            earlier: Vec::new(),
            seen_done: None,
        }
    }

    /// How it ended, after what came back.
    pub(crate) async fn after(&mut self, answer: Answer, watch: Watch<'_>) -> Outcome {
        match answer {
            Answer::Refused {
                code,
                error,
                retryable,
            } => {
                let outcome = Outcome::not_applied(code, error, retryable, Vec::new());
                return self.while_the_first_may_arrive(outcome).await;
            }
            Answer::Accepted { accepted, .. } => self.accepted = Some(accepted),
            Answer::Unclear { .. } => {}
        }
        self.finish(watch).await
    }

    /// Probes until it is known, the deadline is over, it is stuck for long, or somebody calls it
    /// off; what was applied is looked at once more after a while. At least once, and never sends.
    pub(crate) async fn finish(&mut self, watch: Watch<'_>) -> Outcome {
        let follow = self.intent.plan.follow;
        let base = Duration::from_millis(follow.poll_ms).max(SHORTEST_POLL);
        let longest = LONGEST_POLL.max(base);
        let mut poll = base;
        // What is recovered late still gets the time to show.
        let settle = follow.settle_ms.saturating_add(self.held_for_ms());
        let late = self.elapsed_before_ms.saturating_add(settle);
        // What takes back a request that may still arrive is followed until it no longer can.
        let first = self.first_may_arrive_for_ms().await.unwrap_or(0);
        let first = first.saturating_add(self.elapsed_ms().saturating_add(settle));
        let deadline_ms = follow.deadline_ms.max(late).max(first);
        let mut last = LastSeen::default();
        for probes in 1_u32.. {
            // As it is before the probe reads: what arrives meanwhile may not be in its readings.
            let first_may_arrive = self.first_may_arrive_for_ms().await.is_some();
            let probed = self.proven().await;
            // However fast the system is, this is passed before anything is made of the answer.
            passed("guard.probed");
            match probed {
                Ok(progress) => {
                    self.remember(&progress);
                    let progress = self.beside_the_first(progress, first_may_arrive);
                    let progress = self.unless_it_may_arrive(progress);
                    watch(Event::Progress(progress.clone()));
                    if let Some(outcome) = last.take(progress, &self.proposal.id) {
                        let outcome = self.or_overtaken(outcome).await;
                        return self.settled(self.with_next(outcome)).await;
                    }
                }
                Err(error) => {
                    last.error = Some(error.clone());
                    watch(Event::ProbeFailed { error });
                }
            }
            let id = &self.proposal.id;
            match self.called_off().await {
                None => {}
                Some(CalledOff::Cancelled) => return last.called_off(id),
                Some(CalledOff::TakenOver(by)) => return last.taken_over(&by),
            }
            if last.stalled_for() >= self.guard.stalled_after {
                return last.unknown(id);
            }
            if self.elapsed_ms() >= deadline_ms {
                return last.unknown(id);
            }
            let left = Duration::from_millis(deadline_ms.saturating_sub(self.elapsed_ms()));
            tokio::select! {
                () = tokio::time::sleep(poll.min(left)) => {}
                () = self.token.cancelled() => {}
            }
            if probes >= STEADY_PROBES {
                poll = (poll * 5 / 4).min(longest);
            }
        }
        last.unknown(&self.proposal.id)
    }

    /// The same; that it is done by whomever ends nothing while our request, which was not answered, may
    /// still arrive: it would do it once more when nobody looks. What was seen to be done was done, also
    /// when it is not so any more.
    fn unless_it_may_arrive(&mut self, progress: Progress) -> Progress {
        let settle = self.intent.plan.follow.settle_ms;
        let may_arrive = self.accepted.is_none()
            && self.elapsed_ms() < settle.saturating_add(self.held_for_ms());
        let later = "no answer was received, and the request may still arrive";
        match progress {
            Progress::Applied {
                by: Attribution::Undecided,
                summary,
                evidence,
            } if may_arrive => {
                self.seen_done = Some((summary.clone(), evidence.clone()));
                Progress::pending(format!("{summary}; {later}"), evidence)
            }
            Progress::NotApplied {
                cause,
                retryable,
                evidence,
            } => match &self.seen_done {
                Some(_) if may_arrive => {
                    Progress::pending(format!("{}; {later}", cause.text), evidence)
                }
                Some((summary, seen)) if cause.code != OVERTAKEN => {
                    Progress::applied(Attribution::Undecided, summary.clone(), seen.clone())
                }
                _ => Progress::NotApplied {
                    cause,
                    retryable,
                    evidence,
                },
            },
            progress => progress,
        }
    }

    /// Keeps what a probe that decided nothing read, for the probes to come.
    fn remember(&mut self, progress: &Progress) {
        let Progress::Pending { evidence, .. } = progress else {
            return;
        };
        for read in evidence {
            let is_new = self.earlier.iter().all(|kept| kept.fact != read.fact);
            if is_new && self.earlier.len() < MOST_EARLIER {
                self.earlier.push(read.clone());
            }
        }
    }

    /// The same outcome; when it is that it happened, with whether it held.
    async fn settled(&self, outcome: Outcome) -> Outcome {
        let wait = self.guard.settle_for;
        if outcome.result != OutcomeKind::Applied || wait.is_zero() {
            return outcome;
        }
        passed("guard.applied");
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // That it happened is known, and nobody waits for more.
            () = self.token.cancelled() => return outcome,
        }
        let request = &self.proposal.request;
        let (parameters, before) = (request.parameters.clone(), &self.intent.plan.before);
        let registry = &self.guard.registry;
        let sent = self.sent();
        let settled = registry.settled(&request.action, parameters, before, &sent);
        let settled = settled.await;
        if let Err((code, error)) = self.same_system().await {
            return outcome.settled(Settled::not_known(code, error));
        }
        let unknown = |error: ActionError| Settled::not_known("cannot_probe", error.report());
        outcome.settled(settled.unwrap_or_else(unknown))
    }

    /// Whether somebody, in whatever process, does not want it followed any more.
    async fn called_off(&self) -> Option<CalledOff> {
        if self.token.is_cancelled() {
            return Some(CalledOff::Cancelled);
        }
        // A journal that cannot be read for a moment is no reason to stop.
        let state = self.guard.state().await.ok()?;
        let status = state.proposal_status(&self.proposal.id)?;
        // Its undo may have ended both by now. One that has ended without taking it back leaves it
        // to who recovers it.
        let taken_over = (status.taken_over.as_ref())
            .filter(|_| status.phase.is_end() || state.is_being_taken_back(status))
            .map(|taken_over| taken_over.by.clone());
        if let Some(by) = taken_over {
            return Some(CalledOff::TakenOver(by));
        }
        let cancelled = status.cancel.is_some() && status.cancel != self.cancelled_before;
        cancelled.then_some(CalledOff::Cancelled)
    }

    /// What a probe shows; an end only when the system that was read is the one that was sent to.
    /// Addresses can lead to another one from one request to the next.
    pub(super) async fn proven(&self) -> Result<Progress, String> {
        let mut progress = self.probe().await?;
        if !matches!(progress, Progress::Pending { .. }) {
            self.same_system().await.map_err(|(_, error)| error)?;
        }
        if let Progress::NotApplied { retryable, .. } = &mut progress {
            // Without an answer, that nothing holds its request any more is believed, not known.
            *retryable &= self.accepted.is_some();
        }
        Ok(progress)
    }

    /// Whether it is still the system that it was sent to; else a code, and why not.
    async fn same_system(&self) -> Result<(), (&'static str, String)> {
        let proposal = self.proposal;
        let found = self.guard.registry.identity(&proposal.request.action).await;
        let found = found.map_err(|error| ("cannot_probe", error.report()))?;
        if found == proposal.system {
            return Ok(());
        }
        let planned = &proposal.system;
        let text = format!(
            "it was sent to `{planned}`, but `{found}` answers now: its state proves nothing"
        );
        Err(("other_system", text))
    }

    async fn probe(&self) -> Result<Progress, String> {
        let (request, sent) = (&self.proposal.request, self.sent());
        let registry = &self.guard.registry;
        let before = &self.intent.plan.before;
        let progress = registry.probe(&request.action, request.parameters.clone(), before, &sent);
        progress.await.map_err(|error| error.report())
    }

    /// What is known of the sending.
    fn sent(&self) -> Sent {
        let since_send = between_ms(self.sent_at, Timestamp::now()).max(self.elapsed_ms());
        // While it may be held somewhere, it is as if it were still on its way.
        let elapsed = self.elapsed_ms().saturating_sub(self.held_for_ms());
        let attempt = self.intent.attempt.clone();
        Sent::new(attempt, self.accepted.clone(), elapsed)
            .since_send(since_send)
            .earlier(self.earlier.clone())
    }

    /// How long its request may be held on its way: not at all once it was answered.
    fn held_for_ms(&self) -> u64 {
        if self.accepted.is_some() {
            return 0;
        }
        let ours = u64::try_from(self.guard.held_for.as_millis()).unwrap_or(u64::MAX);
        self.intent.held_for_ms.max(ours)
    }

    fn elapsed_ms(&self) -> u64 {
        let since = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.elapsed_before_ms.saturating_add(since)
    }
}

/// Why something is no longer followed.
enum CalledOff {
    /// Somebody does not want it any more.
    Cancelled,
    /// This undo follows it from now on.
    TakenOver(String),
}

#[cfg(test)]
mod tests {
    use action_core::ActionRegistry;

    use super::*;
    use crate::journal::MemoryJournal;
    use crate::records::Record;
    use crate::testing::fixtures::{intent, proposal};

    /// The first of each fact, and no more than so many.
    #[tokio::test]
    async fn what_undecided_probes_read_first_is_kept() {
        let guard = Guard::new(ActionRegistry::new(), MemoryJournal::new());
        let (proposal, token) = (proposal("a", "x"), CancellationToken::new());
        let Record::Intent { intent, .. } = intent("a") else {
            unreachable!("an intent");
        };
        let mut following = Following::of(&guard, &proposal, &intent, &token);
        let facts: Vec<String> = (0..=MOST_EARLIER).map(|fact| fact.to_string()).collect();
        let read = |fact: &String, value: usize| Evidence::new("a test", fact.as_str(), value);
        for some in 1..=facts.len() {
            let all = facts[..some].iter();
            let evidence = all.map(|fact| read(fact, some)).collect();
            following.remember(&Progress::pending("not yet", evidence));
        }
        let first = facts[..MOST_EARLIER].iter().zip(1..);
        let first: Vec<Evidence> = first.map(|(fact, value)| read(fact, value)).collect();
        assert_eq!(following.earlier, first);
    }
}
