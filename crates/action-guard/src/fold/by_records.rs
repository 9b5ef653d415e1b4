//! A proposal that ended so long ago that the state has dropped it: by its records.

use action_core::{Outcome, OutcomeKind, Undo};
use jiff::Timestamp;

use crate::fold::refuse::cancel;
use crate::proposal::{Phase, Proposal};
use crate::records::{Entry, Record};
use crate::state::{ProposalStatus, TakenBack};

impl ProposalStatus {
    /// A proposal as its records tell it, those of what takes it back, and those of the kill switch.
    /// `None` where none of them proposes it.
    #[must_use]
    pub fn by_records(id: &str, entries: &[Entry]) -> Option<Self> {
        let mut status = entries.iter().find_map(|entry| match &entry.record {
            Record::Proposed { proposal, ruling } if proposal.id == id => {
                let (proposal, ruling) = (Proposal::clone(proposal), ruling.clone());
                Some(Self::new(proposal, ruling, entry.seq, entry.at))
            }
            _ => None,
        })?;
        let proposed = status.seq;
        for entry in entries.iter().filter(|entry| entry.seq > proposed) {
            match &entry.record {
                Record::Killed { target, by, reason } => {
                    let system = &status.proposal.system;
                    let is_its = target.as_ref().is_none_or(|it| it.system == *system);
                    if is_its && status.phase.is_unsent() {
                        status.cancel = Some(cancel(by, reason, entry.at));
                        status.ended(Phase::Cancelled, entry.at);
                    }
                }
                record if record.proposal_id() == Some(id) => status.take(entry),
                _ => {}
            }
        }
        let undoes = entries
            .iter()
            .filter(|entry| entry.record.undoes() == Some(id));
        let undoes = undoes.filter_map(|entry| entry.record.proposal_id());
        status.taken_back = undoes.rev().find_map(|undo| taken_back(undo, entries));
        Some(status)
    }

    /// Takes in what happened to it next: it was allowed when that was written.
    fn take(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.record {
            Record::Approved { approval, .. } => {
                self.approvals.push(approval.clone());
                if self.is_agreed_at(at) {
                    self.phase = Phase::Approved;
                }
            }
            Record::Rejected { by, reason, .. } => {
                self.cancel = Some(cancel(by, reason, at));
                self.ended(Phase::Rejected, at);
            }
            Record::Expired { .. } => self.ended(Phase::Expired, at),
            Record::Cancelled { by, reason, .. } => {
                self.cancel = Some(cancel(by, reason, at));
                if self.phase.is_unsent() {
                    self.ended(Phase::Cancelled, at);
                }
            }
            Record::Intent { intent, .. } => {
                self.phase = Phase::Executing;
                self.intent = Some((**intent).clone());
                self.owner = Some(entry.instance.clone());
            }
            Record::Answer { answer, .. } => {
                self.answer = Some(answer.clone());
                self.answered_at = Some(at);
            }
            Record::Outcome { outcome, undo, .. } => {
                self.concluded(outcome.clone(), undo.clone(), at);
            }
            Record::Adopted { .. } => {
                self.owner = Some(entry.instance.clone());
                self.adopted_at.get_or_insert(at);
            }
            Record::Resolved {
                by, result, reason, ..
            } => {
                self.resolved_by = Some(by.clone());
                if let Ok((outcome, undo)) = self.resolution(*result, reason) {
                    self.concluded(outcome, undo, at);
                }
            }
            _ => {}
        }
    }

    fn concluded(&mut self, outcome: Outcome, undo: Option<Undo>, at: Timestamp) {
        match outcome.result {
            OutcomeKind::Applied => self.ended(Phase::Applied, at),
            OutcomeKind::NotApplied => self.ended(Phase::NotApplied, at),
            _ => self.phase = Phase::Unknown,
        }
        self.outcome = Some(outcome);
        if let Some(undo) = undo {
            self.proposal.undo = undo;
        }
    }

    fn ended(&mut self, phase: Phase, at: Timestamp) {
        self.phase = phase;
        self.ended_at = Some(at);
    }
}

/// That an undo was applied, if its records say so.
fn taken_back(undo: &str, entries: &[Entry]) -> Option<TakenBack> {
    let is_applied = |entry: &&Entry| match &entry.record {
        Record::Outcome { id, outcome, .. } => id == undo && outcome.result == OutcomeKind::Applied,
        _ => false,
    };
    let applied = entries.iter().find(is_applied)?;
    Some(TakenBack {
        by: undo.to_owned(),
        at: applied.at,
    })
}
