//! Taking back what its lease is over for.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::guard::error::GuardError;
use crate::guard::{Guard, Watch};
use crate::identity::Target;
use crate::proposal::{Phase, Refusal, Report, Standing, words};
use crate::state::{ActiveEffect, State};

/// What became of one lasting effect whose lease is over.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "reaped", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reaped {
    /// What takes it back was sent, and ended in some way.
    Sent {
        /// The effect.
        effect: Arc<ActiveEffect>,
        /// How it ended.
        report: Box<Report>,
    },
    /// What takes it back is proposed, and waits for people.
    Proposed {
        /// The effect.
        effect: Arc<ActiveEffect>,
        /// What takes it back.
        proposal: String,
    },
    /// It was left alone.
    Left {
        /// The effect.
        effect: Arc<ActiveEffect>,
        /// Why.
        why: String,
    },
}

impl Guard {
    /// Takes back the lasting effects whose lease is over: proposes what takes each of them back,
    /// and carries it out where the rules allow that. Touches nothing that the journal does not
    /// own, nor what somebody changed since, nor what may be another's because its request was not
    /// answered: that stays in the list of what is in force, for a person.
    ///
    /// A lease is over only when something calls this: a process that stays, or a timer.
    ///
    /// # Errors
    /// When the journal cannot be read. What keeps one effect from being taken back is in its
    /// [`Reaped`].
    pub async fn reap(&self, watch: Watch<'_>) -> Result<Vec<Reaped>, GuardError> {
        self.reap_those(|_| true, watch).await
    }

    /// The same, of what is in force on one system.
    ///
    /// # Errors
    /// As [`reap`](Self::reap).
    pub async fn reap_on(
        &self,
        target: &Target,
        watch: Watch<'_>,
    ) -> Result<Vec<Reaped>, GuardError> {
        let is_its = |effect: &ActiveEffect| effect.target().is_same_system(target);
        self.reap_those(is_its, watch).await
    }

    async fn reap_those(
        &self,
        is_meant: impl Fn(&ActiveEffect) -> bool + Send,
        watch: Watch<'_>,
    ) -> Result<Vec<Reaped>, GuardError> {
        let state = self.state().await?;
        let over = state.expired_effects(Timestamp::now());
        let over: Vec<_> = over.filter(|effect| is_meant(effect)).cloned().collect();
        let mut reaped = Vec::new();
        for effect in over {
            reaped.push(self.reap_one(effect, &state, watch).await);
        }
        Ok(reaped)
    }

    async fn reap_one(&self, effect: Arc<ActiveEffect>, state: &State, watch: Watch<'_>) -> Reaped {
        let why = match self.take_back(&effect, state, watch).await {
            Ok(Taken::Sent(report)) => return Reaped::Sent { effect, report },
            Ok(Taken::Proposed(proposal)) => return Reaped::Proposed { effect, proposal },
            Ok(Taken::Left(why)) => why,
            Err(GuardError::Refused(unknown @ Refusal::WhoseUnknown { .. })) => {
                format!("its lease has expired; {unknown}")
            }
            Err(error) => error.report(),
        };
        Reaped::Left { effect, why }
    }

    async fn take_back(
        &self,
        effect: &ActiveEffect,
        state: &State,
        watch: Watch<'_>,
    ) -> Result<Taken, GuardError> {
        if let Some(begun) = state
            .proposal_status(&effect.id)
            .filter(|status| status.phase.is_in_flight())
        {
            let id = &begun.proposal.id;
            return Ok(Taken::Left(format!(
                "proposal {id} is {}: run `recover` first",
                begun.phase
            )));
        }
        let (me, now) = (self.trust.itself(), Timestamp::now());
        let mut open = state.open.values();
        let underway = open.find(|status| {
            status.proposal.undoes.as_ref() == Some(&effect.id)
                && status.phase_at(now) != Phase::Expired
                // What others propose is for them to carry out.
                && (status.phase.is_in_flight() || status.proposal.request.actor == me.as_str())
        });
        let proposal = match underway {
            Some(status) if status.phase.is_in_flight() => {
                return Ok(Taken::Left(format!(
                    "proposal {} is taking it back",
                    status.proposal.id
                )));
            }
            Some(status) => status.proposal.clone(),
            None => {
                let reason = format!("the lease of {} has expired", effect.key);
                let planned = self.planned_undo(&effect.id, &me, &reason).await?;
                let verdict = &planned.proposal.plan.verdict;
                if !verdict.may_be_sent() {
                    // It may only look so for a while: a person releases it, or the next look.
                    return Ok(Taken::Left(words(verdict)));
                }
                match self.record_proposal(planned).await? {
                    Standing::Waits(waits) => return Ok(Taken::Proposed(waits.proposal.id)),
                    standing => standing.into_proposal()?,
                }
            }
        };
        match self.execute(&proposal, &me, watch).await? {
            Standing::Waits(waits) => Ok(Taken::Proposed(waits.proposal.id)),
            standing => Ok(Taken::Sent(Box::new(standing.into_report()?))),
        }
    }
}

enum Taken {
    Sent(Box<Report>),
    Proposed(String),
    Left(String),
}
