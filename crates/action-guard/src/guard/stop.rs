//! What a stop of everything meets: what it stopped, and what it could not.

use std::sync::Arc;

use crate::identity::Target;
use crate::journal::{CommitError, Sender};
use crate::proposal::Answer;
use crate::state::{ActiveEffect, ProposalStatus, State};

/// What a stop of everything has stopped, and what it could not.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Stop {
    /// Why the stop is not in the journal: sends are stopped all the same.
    pub unrecorded: Option<CommitError>,
    /// Proposals that were waiting and are cancelled.
    pub cancelled: Vec<Arc<ProposalStatus>>,
    /// What was sent before, or may have been, and is not known to have ended, as far as the journal
    /// says after the wait for those who send. What has an answer goes on; of what has
    /// [none](Self::may_have_been_sent) it is not known whether it was sent.
    pub in_motion: Vec<Arc<ProposalStatus>>,
    /// Those who had been permitted to send before and have not handed over their request, after
    /// the time that a stop waits for them: sends are not stopped before they end.
    pub still_sending: Vec<Sender>,
    /// Lasting effects of ours that stay in force until they are taken back.
    pub in_force: Vec<Arc<ActiveEffect>>,
}

impl Stop {
    /// What a stop of one system, or of all, meets in this state.
    pub(super) fn of(state: &State, target: Option<&Target>) -> Self {
        let is_its = |system: &str| target.is_none_or(|target| target.system == system);
        let of_it = |status: &&Arc<ProposalStatus>| is_its(&status.proposal.system);
        let pending = state.open.values();
        let pending = pending.filter(|status| status.phase.is_unsent() && of_it(status));
        let effects = state.effects.values();
        let effects = effects.filter(|effect| is_its(&effect.system));
        Self {
            unrecorded: None,
            cancelled: pending.cloned().collect(),
            in_motion: state.unsettled().filter(of_it).cloned().collect(),
            still_sending: Vec::new(),
            in_force: effects.cloned().collect(),
        }
    }

    /// The same, with what goes on and what is in force as it is now.
    pub(super) fn brought_up_to(self, state: &State, target: Option<&Target>) -> Self {
        let now = Self::of(state, target);
        Self {
            in_motion: now.in_motion,
            in_force: now.in_force,
            ..self
        }
    }

    /// Of what goes on, that of which it is not known that it was sent: the journal has no answer to it.
    pub fn may_have_been_sent(&self) -> impl Iterator<Item = &Arc<ProposalStatus>> {
        let in_motion = self.in_motion.iter();
        in_motion.filter(|status| !matches!(status.answer, Some(Answer::Accepted { .. })))
    }
}
