//! Taking back: an undo takes over what is still in flight, and says of the first that it is taken
//! back once that is proven.

use std::sync::Arc;

use jiff::Timestamp;

use crate::fold::refuse::invalid_record;
use crate::identity::Actor;
use crate::proposal::{Phase, Proposal, Refusal};
use crate::state::{ProposalStatus, State, TakenBack, TakenOver};

impl State {
    /// What is in flight is taken back by who asked for it, by a person, or by the end of its lease.
    pub(super) fn may_take_over(&self, undo: &Proposal) -> Result<(), Refusal> {
        let Some(first) = self.in_flight_undone_by(undo) else {
            return Ok(());
        };
        let owner = &first.proposal.request.actor;
        let by = undo.requester();
        let by = by.map_err(|error| invalid_record(error.to_string()))?;
        let is_theirs = by.as_str().eq_ignore_ascii_case(owner);
        if is_theirs || by.is_user() || by.is_same(&Actor::system()) {
            return Ok(());
        }
        Err(Refusal::UndoNotTheirs {
            id: first.proposal.id.clone(),
            by,
            owner: owner.clone(),
        })
    }

    /// What an undo takes back, while that is in flight: from the intent of the undo on it belongs
    /// to the undo's instance, and whoever followed it stops.
    pub(super) fn take_over(&mut self, undo: &Proposal, instance: &str, at: Timestamp) {
        let Some(first) = self.in_flight_undone_by(undo) else {
            return;
        };
        let id = first.proposal.id.clone();
        if let Some(first) = self.open.get_mut(&id)
            && let Some(from) = first.owner.replace(instance.to_owned())
        {
            let from = first.taken_over.take().map_or(from, |before| before.from);
            first.taken_over = Some(TakenOver {
                by: undo.id.clone(),
                from,
                at,
            });
        }
    }

    /// What an undo has taken over goes along when the undo is adopted.
    pub(super) fn adopt_what_it_took_over(&mut self, undo: &str, instance: &str) {
        let taken_over = self
            .unsettled()
            .filter(|first| first.is_taken_over_by(undo));
        let firsts: Vec<String> = taken_over.map(|first| first.proposal.id.clone()).collect();
        for first in firsts {
            if let Some(first) = self.open.get_mut(&first) {
                first.owner = Some(instance.to_owned());
            }
        }
    }

    /// While an undo is at it, only the undo's follower says how the first ended, and after its own
    /// outcome.
    pub(super) fn not_taken_over(&self, id: &str) -> Result<(), Refusal> {
        let taken_over = self
            .open
            .get(id)
            .and_then(|first| first.taken_over.as_ref());
        match taken_over {
            Some(TakenOver { by, .. }) if self.is_executing(by) => Err(Refusal::TakenOver {
                id: id.to_owned(),
                by: by.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Says of a proposal, beside its outcome, that it is taken back.
    pub(super) fn mark_taken_back(&mut self, id: &str, by: &str, at: Timestamp) {
        let taken_back = || {
            Some(TakenBack {
                by: by.to_owned(),
                at,
            })
        };
        if let Some(first) = self.open.get_mut(id) {
            first.taken_back = taken_back();
        } else if let Some(first) = (self.ended.iter_mut()).find(|first| first.proposal.id == id) {
            Arc::make_mut(first).taken_back = taken_back();
        }
    }

    /// Whether an undo has taken it over and is at it.
    #[must_use]
    pub fn is_being_taken_back(&self, status: &ProposalStatus) -> bool {
        self.not_taken_over(&status.proposal.id).is_err()
    }

    /// The instance that a proposal belongs to whose undo has ended without taking it back, while
    /// how it ended is not known.
    pub(crate) fn left_by_its_undo(&self, id: &str) -> Option<&str> {
        let first = self.open.get(id)?;
        let undo = self.proposal_status(&first.taken_over.as_ref()?.by)?;
        let is_left = first.phase.is_in_flight() && undo.phase == Phase::NotApplied;
        first.owner.as_deref().filter(|_| is_left)
    }

    fn is_executing(&self, id: &str) -> bool {
        let status = self.open.get(id);
        status.is_some_and(|status| status.phase == Phase::Executing)
    }
}

impl State {
    /// What an undo takes back, if that is in flight and no other undo is at it.
    #[must_use]
    pub fn in_flight_undone_by(&self, undo: &Proposal) -> Option<&Arc<ProposalStatus>> {
        let first = self.open.get(undo.undoes.as_ref()?)?;
        first.phase.is_in_flight().then_some(first)
    }

    /// Until when the request that an undo takes back may still arrive; `None` when it no longer
    /// can, because it was answered or its time is over.
    #[must_use]
    pub fn may_arrive_until(&self, undo: &Proposal, now: Timestamp) -> Option<Timestamp> {
        let until = self.in_flight_undone_by(undo)?.may_arrive_until()?;
        (now < until).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use action_core::Outcome;

    use super::*;
    use crate::proposal::{Mode, Ruling};
    use crate::records::{Entry, Hash, Record};
    use crate::testing::fixtures::{intent, mode, proposal};

    fn apply(state: &mut State, record: Record) {
        let (seq, at) = (state.seq + 1, Timestamp::now());
        let (entry, _) = Entry::seal(seq, at, "one", Hash::ZERO, None, record).unwrap();
        state.apply(&entry).unwrap();
    }

    fn ended(id: &str, outcome: Outcome) -> Record {
        Record::Outcome {
            id: id.to_owned(),
            outcome,
            undo: None,
        }
    }

    /// While its undo is at it, or may have taken it back, the undo says how it ended.
    #[test]
    fn only_an_undo_that_came_to_nothing_leaves_what_it_took_over() {
        let (mut first, mut undo) = (proposal("a", "x"), proposal("b", "x"));
        first.lasting_effect = Some("hold/x".to_owned());
        undo.undoes = Some("a".to_owned());
        let [first, undo] = [first, undo].map(|proposal| Record::Proposed {
            proposal: Box::new(proposal),
            ruling: Ruling::Allow {
                rule: "a test".to_owned(),
            },
        });
        let unknown = Outcome::unknown("deadline", "not seen", "look again", Vec::new());
        let refused = Outcome::not_applied("not_ours", "no", false, Vec::new());
        let mut state = State::default();
        for (record, left_by) in [
            (mode(Mode::Execute).unwrap(), None),
            (first, None),
            (intent("a"), None),
            (undo, None),
            (intent("b"), None),
            (ended("b", unknown), None),
            (ended("b", refused), Some("one")),
        ] {
            apply(&mut state, record);
            assert_eq!(state.left_by_its_undo("a"), left_by);
        }
    }
}
