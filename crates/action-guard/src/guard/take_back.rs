//! Taking back what is still in flight: the undo follows both, and says how both ended.

use action_core::{Outcome, OutcomeKind, Plan, Progress};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::guard::error::GuardError;
use crate::guard::follow::{Following, OVERTAKEN};
use crate::guard::last_seen::LastSeen;
use crate::guard::{Guard, Watch};
use crate::proposal::time::{between_ms, elapsed_since};
use crate::proposal::{Answer, Proposal, Refusal, Report, Standing};
use crate::records::Record;
use crate::state::ProposalStatus;

/// What to do about what was not applied, as far as is seen without an answer.
const UNANSWERED: &str = "no answer was received, so it is not sent again automatically: check whether a proxy still holds the request, then propose it again";

impl Following<'_> {
    /// So many milliseconds more the request that this takes back may still arrive; `None` when it
    /// takes back nothing that can.
    pub(super) async fn first_may_arrive_for_ms(&self) -> Option<u64> {
        self.proposal.undoes.as_ref()?;
        let now = Timestamp::now();
        // What cannot be read may be so.
        let state = self.guard.state().await.ok()?;
        let until = state.may_arrive_until(self.proposal, now)?;
        Some(between_ms(now, until))
    }

    /// What a probe of an undo proves beside the request that it takes back: while that may still
    /// arrive, nothing; and when it arrived later, that it overtook the undo. `may_arrive` is how
    /// that was before the probe read.
    pub(super) fn beside_the_first(&mut self, progress: Progress, may_arrive: bool) -> Progress {
        let later = "the request that it takes back may still arrive";
        match progress {
            Progress::Applied {
                summary, evidence, ..
            } if may_arrive => {
                self.was_applied = true;
                Progress::pending(format!("{summary}; {later}"), evidence)
            }
            Progress::NotApplied {
                cause, evidence, ..
            } if may_arrive && self.was_applied => {
                Progress::pending(format!("{}; {later}", cause.text), evidence)
            }
            Progress::NotApplied {
                cause, evidence, ..
            } if self.was_applied => {
                let text = format!(
                    "the request that it takes back arrived after it: {}",
                    cause.text
                );
                Progress::not_applied(OVERTAKEN, text, false, evidence)
            }
            progress => progress,
        }
    }

    /// The same outcome of an undo; that it was overtaken, where it was accepted and is not so because
    /// the request that it takes back arrived after it was sent.
    pub(super) async fn or_overtaken(&self, outcome: Outcome) -> Outcome {
        let is_so = outcome.result != OutcomeKind::NotApplied;
        let is_told = outcome.code.as_deref() == Some(OVERTAKEN);
        let Ok(state) = self.guard.state().await else {
            return outcome;
        };
        let first = state.in_flight_undone_by(self.proposal).filter(|first| {
            // What was answered before it was sent did not come after it.
            let is_later = first.answered_at.is_none_or(|at| at > self.sent_at);
            is_later && first.is_taken_over_by(&self.proposal.id)
        });
        let Some(first) = first.filter(|_| !is_so && !is_told && self.accepted.is_some()) else {
            return outcome;
        };
        let guard = self.guard;
        let of_first = guard.outcome_of_first(first, self.proposal, &outcome);
        if of_first.await.result != OutcomeKind::Applied {
            return outcome;
        }
        let text = format!(
            "the request that it takes back arrived after it: {}",
            outcome.summary
        );
        Outcome::not_applied(OVERTAKEN, text, false, outcome.evidence)
    }

    /// The same outcome of an undo that was refused; while what it takes back may still arrive,
    /// with what to do then.
    pub(super) async fn while_the_first_may_arrive(&self, mut outcome: Outcome) -> Outcome {
        if self.first_may_arrive_for_ms().await.is_some()
            && let Some(first) = &self.proposal.undoes
        {
            outcome.next = Some(format!(
                "the request that it takes back may still arrive: `recover` follows proposal {first}; if it takes effect, undo it again"
            ));
        }
        outcome
    }

    /// The same outcome, with how to repeat what was overtaken, and what to see to before something
    /// without an answer is sent anew.
    pub(super) fn with_next(&self, mut outcome: Outcome) -> Outcome {
        if outcome.result == OutcomeKind::NotApplied && self.accepted.is_none() {
            outcome.next = Some(UNANSWERED.to_owned());
        }
        if outcome.code.as_deref() == Some(OVERTAKEN)
            && let Some(first) = &self.proposal.undoes
        {
            outcome.next = Some(format!(
                "nothing is sent again: undo proposal {first} again"
            ));
        }
        outcome
    }
}

