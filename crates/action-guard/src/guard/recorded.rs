//! What a mutation was, by the records, and what takes it back, by its action.

use std::time::Duration;

use action_core::{Accepted, Attribution, Outcome, OutcomeKind, Undo};
use jiff::Timestamp;
use serde_json::Value;

use crate::guard::error::GuardError;
use crate::guard::{Guard, is_redacted};
use crate::proposal::time::after;
use crate::proposal::{Answer, Phase, Proposal, Refusal};
use crate::records::Record;
use crate::state::{ActiveEffect, ProposalStatus};

/// A mutation that was proposed, as the records have it.
struct Recorded {
    system: String,
    action: String,
    parameters: Value,
    /// How it was before; `None` when nothing was sent.
    before: Option<Value>,
    accepted: Option<Accepted>,
    outcome: Option<Outcome>,
    /// How long what it did lasts, when that ends by itself.
    lasts_ms: Option<u64>,
    /// When that is over; `None` when it is not, or is not known to have begun.
    over_at: Option<Timestamp>,
    /// How it stands, when nothing was sent.
    stands: String,
}

impl Guard {
    /// The system a mutation went to, and what takes it back. The records say what was done; what
    /// undoes that is asked of its action, so that no record makes this guard send anything else.
    pub(crate) async fn undo_of(&self, id: &str) -> Result<(String, Undo), GuardError> {
        let recorded = self.recorded(id).await?;
        let nothing = |why: String| GuardError::NothingToUndo {
            id: id.to_owned(),
            why,
        };
        let Some(before) = &recorded.before else {
            let stands = &recorded.stands;
            return Err(nothing(format!("it was never sent{stands}")));
        };
        if let Some(outcome) = &recorded.outcome
            && outcome.result == OutcomeKind::NotApplied
        {
            return Err(nothing(format!("it did not happen: {}", outcome.summary)));
        }
        if let Some(ended) = recorded.over_at.filter(|at| *at <= Timestamp::now()) {
            return Err(nothing(format!("it ended by itself at {ended:.0}")));
        }
        if is_redacted(&recorded.parameters) {
            let reason =
                "its parameters contained a secret, and secrets are not recorded".to_owned();
            let id = id.to_owned();
            return Err(GuardError::NoUndo { id, reason });
        }
        let undo = self.registry.undo(
            &recorded.action,
            recorded.parameters,
            before,
            recorded.accepted.as_ref(),
            recorded.outcome.as_ref(),
        )?;
        Ok((recorded.system, undo))
    }

    /// Whether what a proposal asked for may be another's where it is so: its request was not
    /// answered, and nothing else shows whose doing it is.
    pub(super) async fn may_be_anothers(&self, id: &str) -> Result<bool, GuardError> {
        let recorded = self.recorded(id).await?;
        let is_unproven =
            |outcome: &Outcome| outcome.result == OutcomeKind::Unknown || outcome.may_be_anothers();
        let outcome = recorded.outcome.as_ref();
        Ok(recorded.accepted.is_none() && outcome.is_none_or(is_unproven))
    }

    async fn recorded(&self, id: &str) -> Result<Recorded, GuardError> {
        let state = self.state().await?;
        if let Some(status) = state.proposal_status(id) {
            return Ok(Recorded::of(status));
        }
        if let Some(effect) = state.effects.get(id).filter(|effect| effect.is_whole()) {
            return Ok(Recorded::of_effect(effect));
        }
        // It ended long ago.
        let mut found = None::<Recorded>;
        for entry in self.journal.entries_of(id).await? {
            match (entry.record, &mut found) {
                (Record::Proposed { proposal, .. }, _) => {
                    found = Some(Recorded::proposed(&proposal));
                }
                (record, Some(found)) => found.take(record, entry.at),
                (_, None) => {}
            }
        }
        found.ok_or_else(|| GuardError::Refused(Refusal::UnknownProposal { id: id.to_owned() }))
    }
}

impl Recorded {
    fn proposed(proposal: &Proposal) -> Self {
        Self {
            system: proposal.system.clone(),
            action: proposal.request.action.clone(),
            parameters: proposal.request.parameters.clone(),
            before: None,
            accepted: None,
            outcome: None,
            lasts_ms: None,
            over_at: None,
            stands: String::new(),
        }
    }

    fn of(status: &ProposalStatus) -> Self {
        let accepted = match &status.answer {
            Some(Answer::Accepted { accepted, .. }) => Some(accepted.clone()),
            _ => None,
        };
        let intent = status.intent.as_ref();
        let mut found = Self {
            lasts_ms: intent.and_then(|intent| intent.plan.lasts_ms),
            before: intent.map(|intent| intent.plan.before.clone()),
            accepted,
            outcome: status.outcome.clone(),
            stands: format!(": it is {}", status.phase),
            ..Self::proposed(&status.proposal)
        };
        if let (Phase::Applied, Some(at)) = (status.phase, status.ended_at) {
            found.applied(at);
        }
        found
    }

