//! After a crash: probes what was sent, or may have been, and has no outcome.

use std::sync::Arc;

use action_core::{Outcome, OutcomeKind};
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::guard::error::GuardError;
use crate::guard::follow::Following;
use crate::guard::redact::is_redacted;
use crate::guard::{Guard, Tracked, Watch};
use crate::identity::Target;
use crate::journal::CommitError;
use crate::proposal::time::elapsed_since;
use crate::proposal::{Answer, Event, Refusal, Report};
use crate::records::Record;
use crate::state::{ProposalStatus, State};

/// How many expired proposals are ended in one transaction.
const MOST_ENDED_AT_ONCE: usize = 64;

impl Guard {
    /// Finds the outcome of every intent that has none, or whose outcome is unknown, and writes
    /// it down. Sends nothing.
    ///
    /// What a living process is at is left to it; what a dead one left is adopted. An intent that
    /// a crash left without an answer may have been on its way until its process died: the time
    /// in which it can still take effect counts from when it is adopted. An intent for another
    /// system than the one that answers is left open, and reported as unknown.
    ///
    /// Call it at the start of a process, and again while something is of unknown outcome. How each of
    /// what it reports stands, also beside an undo, [`standing`](Self::standing) says.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub async fn recover(&self, watch: Watch<'_>) -> Result<Vec<Report>, GuardError> {
        self.recover_those(|_| true, watch).await
    }

    /// The same, of what was sent to one system: what was sent to others is left to who can ask them.
    ///
    /// # Errors
    /// As [`recover`](Self::recover).
    pub async fn recover_on(
        &self,
        target: &Target,
        watch: Watch<'_>,
    ) -> Result<Vec<Report>, GuardError> {
        let is_its = |status: &ProposalStatus| status.proposal.target().is_same_system(target);
        self.recover_those(is_its, watch).await
    }

    /// Ends proposals that were not sent in time, so that who waits for them is told. They are over without
    /// this, too, once their time is.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub async fn end_expired(&self) -> Result<usize, GuardError> {
        let is_over = |state: &State, now| -> Vec<String> {
            let over = state.open.expired(now).take(MOST_ENDED_AT_ONCE);
            over.cloned().collect()
        };
        if is_over(&*self.state().await?, Timestamp::now()).is_empty() {
            return Ok(0);
        }
        let ended = self.commit(move |state, now| {
            let over = is_over(state, now).into_iter();
            Ok(over.map(|id| Record::Expired { id }).collect())
        });
        Ok(ended.await?.len())
    }

    async fn recover_those(
        &self,
        is_meant: impl Fn(&ProposalStatus) -> bool + Send,
        watch: Watch<'_>,
    ) -> Result<Vec<Report>, GuardError> {
        let state = self.state().await?;
        let (events, mut seen) = unbounded_channel();
        let mut tasks = JoinSet::new();
        for status in state.unsettled() {
            // The undo that has taken it over says how it ended.
            if !is_meant(status) || state.is_being_taken_back(status) {
                continue;
            }
            // What this process is at will have its outcome.
            if let Some(tracked) = self.track(&status.proposal.id) {
                let work = self
                    .clone()
                    .recover_one(Arc::clone(status), tracked, events.clone());
                tasks.spawn(work);
            }
        }
        drop(events);
        while let Some(event) = seen.recv().await {
            watch(event);
        }
        let mut reports = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let done = done.unwrap_or(Err(GuardError::Abandoned));
            reports.extend(done?);
        }
        reports.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(reports)
    }

    async fn recover_one(
        self,
        status: Arc<ProposalStatus>,
        tracked: Tracked,
        events: UnboundedSender<Event>,
    ) -> Result<Option<Report>, GuardError> {
        let Some(status) = self.adopted(status).await? else {
            return Ok(None);
        };
        let Some(intent) = &status.intent else {
            return Ok(None);
        };
        let mut watch = |event| {
            let _ = events.send(event);
        };
        let proposal = &status.proposal;
        let mut following = Following::of(&self, proposal, intent, &tracked.token);
        following.cancelled_before.clone_from(&status.cancel);
        following.since = Instant::now();
        following.elapsed_before_ms =
            elapsed_since(self.last_on_its_way(&status), Timestamp::now());
        let outcome = self.found(&status, &mut following, &mut watch).await;
        if outcome.result == OutcomeKind::Unknown {
            tracing::warn!(action = proposal.request.action, "outcome still unknown");
        }
        let accepted = following.accepted.take();
        let concluded = self.conclude(proposal, intent, accepted, outcome, &mut watch);
        let report = concluded.await?;
        self.conclude_first(proposal, &report.outcome, &mut watch)
            .await?;
        Ok(Some(report))
    }

    /// How something of ours ended that was sent, or may have been.
    async fn found(
        &self,
        status: &ProposalStatus,
        following: &mut Following<'_>,
        watch: Watch<'_>,
    ) -> Outcome {
        let proposal = &status.proposal;
        let system = &proposal.system;
        if let Some(refused @ Answer::Refused { .. }) = status.answer.clone() {
            return following.after(refused, watch).await;
        }
        if is_redacted(&proposal.request.parameters) {
            return Outcome::unknown(
                "parameters_redacted",
                "it cannot be probed: its parameters contained a secret, and secrets are not recorded",
                format!("check `{system}`, then resolve {}", proposal.id),
                Vec::new(),
            );
        }
        if let Some(Answer::Accepted { accepted, .. }) = &status.answer {
            following.accepted = Some(accepted.clone());
        }
        match self.registry.identity(&proposal.request.action).await {
            Ok(found) if found == *system => following.finish(watch).await,
            Ok(found) => Outcome::unknown(
                "other_system",
                format!("it was sent to `{system}`, but `{found}` answers"),
                format!("run `recover` where `{system}` can be reached"),
                Vec::new(),
            ),
            Err(error) => Outcome::unknown(
                "cannot_probe",
                error.report(),
                "run `recover` when the system can be reached",
                Vec::new(),
            ),
        }
    }

    /// When it could last have been on its way.
    fn last_on_its_way(&self, status: &ProposalStatus) -> Option<Timestamp> {
        let last = status.last_on_its_way();
        if status.answer.is_some() || self.journal.is_death_certain() {
            return last;
        }
        let send_by = status.intent.as_ref().map(|intent| intent.send_by);
        last.max(send_by)
    }

    /// The proposal as ours; `None` when it is another's, or has ended meanwhile.
    async fn adopted(
        &self,
        status: Arc<ProposalStatus>,
    ) -> Result<Option<Arc<ProposalStatus>>, GuardError> {
        let id = status.proposal.id.clone();
        let me = self.journal.instance();
        let Some(owner) = status.owner.clone() else {
            return Ok(None);
        };
        if owner == me {
            return Ok(Some(status));
        }
        if self.journal.is_alive(&owner).await? {
            return Ok(None);
        }
        let adopted = Record::Adopted {
            id: id.clone(),
            from: owner,
        };
        match self.write(adopted).await {
            Ok(_) => {}
            // Another process was faster.
            Err(CommitError::Refused(
                Refusal::NotOwner { .. } | Refusal::UnknownProposal { .. } | Refusal::Phase { .. },
            )) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let state = self.state().await?;
        Ok(state.open.get(&id).cloned())
    }
}