impl Guard {
    /// Whether a proposal would be sent, by its plan: also when there is nothing to take back yet,
    /// as long as the request that it takes back may still arrive.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn may_be_sent(&self, proposal: &Proposal) -> Result<bool, GuardError> {
        let state = self.state().await?;
        let may_arrive = state.may_arrive_until(proposal, Timestamp::now());
        Ok(proposal.plan.verdict.may_be_sent() || may_arrive.is_some())
    }

    /// Whether an undo has taken a proposal over.
    pub(crate) async fn is_taken_over(&self, id: &str) -> bool {
        let state = self.state().await.ok();
        let status = state.and_then(|state| state.proposal_status(id).cloned());
        status.is_some_and(|status| status.taken_over.is_some())
    }

    /// Refuses to take back what may be another's, where this plan finds it there: whose it is, a
    /// person decides, who names what they take back.
    pub(super) async fn is_surely_ours(
        &self,
        undo: &Proposal,
        plan: &Plan,
    ) -> Result<(), GuardError> {
        let Some(id) = undo.undoes.clone() else {
            return Ok(());
        };
        let state = self.state().await?;
        // What is no longer ours is refused for that, where it is proposed.
        let is_ours = state.effects.contains_key(&id)
            || state.may_be_undone(&id)
            || state.open.contains_key(&id);
        if is_ours && plan.verdict.may_be_sent() && self.may_be_anothers(&id).await? {
            return Err(GuardError::Refused(Refusal::WhoseUnknown { id }));
        }
        Ok(())
    }

    /// The same, unless only people are at it.
    pub(super) async fn is_ours_or_for_people(
        &self,
        undo: &Proposal,
        plan: &Plan,
    ) -> Result<(), GuardError> {
        match undo.request.is_of_people() {
            true => Ok(()),
            false => self.is_surely_ours(undo, plan).await,
        }
    }

    /// Refuses what another undo than this one has taken back, or is taking back.
    pub(super) async fn no_other_undo(
        &self,
        first: &str,
        undo: Option<&str>,
    ) -> Result<(), GuardError> {
        let state = self.state().await?;
        let id = first.to_owned();
        let by = match state.other_undo(first, undo) {
            Some(other) if other.phase.is_in_flight() => {
                let by = other.proposal.id.clone();
                return Err(GuardError::Refused(Refusal::TakenOver { id, by }));
            }
            Some(other) => Some(other.proposal.id.clone()),
            None => {
                let taken_back = (state.proposal_status(first))
                    .and_then(|first| first.taken_back.clone())
                    .map(|taken_back| taken_back.by);
                taken_back.filter(|by| Some(by.as_str()) != undo)
            }
        };
        match by {
            None => Ok(()),
            Some(by) => Err(GuardError::NoUndo {
                id,
                reason: format!("proposal `{by}` took it back"),
            }),
        }
    }

    /// The same of an undo; that another was faster says more than what it has changed.
    pub(super) async fn or_other_undo(
        &self,
        undo: &Proposal,
        done: Result<Standing, GuardError>,
    ) -> Result<Standing, GuardError> {
        let is_lost_to_another = matches!(
            done,
            Ok(Standing::RefusedByPlan { .. } | Standing::Outdated { .. })
        );
        if let Some(first) = &undo.undoes
            && is_lost_to_another
        {
            self.no_other_undo(first, Some(&undo.id)).await?;
        }
        done
    }

    /// What a proposal takes back by hand that is in flight: as good as undoing it by name.
    pub(crate) async fn in_flight_taken_back_by(
        &self,
        undo: &Proposal,
    ) -> Result<Option<String>, GuardError> {
        let state = self.state().await?;
        Ok(state
            .in_flight_effect_of(undo)
            .map(|effect| effect.id.clone()))
    }

    /// Whether what a proposal takes back is in flight: what it moves is not held against its undo.
    pub(crate) async fn takes_back_in_flight(&self, undo: &Proposal) -> Result<bool, GuardError> {
        Ok(self.state().await?.in_flight_undone_by(undo).is_some())
    }

    /// Says how that ended which an undo has taken over: as its own evidence shows, or that it was
    /// under way and is taken back.
    pub(crate) async fn conclude_first(
        &self,
        undo: &Proposal,
        of_undo: &Outcome,
        watch: Watch<'_>,
    ) -> Result<(), GuardError> {
        let state = self.state().await?;
        let Some(first) = state.in_flight_undone_by(undo) else {
            return Ok(());
        };
        if !first.is_taken_over_by(&undo.id) {
            return Ok(());
        }
        let Some(intent) = &first.intent else {
            return Ok(());
        };
        let outcome = self.outcome_of_first(first, undo, of_undo).await;
        let accepted = match &first.answer {
            Some(Answer::Accepted { accepted, .. }) => Some(accepted.clone()),
            _ => None,
        };
        let concluded = self.conclude(&first.proposal, intent, accepted, outcome, watch);
        concluded.await.map(drop)
    }

    /// The report of what an undo had taken over, as the journal has it. While the undo is at it, it
    /// says how both end; where it has ended without taking this back, whoever followed this to its
    /// end says how.
    pub(super) async fn concluded_beside_an_undo(&self, mut report: Report) -> Report {
        if report.outcome.result == OutcomeKind::Unknown {
            return report;
        }
        let (id, undo) = (report.id.clone(), Some(report.undo.clone()));
        let outcome = report.outcome.clone();
        let concluded = self.commit(move |state, _| {
            let Some(from) = state.left_by_its_undo(&id) else {
                return Ok(Vec::new());
            };
            let adopted = Record::Adopted {
                id: id.clone(),
                from: from.to_owned(),
            };
            Ok(vec![adopted, Record::Outcome { id, outcome, undo }])
        });
        let written = concluded.await.is_ok();
        let status = self.proposal_status(&report.id).await.ok();
        let Some(status) = status.filter(|_| written) else {
            return report;
        };
        match (&status.outcome, &status.taken_over) {
            (Some(outcome), _) => report.outcome.clone_from(outcome),
            (None, Some(taken_over)) => {
                let seen = LastSeen::saying(&report.outcome.summary);
                report.outcome = seen.taken_over(&taken_over.by);
            }
            (None, None) => {}
        }
        report
    }

    async fn outcome_of_first(
        &self,
        first: &ProposalStatus,
        undo: &Proposal,
        of_undo: &Outcome,
    ) -> Outcome {
        let Some(intent) = &first.intent else {
            return Outcome::not_applied("not_sent", "nothing was sent", true, Vec::new());
        };
        let token = CancellationToken::new();
        let mut following = Following::of(self, &first.proposal, intent, &token);
        match first.answer.clone() {
            Some(Answer::Refused {
                code,
                error,
                retryable,
            }) => return Outcome::not_applied(code, error, retryable, Vec::new()),
            Some(Answer::Accepted { accepted, .. }) => following.accepted = Some(accepted),
            _ => {}
        }
        following.since = Instant::now();
        let last = first.last_on_its_way().max(Some(intent.send_by));
        following.elapsed_before_ms = elapsed_since(last, Timestamp::now());
        let mut seen = LastSeen::default();
        match following.proven().await {
            Ok(progress) => {
                if let Some(outcome) = seen.take(progress, &first.proposal.id) {
                    return outcome;
                }
            }
            Err(error) => seen.error = Some(error),
        }
        if of_undo.result != OutcomeKind::Applied {
            return seen.not_taken_back(&undo.id, &first.proposal.id);
        }
        let summary = seen.summary.take().unwrap_or_default();
        let summary = format!(
            "taken back by proposal {} before it was done: {summary}",
            undo.id
        );
        Outcome::not_applied("taken_back", summary, false, of_undo.evidence.clone())
    }
}
