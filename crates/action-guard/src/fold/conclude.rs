//! How proposals end, and what that means for lasting effects.

use std::sync::Arc;
use std::time::Duration;

use action_core::{Attribution, Outcome, OutcomeKind, Undo};
use jiff::Timestamp;

use crate::fold::refuse::{invalid_record, person};
use crate::identity::Actor;
use crate::proposal::time::after;
use crate::proposal::{Answer, Phase, Proposal, Refusal};
use crate::state::{ActiveEffect, ProposalStatus, State};

impl State {
    /// Takes in how a proposal ended, by whatever means that became known.
    pub(super) fn conclude(
        &mut self,
        id: &str,
        outcome: &Outcome,
        undo: Option<&Undo>,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let status = self.open_proposal(id, "given an outcome")?;
        status.outcome = Some(outcome.clone());
        let could_be_undone = matches!(status.proposal.undo, Undo::Action { .. });
        if let Some(undo) = undo {
            status.proposal.undo = undo.clone();
        }
        match outcome.result {
            OutcomeKind::Applied => {
                if let Some(status) = self.open.get(id).cloned() {
                    self.changed(&status.proposal);
                    self.release_what_it_undoes(&status.proposal, at);
                    self.confirm(&status, could_be_undone, outcome, at);
                }
                self.end(id, Phase::Applied, at);
            }
            OutcomeKind::NotApplied => {
                self.effects.remove(id);
                self.end(id, Phase::NotApplied, at);
            }
            _ => self.open_proposal(id, "given an outcome")?.phase = Phase::Unknown,
        }
        Ok(())
    }

    /// Takes in that what a proposal left in force is there.
    fn confirm(
        &mut self,
        status: &ProposalStatus,
        could_be_undone: bool,
        outcome: &Outcome,
        at: Timestamp,
    ) {
        let id = &status.proposal.id;
        let undo = &status.proposal.undo;
        if could_be_undone && matches!(undo, Undo::None { .. }) {
            // It is done for good, as an offline store that has become a tombstone.
            self.effects.remove(id);
        } else if let Some(effect) = self.effects.get_mut(id) {
            let effect = Arc::make_mut(effect);
            effect.confirmed = true;
            effect.ends_at = (effect.lasts_ms).map(|lasts| after(at, Duration::from_millis(lasts)));
            effect.undo = undo.clone();
            effect.accepted = match &status.answer {
                Some(Answer::Accepted { accepted, .. }) => Some(accepted.clone()),
                _ => None,
            };
            effect.outcome = Some(outcome.clone());
        }
    }

    /// Takes in that a proposal has changed something, so that older plans are not carried out.
    fn changed(&mut self, proposal: &Proposal) {
        let seq = self.seq + 1;
        let changes = Arc::make_mut(&mut self.changes);
        for resource in &proposal.resources {
            changes.note(&proposal.system, resource, seq, &proposal.id);
        }
    }

    /// Whether a proposal takes back a lasting effect of ours.
    pub(super) fn takes_back(&self, proposal: &Proposal) -> bool {
        self.effects
            .values()
            .any(|effect| is_taken_back(effect, proposal))
    }

    /// The lasting effect of ours that a proposal takes back while what brought it about is still
    /// in flight, whether by name or by hand.
    #[must_use]
    pub fn in_flight_effect_of(&self, undo: &Proposal) -> Option<&ActiveEffect> {
        let mut effects = self.effects.values();
        let effect = effects.find(|effect| is_taken_back(effect, undo))?;
        let first = self.open.get(&effect.id)?;
        first.phase.is_in_flight().then_some(effect)
    }

    fn release_what_it_undoes(&mut self, proposal: &Proposal, at: Timestamp) {
        let effects = self.effects.values();
        let taken_back = effects.filter(|effect| is_taken_back(effect, proposal));
        let mut firsts: Vec<String> = taken_back.map(|effect| effect.id.clone()).collect();
        for first in &firsts {
            self.effects.remove(first);
        }
        firsts.extend(proposal.undoes.clone());
        for first in firsts {
            self.mark_taken_back(&first, &proposal.id, at);
        }
    }

    pub(super) fn resolved(
        &mut self,
        id: &str,
        by: &Actor,
        result: OutcomeKind,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        person(by, "record its outcome")?;
        let status = self.open_proposal(id, "resolved")?;
        if status.phase != Phase::Unknown {
            return Err(Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted: "resolved",
            });
        }
        status.resolved_by = Some(by.clone());
        let (outcome, undo) = status.resolution(result, reason)?;
        self.conclude(id, &outcome, undo.as_ref(), at)
    }

    /// Who asked for an effect may give it up, and so may a person: nobody else's leases and budgets
    /// are theirs to end.
    pub(super) fn released(&mut self, id: &str, by: &Actor) -> Result<(), Refusal> {
        let effect = self.effects.get(id);
        let effect = effect.ok_or_else(|| Refusal::NotOurs { id: id.to_owned() })?;
        if !by.is_user() && !by.as_str().eq_ignore_ascii_case(&effect.actor) {
            return Err(Refusal::NotTheirs {
                id: id.to_owned(),
                by: by.clone(),
                owner: effect.actor.clone(),
            });
        }
        self.effects.remove(id);
        Ok(())
    }

    pub(super) fn break_glass(
        &mut self,
        id: &str,
        by: &Actor,
        answer: &Answer,
        outcome: &Outcome,
    ) -> Result<(), Refusal> {
        person(by, "use break-glass")?;
        let effect = self.effects.get(id);
        effect.ok_or_else(|| Refusal::NotOurs { id: id.to_owned() })?;
        let refused = matches!(answer, Answer::Refused { .. });
        if outcome.result == OutcomeKind::Applied && !refused {
            self.effects.remove(id);
            // What takes something back changes what that had changed.
            if let Some(status) = self.proposal_status(id).cloned() {
                self.changed(&status.proposal);
            }
        }
        Ok(())
    }
}

impl ProposalStatus {
    /// The outcome that a person records, and what takes it back then.
    pub(super) fn resolution(
        &self,
        result: OutcomeKind,
        reason: &str,
    ) -> Result<(Outcome, Option<Undo>), Refusal> {
        let outcome = match result {
            OutcomeKind::Applied => Outcome::applied(Attribution::Undecided, reason, Vec::new()),
            OutcomeKind::NotApplied => Outcome::not_applied("resolved", reason, false, Vec::new()),
            _ => return Err(invalid_record("a resolution that resolves nothing")),
        };
        // Whose doing it was, nobody has proven.
        let is_answered = matches!(self.answer, Some(Answer::Accepted { .. }));
        let is_over = self.proposal.lasting_effect.is_none();
        let is_by_hand = is_over && !is_answered && outcome.may_be_anothers();
        let undo = is_by_hand.then(|| self.proposal.undo.clone().by_hand());
        Ok((outcome, undo))
    }
}

/// By hand is as good as by name.
fn is_taken_back(effect: &ActiveEffect, proposal: &Proposal) -> bool {
    if proposal.undoes.as_ref() == Some(&effect.id) {
        return true;
    }
    let request = &proposal.request;
    let is_its_undo = matches!(
        &effect.undo,
        Undo::Action { name, parameters, .. }
            if *name == request.action && request.parameters.as_object() == Some(parameters)
    );
    is_its_undo && effect.id != proposal.id && effect.system == proposal.system
}
