//! Decisions people take: approve, reject, change the mode, stop everything.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use action_core::{ActionDefinition, OutcomeKind};
use jiff::Timestamp;

use crate::guard::authority::{may_release, rules_now};
use crate::guard::redact::Redactor;
use crate::guard::still_sending::{Meant, ModeError, still_sending};
use crate::guard::trust::Trust;
use crate::identity::{Actor, Proof, ProvenBy, Target};
use crate::journal::{CommitError, Journal, JournalError};
use crate::policy::{Enables, Rules};
use crate::proposal::time;
use crate::proposal::{Mode, Refusal};
use crate::records::Record;
use crate::state::{Enabled, ProposalStatus, State};

pub use decider::Decider;
pub use sessions::NewSession;
pub use tokens::{MakeTokenError, TokenError};

mod approvals;
mod decider;
mod kill_switch;
mod long_ago;
mod pauses;
mod requests;
mod sessions;
mod tokens;

/// How long a stop waits for requests that are just being handed over.
const SEND_WAIT: Duration = Duration::from_secs(5);

/// Where people decide: they agree, refuse, cancel, say how something ended, give up what is in
/// force, and set the mode and the kill switch.
///
/// Needs a journal and rules, and no system: all of it works while the system is down, and from
/// another process than the one that sends.
#[derive(Clone)]
pub struct Controls {
    journal: Arc<dyn Journal>,
    rules: Arc<dyn Rules>,
    redactor: Arc<Redactor>,
    send_wait: Duration,
    definitions: Arc<[ActionDefinition]>,
    target: Option<Target>,
    pub(super) trust: Trust,
}

