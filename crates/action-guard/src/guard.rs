//! Carries out mutations, each with its intent on disk before and an outcome after.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use action_core::{ActionDefinition, ActionError, ActionRegistry, Catalogue};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::guard::redact::Redactor;
use crate::guard::trust::{Listed, Trust};
use crate::identity::{Actor, Target};
use crate::journal::{CommitError, Journal, JournalError};
use crate::policy::{Rules, Unrestricted};
use crate::proposal::{Approval, Event, Refusal};
use crate::records::{Entry, Record};
use crate::state::{ProposalStatus, State};

pub(crate) use authority::rules_now;
pub use break_glass::BrokenGlass;
pub use controls::{Controls, Decider, MakeTokenError, NewSession, TokenError};
pub use draft::Draft;
pub use error::GuardError;
pub use once::Asked;
pub use outcome_codes::GUARD_OUTCOMES;
pub use reap::Reaped;
pub(crate) use redact::is_redacted;
pub use still_sending::ModeError;
pub use stop::Stop;

mod authority;
mod break_glass;
mod compare;
mod controls;
mod draft;
mod enabled;
mod error;
mod execute;
mod explain;
mod follow;
mod last_seen;
mod once;
mod one_policy;
mod open_limit;
mod outcome_codes;
mod permit;
pub(crate) mod planned;
mod propose;
mod reap;
mod recorded;
mod recover;
mod redact;
mod size_limits;
mod standing;
mod still_sending;
mod stop;
mod take_back;
pub(crate) mod token_scope;
pub(crate) mod trust;

/// Carries out mutations so that each has an intent on disk before, and an outcome after.
///
/// Cheap to clone; clones share the registry and the journal.
#[derive(Clone)]
pub struct Guard {
    pub(crate) registry: Arc<ActionRegistry>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) rules: Arc<dyn Rules>,
    pub(crate) redactor: Arc<Redactor>,
    /// What systems are called.
    clusters: Arc<[Target]>,
    /// Between the intent and the last moment to hand over its request.
    send_within: Duration,
    /// Between the proof that it happened and the look whether it held.
    settle_for: Duration,
    /// For something that is stuck to get on again.
    stalled_after: Duration,
    /// For a request that something between here and the system holds.
    held_for: Duration,
    following: Arc<Mutex<BTreeMap<String, CancellationToken>>>,
    pub(crate) trust: Trust,
    pub(crate) listed: Listed,
    /// Whether others may be on the journal that decide by a policy of their own.
    is_of_a_gate: bool,
}