    fn of_effect(effect: &ActiveEffect) -> Self {
        Self {
            system: effect.system.clone(),
            action: effect.action.clone(),
            parameters: effect.parameters.clone(),
            before: Some(effect.before.clone()),
            accepted: effect.accepted.clone(),
            outcome: effect.outcome.clone(),
            lasts_ms: effect.lasts_ms,
            over_at: effect.ends_at,
            stands: String::new(),
        }
    }

    /// Takes in when it was known to be done.
    fn applied(&mut self, at: Timestamp) {
        self.over_at = (self.lasts_ms).map(|lasts| after(at, Duration::from_millis(lasts)));
    }

    /// Takes in what was written of it later.
    fn take(&mut self, record: Record, at: Timestamp) {
        if let Record::Outcome { outcome, .. } = &record
            && outcome.result == OutcomeKind::Applied
        {
            self.applied(at);
        }
        match record {
            Record::Intent { intent, .. } => {
                self.lasts_ms = intent.plan.lasts_ms;
                self.before = Some(intent.plan.before);
            }
            Record::Answer {
                answer: Answer::Accepted { accepted, .. },
                ..
            } => self.accepted = Some(accepted),
            Record::Outcome { outcome, .. } => self.outcome = Some(outcome),
            Record::Resolved { result, reason, .. } => {
                // As people said that it ended.
                self.outcome = match result {
                    OutcomeKind::NotApplied => {
                        Some(Outcome::not_applied("resolved", reason, false, Vec::new()))
                    }
                    _ => {
                        self.applied(at);
                        let undecided = Attribution::Undecided;
                        Some(Outcome::applied(undecided, reason, Vec::new()))
                    }
                };
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proposal::Ruling;
    use crate::state::ProposalStatus;
    use crate::testing::fixtures::{intent, proposal};

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn later() -> [Record; 3] {
        let (accepted, code) = (Accepted::new("will do"), None);
        [
            intent("a"),
            Record::Answer {
                id: "a".to_owned(),
                answer: Answer::Accepted { accepted, code },
            },
            Record::Outcome {
                id: "a".to_owned(),
                outcome: Outcome::applied(Attribution::Ours, "turned", Vec::new()),
                undo: None,
            },
        ]
    }

    fn resolved(result: OutcomeKind) -> Record {
        Record::Resolved {
            id: "a".to_owned(),
            by: "user:ana".parse().unwrap(),
            result,
            reason: "I looked".to_owned(),
        }
    }

    /// What an action is asked with: how it was before, what came back, how it ended.
    fn parts(recorded: &Recorded) -> (bool, Option<&str>, Option<&str>) {
        let accepted = recorded.accepted.as_ref();
        let outcome = recorded.outcome.as_ref();
        (
            recorded.before.is_some(),
            accepted.map(|accepted| accepted.answer.as_str()),
            outcome.map(|outcome| outcome.summary.as_str()),
        )
    }

    #[test]
    fn what_ended_long_ago_is_what_its_records_say() {
        let mut recorded = Recorded::proposed(&proposal("a", "x"));
        assert_eq!(parts(&recorded), (false, None, None));
        for record in later() {
            recorded.take(record, AT);
        }
        let expected = (true, Some("will do"), Some("turned"));
        assert_eq!(parts(&recorded), expected);
        let may_be_anothers = |recorded: &Recorded| {
            let outcome = recorded.outcome.as_ref();
            outcome.is_some_and(Outcome::may_be_anothers)
        };
        assert!(!may_be_anothers(&recorded));
        let said = (true, Some("will do"), Some("I looked"));
        recorded.take(resolved(OutcomeKind::Applied), AT);
        assert_eq!(parts(&recorded), said);
        assert!(may_be_anothers(&recorded));
        recorded.take(resolved(OutcomeKind::NotApplied), AT);
        assert_eq!(parts(&recorded), said);
        let result = recorded.outcome.unwrap().result;
        assert_eq!(result, OutcomeKind::NotApplied);
    }

    /// What lasts for a while is over so long after it was known to be done.
    #[test]
    fn what_ends_by_itself_is_over_when_its_time_is() {
        let mut recorded = Recorded::proposed(&proposal("a", "x"));
        for record in later() {
            let record = match record {
                Record::Intent { id, mut intent } => {
                    intent.plan = intent.plan.lasts(Duration::from_secs(60));
                    Record::Intent { id, intent }
                }
                record => record,
            };
            assert_eq!(recorded.over_at, None);
            recorded.take(record, AT);
        }
        let minute = after(AT, Duration::from_secs(60));
        assert_eq!(recorded.over_at, Some(minute));
    }

    #[test]
    fn what_is_at_hand_is_what_its_state_says() {
        let rule = "a test".to_owned();
        let ruling = Ruling::Allow { rule };
        let mut status = ProposalStatus::new(proposal("a", "x"), ruling, 1, AT);
        for record in later() {
            match record {
                Record::Intent { intent, .. } => status.intent = Some(*intent),
                Record::Answer { answer, .. } => status.answer = Some(answer),
                Record::Outcome { outcome, .. } => status.outcome = Some(outcome),
                other => unreachable!("{other:?}"),
            }
        }
        let recorded = Recorded::of(&status);
        assert_eq!(parts(&recorded), (true, Some("will do"), Some("turned")));
    }
}
