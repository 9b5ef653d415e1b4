//! The fold: which record may follow, and what it changes.

use std::sync::Arc;

use jiff::Timestamp;

use crate::fold::refuse::{cancel, expired, invalid_record, not_requester, person, stopped};
use crate::identity::Actor;
use crate::proposal::{Answer, Approval, Intent, Mode, Phase, Proposal, Refusal, Ruling};
use crate::records::{Entry, Record};
use crate::state::{ActiveEffect, Activity, ProposalStatus, State};

impl State {
    /// Adds one entry, or refuses it and stays as it is.
    ///
    /// # Errors
    /// Why it cannot follow what is here.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Refusal> {
        if entry.seq != self.seq.saturating_add(1) && !self.is_new() {
            return Err(invalid_record(format!(
                "record {} after record {}",
                entry.seq, self.seq
            )));
        }
        let at = entry.at;
        match &entry.record {
            Record::Checkpoint { state } => self.checkpoint(state)?,
            Record::Proposed { proposal, ruling } => self.proposed(proposal, ruling, at)?,
            Record::Approved { id, approval } => self.approved(id, approval, at)?,
            Record::Rejected { id, by, reason } => {
                let status = self.pending(id, "rejected", at)?;
                status.cancel = Some(cancel(by, reason, at));
                self.end(id, Phase::Rejected, at);
            }
            Record::Cancelled { id, by, reason } => self.cancelled(id, by, reason, at)?,
            Record::Intent { id, intent } => self.intent(id, intent, &entry.instance, at)?,
            Record::Answer { id, answer } => self.answered(id, answer, &entry.instance, at)?,
            Record::Outcome { id, outcome, undo } => {
                self.owned(id, "given an outcome", &entry.instance)?;
                self.not_taken_over(id)?;
                self.conclude(id, outcome, undo.as_ref(), at)?;
            }
            Record::Adopted { id, from } => {
                let status = self.owned(id, "adopted", from)?;
                status.owner = Some(entry.instance.clone());
                status.adopted_at.get_or_insert(at);
                self.adopt_what_it_took_over(id, &entry.instance);
            }
            Record::Resolved {
                id,
                by,
                result,
                reason,
            } => self.resolved(id, by, *result, reason, at)?,
            Record::Released { id, by, .. } => self.released(id, by)?,
            Record::BreakGlass {
                id,
                by,
                answer,
                outcome,
                ..
            } => self.break_glass(id, by, answer, outcome)?,
            Record::Mode { mode, by, .. } => self.set_mode(*mode, by)?,
            Record::Killed { by, reason } => self.kill(by, reason, at),
            Record::Reset { by, .. } => {
                person(by, "reset the kill switch")?;
                self.killed.take().ok_or(Refusal::NotKilled)?;
                self.mode = Mode::Observe;
            }
            Record::ClockConfirmed { by, .. } => person(by, "confirm the clock")?,
            Record::FlowStarted { id, started } => self.flow_started(id, started, at)?,
            Record::FlowStep { id, step, event } => self.flow_step(id, step, event, at)?,
            Record::FlowResumed { id, by, .. } => self.flow_resumed(id, by, at)?,
            Record::FlowCancelled { id, by, reason } => self.flow_cancelled(id, by, reason, at)?,
            Record::FlowCompensating { id, by, reason } => {
                self.flow_compensating(id, by, reason, at)?;
            }
        }
        if entry.record.is_switch() {
            self.last_switch = entry.seq;
        }
        self.seq = entry.seq;
        self.at = Some(at);
        Ok(())
    }

    fn is_new(&self) -> bool {
        self.seq == 0
    }

    fn checkpoint(&mut self, state: &State) -> Result<(), Refusal> {
        if self.is_new() {
            *self = state.clone();
        } else if self != state {
            return Err(invalid_record(
                "a checkpoint that differs from what is before it",
            ));
        }
        Ok(())
    }

    fn proposed(
        &mut self,
        proposal: &Proposal,
        ruling: &Ruling,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let id = &proposal.id;
        if self.proposal_status(id).is_some() {
            return Err(invalid_record(format!("proposal `{id}` twice")));
        }
        if let Some(undone) = &proposal.undoes
            && !self.effects.contains_key(undone)
            && !self.may_be_undone(undone)
        {
            return Err(Refusal::NotOurs { id: undone.clone() });
        }
        self.may_take_over(proposal)?;
        self.not_killed(proposal)?;
        self.admit(proposal, at)?;
        self.expire(at);
        self.begin_step_attempt(proposal);
        let status = ProposalStatus::new(proposal.clone(), ruling.clone(), self.seq + 1, at);
        if status.phase.is_end() {
            self.push_ended(Arc::new(status));
        } else {
            self.open.insert(id.clone(), Arc::new(status));
        }
        Ok(())
    }

    /// A one-shot effect that was applied can be undone as well; what ended long ago is not here
    /// any more, and the proposal's own preconditions decide.
    fn may_be_undone(&self, id: &str) -> bool {
        self.proposal_status(id).is_none_or(|status| {
            status.phase == Phase::Applied && status.proposal.lasting_effect.is_none()
        })
    }

    fn approved(&mut self, id: &str, approval: &Approval, at: Timestamp) -> Result<(), Refusal> {
        let killed = self.killed.clone();
        let status = self.pending(id, "approved", at)?;
        let stays = |phase| Refusal::Phase {
            id: id.to_owned(),
            phase,
            wanted: "approved",
        };
        if status.phase != Phase::NeedsApproval {
            return Err(stays(status.phase));
        }
        if status.proposal.request.may_be_carried_out_by(&approval.by) {
            return Err(Refusal::OwnProposal {
                id: id.to_owned(),
                by: approval.by.to_string(),
            });
        }
        if status
            .approvals
            .iter()
            .any(|other| other.by.is_same(&approval.by) && other.expires_at > at)
        {
            return Err(Refusal::ApprovedTwice {
                id: id.to_owned(),
                by: approval.by.to_string(),
            });
        }
        person(&approval.by, "approve")?;
        status.asks_for(approval)?;
        if approval.plan_hash != status.proposal.plan_hash {
            return Err(Refusal::OtherPlan {
                id: id.to_owned(),
                approved: approval.plan_hash.to_string(),
                found: status.proposal.plan_hash.to_string(),
            });
        }
        if approval.expires_at <= at {
            return Err(expired(id, "the approval"));
        }
        if let (Some(killed), None) = (killed, &status.proposal.undoes) {
            return Err(stopped(&killed));
        }
        status.approvals.push(approval.clone());
        if status.is_agreed_at(at) {
            status.phase = Phase::Approved;
        }
        Ok(())
    }

    fn cancelled(
        &mut self,
        id: &str,
        by: &Actor,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let status = self.open_proposal(id, "cancelled")?;
        // Whether it was swept up by now or not: it is over.
        if status.phase_at(at) == Phase::Expired {
            return Err(Refusal::Phase {
                id: id.to_owned(),
                phase: Phase::Expired,
                wanted: "cancelled",
            });
        }
        if status.phase == Phase::Unknown {
            // Nobody is following it: there is nothing to stop, only something to find out.
            return Err(Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted: "cancelled, only recovered or resolved",
            });
        }
        status.cancel = Some(cancel(by, reason, at));
        if status.phase.is_unsent() {
            self.end(id, Phase::Cancelled, at);
        }
        Ok(())
    }

    fn intent(
        &mut self,
        id: &str,
        intent: &Intent,
        instance: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let status = self.open.get(id).cloned();
        let status = status.ok_or_else(|| self.closed(id, "executed"))?;
        if status.phase != Phase::Approved {
            return Err(Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted: "executed",
            });
        }
        let proposal = &status.proposal;
        if let Some(by) = &intent.by
            && !proposal.request.may_be_carried_out_by(by)
        {
            return Err(not_requester(proposal, by));
        }
        if proposal.expires_at <= at {
            return Err(expired(id, "the plan"));
        }
        if !status.is_agreed_at(at) {
            return Err(expired(id, "an approval"));
        }
        self.not_killed(proposal)?;
        if self.killed.is_none() && self.mode != Mode::Execute {
            return Err(Refusal::Observing);
        }
        if let Some(by) = self.outdated_by(&status) {
            let (id, by) = (id.to_owned(), by.to_owned());
            return Err(Refusal::PlanOutdated { id, by });
        }
        for resource in &proposal.resources {
            // What it takes back is no conflict.
            let excepted = proposal.undoes.as_deref();
            if let Some(holder) = self.holder(&proposal.system, resource, excepted) {
                return Err(Refusal::ResourceHeld {
                    resource: resource.clone(),
                    holder: holder.proposal.id.clone(),
                });
            }
        }
        // What puts back what was before us leaves nothing of ours in force.
        let begins = !self.takes_back(proposal);
        if let Some(key) = proposal.lasting_effect.as_ref().filter(|_| begins) {
            let effect = ActiveEffect::begun(proposal, intent, key, at);
            self.effects.insert(id.to_owned(), Arc::new(effect));
        }
        self.remember(Activity {
            at,
            id: id.to_owned(),
            action: proposal.request.action.clone(),
            actor: proposal.request.actor.clone(),
            system: proposal.system.clone(),
            impact: intent.plan.impact.clone(),
            failure_domains: intent.plan.failure_domains.clone(),
        });
        self.take_over(proposal, instance, at);
        let status = self.open_proposal(id, "executed")?;
        status.phase = Phase::Executing;
        status.intent = Some(intent.clone());
        status.owner = Some(instance.to_owned());
        Ok(())
    }

    fn answered(
        &mut self,
        id: &str,
        answer: &Answer,
        instance: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        // Whoever sent it says what came back, even when an undo has taken it over since.
        let sender = self
            .open
            .get(id)
            .and_then(|status| status.taken_over.as_ref());
        let is_sender = sender.is_some_and(|taken_over| taken_over.from == instance);
        let status = if is_sender {
            self.open_proposal(id, "answered")?
        } else {
            self.owned(id, "answered", instance)?
        };
        if status.answer.is_some() || status.phase != Phase::Executing {
            return Err(invalid_record(format!(
                "a second answer to proposal `{id}`"
            )));
        }
        status.answer = Some(answer.clone());
        status.answered_at = Some(at);
        Ok(())
    }

    pub(super) fn open_proposal(
        &mut self,
        id: &str,
        wanted: &'static str,
    ) -> Result<&mut ProposalStatus, Refusal> {
        if !self.open.contains_key(id) {
            return Err(self.closed(id, wanted));
        }
        let status = self.open.get_mut(id).map(Arc::make_mut);
        status.ok_or_else(|| Refusal::UnknownProposal { id: id.to_owned() })
    }

    /// One whose intent is not written.
    fn pending(
        &mut self,
        id: &str,
        wanted: &'static str,
        at: Timestamp,
    ) -> Result<&mut ProposalStatus, Refusal> {
        let status = self.open_proposal(id, wanted)?;
        if !status.phase.is_unsent() {
            return Err(Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted,
            });
        }
        if status.proposal.expires_at <= at {
            return Err(expired(id, "the plan"));
        }
        Ok(status)
    }

    /// One whose intent is written, by this instance.
    fn owned(
        &mut self,
        id: &str,
        wanted: &'static str,
        instance: &str,
    ) -> Result<&mut ProposalStatus, Refusal> {
        let status = self.open_proposal(id, wanted)?;
        match &status.owner {
            Some(owner) if owner == instance => Ok(status),
            Some(owner) => Err(Refusal::NotOwner {
                id: id.to_owned(),
                owner: owner.clone(),
            }),
            None => Err(Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted,
            }),
        }
    }

    fn closed(&self, id: &str, wanted: &'static str) -> Refusal {
        match self.proposal_status(id) {
            Some(status) => Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted,
            },
            None => Refusal::UnknownProposal { id: id.to_owned() },
        }
    }
}