/// Takes what is seen on the way.
pub(crate) type Watch<'a> = &'a mut (dyn FnMut(Event) + Send);

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("journal", &self.journal)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// A guard of these actions, without a policy: see [`Unrestricted`]. Nobody else can send them
    /// from here on.
    #[must_use]
    pub fn new(registry: ActionRegistry, journal: impl Journal) -> Self {
        Self::over(registry, Arc::new(journal))
    }

    /// The same over a journal that others use too.
    #[must_use]
    pub fn over(registry: ActionRegistry, journal: Arc<dyn Journal>) -> Self {
        let redactor = Redactor::for_actions(registry.definitions());
        Self {
            registry: Arc::new(registry),
            journal,
            rules: Arc::new(Unrestricted),
            redactor: Arc::new(redactor),
            clusters: Arc::default(),
            send_within: Duration::from_secs(10),
            settle_for: Duration::from_secs(3),
            stalled_after: Duration::from_mins(10),
            held_for: Duration::ZERO,
            following: Arc::default(),
            trust: Trust::Claimed,
            listed: Listed::default(),
            is_of_a_gate: false,
        }
    }

    /// The same guard under these rules, such as a [`Policy`](crate::Policy).
    #[must_use]
    pub fn rules(mut self, rules: Arc<dyn Rules>) -> Self {
        self.rules = rules;
        self
    }

    /// The same guard, which knows what systems are called, as a config file names them. Records say
    /// the name of a system beside its id, and rules may be about it. In one journal one name is
    /// one system, and a system has one name.
    #[must_use]
    pub fn clusters(mut self, named: impl IntoIterator<Item = Target>) -> Self {
        self.clusters = named.into_iter().collect();
        self
    }

    /// The same guard; this text is written to no journal, wherever it turns up.
    #[must_use]
    pub fn secret(mut self, text: &str) -> Self {
        self.redactor = Arc::new(self.redactor.also(text));
        self
    }

    /// The same guard; what is not handed over this long after its intent was written is not sent.
    /// Ten seconds unless set.
    #[must_use]
    pub fn send_within(mut self, wait: Duration) -> Self {
        self.send_within = wait;
        self
    }

    /// The same guard; so long after something was proven to have happened, it looks once more
    /// whether it held. Three seconds unless set; with zero it does not look.
    #[must_use]
    pub fn settle_for(mut self, wait: Duration) -> Self {
        self.settle_for = wait;
        self
    }

    /// The same guard; what is stuck for this long is no longer followed, and its outcome is
    /// unknown. Ten minutes unless set; never longer than the plan's own deadline.
    #[must_use]
    pub fn stalled_after(mut self, wait: Duration) -> Self {
        self.stalled_after = wait;
        self
    }

    /// The same guard; something between here and the system, such as a proxy with a queue, may hand
    /// a request on so long after we have given it up. Until then, what was not answered is not
    /// called not applied. Not at all unless set.
    #[must_use]
    pub fn held_for(mut self, longest: Duration) -> Self {
        self.held_for = longest;
        self
    }

    /// The same guard, which takes nobody's word for who they are: what asks, decides or carries out
    /// is an [`Actor`] for whom it was [proven](Actor::proven), or is refused. What others wrote into
    /// the same journal counts as claimed, unless it is signed: it is neither carried out here, nor
    /// does it let anything be carried out. For a process that many reach, and that proves who they
    /// are.
    #[must_use]
    pub fn only_proven(mut self) -> Self {
        self.trust = Trust::OnlyProven;
        self
    }

    /// The same guard, for a gate that knows who is listed and for what: what somebody approved in a browser
    /// counts only while this says that they could still approve it as they did. Looked at with the intent
    /// and once more before it is sent.
    #[must_use]
    pub fn approvers(
        mut self,
        knows: impl Fn(&ProposalStatus, &Approval) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.listed.approvers = Some(Arc::new(knows));
        self
    }

    /// The same guard, for a gate that knows who is listed and for what: what somebody has asked for is sent
    /// only while this says that they could still prove who they are as they did, and may ask for this
    /// action on this system. Looked at with the intent, once more before it is sent, and at each step of a
    /// workflow that is [carried on](crate::Workflows::carry_on).
    #[must_use]
    pub fn askers(
        mut self,
        may_ask: impl Fn(&Actor, &Target, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.listed.askers = Some(Arc::new(may_ask));
        self
    }

    /// Controls on the same journal, under the same rules.
    #[must_use]
    pub fn controls(&self) -> Controls {
        let controls = Controls::new(Arc::clone(&self.journal), Arc::clone(&self.rules));
        let controls = controls.redacting(Arc::clone(&self.redactor), self.trust);
        controls.actions(self.registry.definitions().cloned())
    }

    /// Calls a proposal off, as [`Controls::cancel`] does, and tells whoever follows it in this
    /// process at once. Its outcome is unknown until [`recover`](Self::recover) looks.
    ///
    /// # Errors
    /// When it has ended or its outcome is unknown, or the journal cannot be written.
    pub async fn cancel(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<Arc<ProposalStatus>, GuardError> {
        let status = self.controls().cancel(id, by, reason).await?;
        self.cancel_here(id);
        Ok(status)
    }

    /// The actions, without the right to change anything.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        self.registry.catalogue()
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &dyn Journal {
        &*self.journal
    }

    /// What the journal adds up to now: the proposals that are open and those that ended lately, the
    /// effects in force, the mode and the kill switch. A snapshot, which does not change; of one
    /// proposal [`standing`](Self::standing) says what a loop needs.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn state(&self) -> Result<Arc<State>, JournalError> {
        self.journal.state().await
    }

    /// What the journal has of a proposal that is open, or ended lately: who approved it, when it was
    /// sent, what came back. How it stands, [`standing`](Self::standing) says.
    ///
    /// # Errors
    /// When there is none, or the journal cannot be read.
    pub async fn proposal_status(&self, id: &str) -> Result<Arc<ProposalStatus>, GuardError> {
        let state = self.state().await?;
        let status = state.proposal_status(id).cloned();
        status.ok_or_else(|| GuardError::Refused(Refusal::UnknownProposal { id: id.to_owned() }))
    }

    /// Writes what is decided on the state as it is then, without secrets.
    pub(crate) async fn commit(
        &self,
        decide: impl FnOnce(&State, Timestamp) -> Result<Vec<Record>, Refusal> + Send + 'static,
    ) -> Result<Vec<Entry>, CommitError> {
        let redactor = Arc::clone(&self.redactor);
        self.journal
            .commit(Box::new(move |state, now| {
                let records = decide(state, now)?;
                records
                    .into_iter()
                    .map(|record| redactor.clean(record))
                    .collect()
            }))
            .await
    }

    /// Writes one record.
    pub(crate) async fn write(&self, record: Record) -> Result<Vec<Entry>, CommitError> {
        self.commit(|_, _| Ok(vec![record])).await
    }

    pub(crate) fn definition(&self, action: &str) -> Result<Arc<ActionDefinition>, ActionError> {
        let found = self.registry.shared_definition(action);
        found.ok_or_else(|| ActionError::UnknownAction {
            name: action.to_owned(),
            similar: None,
        })
    }

    /// Says that this process is at a proposal, until what is given is dropped; `None` when it is
    /// already.
    pub(crate) fn track(&self, id: &str) -> Option<Tracked> {
        let mut following = lock(&self.following);
        if following.contains_key(id) {
            return None;
        }
        let token = CancellationToken::new();
        following.insert(id.to_owned(), token.clone());
        Some(Tracked {
            id: id.to_owned(),
            token,
            following: Arc::clone(&self.following),
        })
    }

    /// Tells whoever is at it in this process.
    pub(crate) fn cancel_here(&self, id: &str) {
        if let Some(token) = lock(&self.following).get(id) {
            token.cancel();
        }
    }
}

/// That this process is at a proposal.
pub(crate) struct Tracked {
    id: String,
    pub(crate) token: CancellationToken,
    following: Arc<Mutex<BTreeMap<String, CancellationToken>>>,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        lock(&self.following).remove(&self.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
