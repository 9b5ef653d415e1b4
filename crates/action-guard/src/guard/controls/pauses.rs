//! Pauses: a person pauses an agent, or an agent itself, and a person ends that.

use std::sync::Arc;

use jiff::Timestamp;

use crate::guard::authority::rules_now;
use crate::guard::controls::{Controls, Decider};
use crate::guard::still_sending::still_sending;
use crate::identity::{Actor, Proof};
use crate::journal::{CommitError, Sender};
use crate::policy::Enables;
use crate::proposal::{Refusal, time};
use crate::records::Record;
use crate::state::{Enabled, ProposalStatus};

impl Controls {
    /// Pauses an agent, until a time or until a person resumes it: nothing is proposed, started or sent
    /// for it meanwhile, by no process on this journal, but by those that are named in the answer. What
    /// was sent is followed, and what is open stays open. A workflow that it started stops.
    ///
    /// Takes a person or the agent itself, and no proof: it only stops something. It cannot end an earlier
    /// pause sooner.
    ///
    /// # Errors
    /// When it is no agent, or another agent pauses it, when it is paused for longer already, and when
    /// it cannot be written down.
    pub async fn pause(
        &self,
        agent: &Actor,
        by: &Actor,
        until: Option<Timestamp>,
        reason: &str,
    ) -> Result<Vec<Sender>, CommitError> {
        let record = Record::AgentPaused {
            agent: agent.clone(),
            until,
            by: self.trust.known(by)?,
            reason: reason.to_owned(),
        };
        self.commit(|_, _| Ok(record)).await?;
        let is_its = |status: &ProposalStatus| {
            let mut proofs = status.proposal.request.proofs();
            proofs.any(|(who, _)| who.eq_ignore_ascii_case(agent.as_str()))
        };
        Ok(still_sending(&*self.journal, self.send_wait, Some(&is_its)).await)
    }

    /// Ends the pause of an agent.
    ///
    /// # Errors
    /// When it is not paused, or who ends it is no person, or not proven as the rules want it.
    pub async fn resume(
        &self,
        agent: &Actor,
        by: Decider<'_>,
        reason: &str,
    ) -> Result<(), CommitError> {
        let state = self.journal.state().await?;
        let after = state.pause_of(agent.as_str()).map_or(0, |pause| pause.seq);
        let (actor, now) = (by.actor.clone(), time::clock());
        let proof = by.proof_by(|key| Proof::of_resume(agent, &actor, after, now, key));
        let attested = by.attested(Enables::Agent(agent), after, now);
        let actor = self.known_if_unsigned(actor, proof.as_ref())?;
        let trust = self.trust;
        let (rules, agent, reason) = (Arc::clone(&self.rules), agent.clone(), reason.to_owned());
        self.commit(move |state, now| {
            let pause = state.paused_at(agent.as_str(), now);
            let pause = pause.ok_or_else(|| Refusal::NotPaused {
                agent: agent.to_string(),
            })?;
            let rules = rules_now(&rules);
            rules.vouch_for_resume(pause, &actor, proof.as_ref(), now)?;
            let enabled = Enabled::new(&actor, (pause.seq, now), proof.as_ref(), attested.as_ref());
            trust.is_enabled_by(&enabled, &*rules, Enables::Agent(&pause.agent))?;
            Ok(Record::AgentResumed {
                agent,
                by: actor,
                reason,
                proof,
                attested,
            })
        })
        .await
    }
}
