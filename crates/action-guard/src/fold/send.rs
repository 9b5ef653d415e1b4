//! What is sent: the intent before, the answer after, and who follows it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::fold::refuse::{expired, invalid_record, not_requester};
use crate::proposal::{Answer, Intent, Phase, Refusal};
use crate::state::{ActiveEffect, Activity, ProposalStatus, State};

impl State {
    pub(super) fn intent(
        &mut self,
        id: &str,
        intent: &Intent,
        instance: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let status = self.open.get(id).cloned();
        let status = status.ok_or_else(|| self.closed(id, "executed"))?;
        self.may_be_sent(&status, intent, at)?;
        let proposal = &status.proposal;
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
            subject: proposal.subject.clone(),
            system: proposal.system.clone(),
            impact: intent.plan.impact.clone(),
            failure_domains: intent.plan.failure_domains.clone(),
        });
        self.take_over(proposal, instance, at);
        // While it is held here, to change it would be to copy it.
        drop(status);
        if let Some(status) = self.open.send(id) {
            status.intent = Some(intent.clone());
            status.owner = Some(instance.to_owned());
        }
        Ok(())
    }

    /// Refuses an intent that this state does not allow.
    fn may_be_sent(
        &self,
        status: &ProposalStatus,
        intent: &Intent,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let id = &status.proposal.id;
        if status.phase != Phase::Approved {
            return Err(Refusal::Phase {
                id: id.clone(),
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
        self.none_is_paused(&proposal.request, at)?;
        if self.killed_on(&proposal.system).is_none()
            && let Some(observing) = self.observing(&proposal.system)
        {
            return Err(observing);
        }
        if let Some(by) = self.outdated_by(status) {
            let (id, by) = (id.clone(), by.to_owned());
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
        Ok(())
    }

    pub(super) fn answered(
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

    /// Follows from here on what another instance has left.
    pub(super) fn adopted(
        &mut self,
        id: &str,
        from: &str,
        instance: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let status = self.owned(id, "adopted", from)?;
        status.owner = Some(instance.to_owned());
        status.adopted_at.get_or_insert(at);
        self.adopt_what_it_took_over(id, instance);
        Ok(())
    }
}