impl Controls {
    /// Controls over the proposals of a journal under these rules.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, rules: Arc<dyn Rules>) -> Self {
        Self {
            journal,
            rules,
            redactor: Arc::default(),
            send_wait: SEND_WAIT,
            definitions: Arc::default(),
            target: None,
            trust: Trust::Claimed,
        }
    }

    /// The same controls; the mode and the kill switch are set for this system alone. Those of all
    /// hold for it, too: what is stopped for all stays so.
    #[must_use]
    pub fn of_cluster(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// The same controls; what stops sends waits this long for requests that are just being handed
    /// over. Five seconds unless set.
    #[must_use]
    pub fn send_wait(mut self, wait: Duration) -> Self {
        self.send_wait = wait;
        self
    }

    /// The same controls; what this finds is written to no journal, and they trust as a guard does.
    pub(super) fn redacting(mut self, redactor: Arc<Redactor>, trust: Trust) -> Self {
        (self.redactor, self.trust) = (redactor, trust);
        self
    }

    /// The same controls, which take nobody's word for who they are, as
    /// [`Guard::only_proven`](crate::Guard::only_proven) says. Whoever it is may stop.
    #[must_use]
    pub fn only_proven(mut self) -> Self {
        self.trust = Trust::OnlyProven;
        self
    }

    /// The same controls, which know these actions: what is released is one of theirs.
    #[must_use]
    pub fn actions(mut self, definitions: impl IntoIterator<Item = ActionDefinition>) -> Self {
        self.definitions = definitions.into_iter().collect();
        self
    }

    /// The journal that it all is in.
    #[must_use]
    pub fn journal(&self) -> &dyn Journal {
        &*self.journal
    }

    /// How everything stands.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn state(&self) -> Result<Arc<State>, JournalError> {
        self.journal.state().await
    }

    /// Refuses a proposal for good.
    ///
    /// # Errors
    /// When it does not wait for anything any more.
    pub async fn reject(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<Arc<ProposalStatus>, CommitError> {
        let record = Record::Rejected {
            id: id.to_owned(),
            by: self.trust.known(by)?,
            reason: reason.to_owned(),
        };
        self.write(id, |_, _| Ok(record)).await
    }

    /// Does not want a proposal to go on. What was sent is not taken back by this: it is followed
    /// no longer than to the next safe point.
    ///
    /// # Errors
    /// When it has ended, or its outcome is unknown.
    pub async fn cancel(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<Arc<ProposalStatus>, CommitError> {
        let record = Record::Cancelled {
            id: id.to_owned(),
            by: self.trust.known(by)?,
            reason: reason.to_owned(),
        };
        self.write(id, |_, _| Ok(record)).await
    }

    /// Says how a mutation of unknown outcome ended, when nothing that can be read does.
    ///
    /// # Errors
    /// When its outcome is not unknown, when it is no person who says it, or the journal cannot be
    /// written.
    pub async fn resolve(
        &self,
        id: &str,
        by: &Actor,
        result: OutcomeKind,
        reason: &str,
    ) -> Result<Arc<ProposalStatus>, CommitError> {
        let record = Record::Resolved {
            id: id.to_owned(),
            by: self.trust.known(by)?,
            result,
            reason: reason.to_owned(),
        };
        self.write(id, |_, _| Ok(record)).await
    }

    /// Gives up a lasting effect: it is somebody else's now, or not there any more. Nothing is
    /// sent. Ruled as taking it back would be: who asked for it may, or a person, where the rules
    /// let them take it back.
    ///
    /// # Errors
    /// When it is not ours, when it is not theirs to give up, when its action is none of
    /// [`actions`](Self::actions), or the journal cannot be written.
    pub async fn release(&self, id: &str, by: &Actor, reason: &str) -> Result<(), CommitError> {
        let (rules, definitions) = (Arc::clone(&self.rules), Arc::clone(&self.definitions));
        let (id, by, reason) = (id.to_owned(), self.trust.known(by)?, reason.to_owned());
        self.commit(move |state, now| {
            may_release(&rules_now(&rules), &definitions, &id, &by, state, now)?;
            Ok(Record::Released { id, by, reason })
        })
        .await
    }

    /// Whether [`release`](Self::release) would be granted. Writes nothing.
    ///
    /// # Errors
    /// What it would be refused with.
    pub async fn may_release(&self, id: &str, by: &Actor) -> Result<(), CommitError> {
        let state = self.journal.state().await?;
        let rules = rules_now(&self.rules);
        may_release(&rules, &self.definitions, id, by, &state, time::clock())?;
        Ok(())
    }

    /// Sets whether anything may be sent, for every process on this journal. Once it returns that
    /// nothing may be, no process sends, or the error names those that still may.
    ///
    /// # Errors
    /// When who sets it may not, or is not proven, or everything is stopped; and when somebody who
    /// had been permitted to send does not get on with it.
    pub async fn set_mode(
        &self,
        mode: Mode,
        by: Decider<'_>,
        reason: &str,
    ) -> Result<(), ModeError> {
        let after = self.journal.state().await.map_err(CommitError::from)?;
        let after = after.last_switch;
        let (actor, now) = (by.actor.clone(), time::clock());
        let target = self.target.clone();
        let proof =
            by.proof_by(|key| Proof::of_mode(mode, target.as_ref(), &actor, after, now, key));
        let enables = (mode == Mode::Execute).then_some(Enables::Mode(target.as_ref()));
        let attested = enables.and_then(|what| by.attested(what, after, now));
        let actor = self.known_if_unsigned(actor, proof.as_ref())?;
        let (rules, reason) = (Arc::clone(&self.rules), reason.to_owned());
        let trust = self.trust;
        self.commit(move |state, now| {
            rules.vouch_for_mode(mode, target.as_ref(), &actor, proof.as_ref(), state, now)?;
            if mode == Mode::Execute {
                let (after, what) = (state.last_switch, Enables::Mode(target.as_ref()));
                let enabled = Enabled::new(&actor, (after, now), proof.as_ref(), attested.as_ref());
                trust.is_enabled_by(&enabled, &*rules, what)?;
            }
            Ok(Record::Mode {
                target,
                mode,
                by: actor,
                reason,
                proof,
                attested,
            })
        })
        .await?;
        if mode == Mode::Execute {
            return Ok(());
        }
        match still_sending(&*self.journal, self.send_wait, self.is_its().as_deref()).await {
            nobody if nobody.is_empty() => Ok(()),
            senders => Err(ModeError::StillSending(senders)),
        }
    }

    /// Says that it is as late as the clock shows, after it leapt by more than an hour: until then
    /// nothing is decided but stops.
    ///
    /// # Errors
    /// When who says it is no person, or not proven.
    pub async fn confirm_clock(&self, by: Decider<'_>, reason: &str) -> Result<(), CommitError> {
        let after = self.journal.state().await?.last_switch;
        let (actor, now) = (by.actor.clone(), time::clock());
        let proof = by.proof_by(|key| Proof::of_clock(&actor, after, now, key));
        let actor = self.known_if_unsigned(actor, proof.as_ref())?;
        let (rules, reason) = (Arc::clone(&self.rules), reason.to_owned());
        self.commit(move |state, _| {
            // The time that is confirmed is that of the clock, not that of the journal.
            rules.vouch_for_clock(&actor, proof.as_ref(), state, now)?;
            Ok(Record::ClockConfirmed {
                by: actor,
                reason,
                proof,
            })
        })
        .await
    }

    /// Who decides, as they are written down: what they have signed proves it, beside them.
    pub(super) fn known_if_unsigned(
        &self,
        who: Actor,
        proof: Option<&Proof>,
    ) -> Result<Actor, CommitError> {
        match proof {
            Some(_) => Ok(who.proven(ProvenBy::Claimed)),
            None => Ok(self.trust.known(&who)?),
        }
    }

    /// Whether a proposal is for the one system that they are of, where they are of one.
    pub(super) fn is_its(&self) -> Option<Box<Meant<'_>>> {
        let target = self.target.as_ref()?;
        Some(Box::new(|status| status.proposal.system == target.system))
    }

    async fn write(
        &self,
        id: &str,
        record: impl FnOnce(&State, Timestamp) -> Result<Record, Refusal> + Send + 'static,
    ) -> Result<Arc<ProposalStatus>, CommitError> {
        self.commit(record).await?;
        let state = self.journal.state().await?;
        Ok(Arc::clone(
            state.proposal_status(id).ok_or_else(|| unknown(id))?,
        ))
    }

    async fn commit(
        &self,
        record: impl FnOnce(&State, Timestamp) -> Result<Record, Refusal> + Send + 'static,
    ) -> Result<(), CommitError> {
        let redactor = Arc::clone(&self.redactor);
        let decision = move |state: &State, now| Ok(vec![redactor.clean(record(state, now)?)?]);
        self.journal.commit(Box::new(decision)).await.map(drop)
    }
}

impl fmt::Debug for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controls")
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

fn unknown(id: &str) -> CommitError {
    CommitError::Refused(Refusal::UnknownProposal { id: id.to_owned() })
}
