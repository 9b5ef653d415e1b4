//! Asking once: what somebody asks for again is the proposal that there is.

use std::time::Duration;

use jiff::Timestamp;

use crate::guard::Guard;
use crate::guard::error::GuardError;
use crate::guard::planned::PLANS_AGAIN;
use crate::identity::Target;
use crate::proposal::{Refusal, Request, Standing};

/// How a request stands that may be a repetition of an earlier one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Asked {
    /// How its proposal stands.
    pub standing: Standing,
    /// Whether the proposal was there already.
    pub repeated: bool,
}

impl Guard {
    /// Proposes a mutation, unless whoever asks has asked this system for the same: then nothing is
    /// proposed, and this is how the earlier proposal stands.
    ///
    /// A request with an [`idempotency_key`](Request::idempotency_key) repeats the one with the same
    /// key, however long ago that was, as long as the journal's state has it. One without repeats
    /// the same action with the same parameters within this time, if that is open, or was applied and not
    /// taken back, or is unknown; within no time, never. It is decided where the proposal is written: of two that ask
    /// through two processes at one moment, one proposes.
    ///
    /// # Errors
    /// As [`propose`](Self::propose), and [`KeyUsed`](Refusal::KeyUsed) where the key stands for another
    /// request.
    pub async fn propose_once(
        &self,
        request: Request,
        within: Duration,
    ) -> Result<Asked, GuardError> {
        self.propose_once_as(None, request, within).await
    }

    /// The same; a new proposal has this id, which is that of a [draft](Self::draft) that was shown to
    /// who asks.
    ///
    /// # Errors
    /// As [`propose_once`](Self::propose_once), and when there is a proposal of this id.
    pub async fn propose_once_as(
        &self,
        id: Option<String>,
        request: Request,
        within: Duration,
    ) -> Result<Asked, GuardError> {
        let mut request = self.trust.known_request(request)?;
        request.parameters = self
            .registry
            .validate(&request.action, request.parameters)?;
        if let Some(earlier) = self.asked_before(&request, within).await? {
            return self.repeated(&earlier).await;
        }
        let mut again = PLANS_AGAIN;
        loop {
            let mut planned = self.planned(request.clone(), None).await?;
            planned.once_within = within;
            planned.is_called(id.as_deref());
            self.is_ours_or_for_people(&planned.proposal, &planned.proposal.plan)
                .await?;
            match self.record_proposal(planned).await {
                Err(GuardError::Refused(Refusal::AskedBefore { id })) => {
                    return self.repeated(&id).await;
                }
                Err(error) if error.is_outdated() && again > 0 => again -= 1,
                done => {
                    let (standing, repeated) = (done?, false);
                    return Ok(Asked { standing, repeated });
                }
            }
        }
    }

    async fn repeated(&self, id: &str) -> Result<Asked, GuardError> {
        let (standing, repeated) = (self.standing(id).await?, true);
        Ok(Asked { standing, repeated })
    }

    /// The earlier proposal, before anything is read for a new one: it is found where the system cannot be
    /// asked, too.
    async fn asked_before(
        &self,
        request: &Request,
        within: Duration,
    ) -> Result<Option<String>, GuardError> {
        let (state, now) = (self.state().await?, Timestamp::now());
        let subject = self.registry.definition(&request.action);
        let subject = subject.map_or("", |definition| &definition.subject);
        let any_system = |target: &Target| target.subject == subject;
        let found = state.asked_before(request, any_system, within, now);
        if matches!(found, Ok(None)) {
            return Ok(None);
        }
        let found = match self.registry.identity(&request.action).await {
            Err(_) => found,
            Ok(system) => {
                let asked = Target::new(subject, system);
                let same_system = |target: &Target| target.is_same_system(&asked);
                state.asked_before(request, same_system, within, now)
            }
        };
        Ok(found?.map(str::to_owned))
    }
}
