//! Where mutations are proposed and carried out: over the journal of this machine, or at a gate.

use std::sync::Arc;
use std::time::Duration;

use action_core::Verdict;
use action_guard::{
    Actor, Draft, Event, Guard, GuardError, Proposal, ProposalStatus, Refusal, Ruling, Standing,
    State,
};

use crate::settings::Global;
use crate::terminal::failure::Failure;

/// Between two looks whether people have agreed.
const LOOK: Duration = Duration::from_millis(200);

/// What is planned and not proposed.
pub(crate) trait Drafted {
    fn proposal(&self) -> &Proposal;
    fn ruling(&self) -> &Ruling;
}

impl Drafted for Draft {
    fn proposal(&self) -> &Proposal {
        Self::proposal(self)
    }

    fn ruling(&self) -> &Ruling {
        Self::ruling(self)
    }
}

/// Where mutations are proposed and carried out, for somebody.
pub(crate) trait Desk {
    type Draft: Drafted;

    async fn state(&self) -> Result<Arc<State>, Failure>;

    async fn status(&self, id: &str) -> Result<Arc<ProposalStatus>, Failure>;

    /// Whether it would be sent by its plan, as far as is known.
    async fn may_be_sent(&self, draft: &Self::Draft) -> Result<bool, Failure>;

    /// Proposes what was shown. `None` when something was done meanwhile by which that says nothing any
    /// more.
    async fn propose(&self, draft: &Self::Draft) -> Result<Option<Standing>, Failure>;

    /// The same, planned anew.
    async fn draft_again(&self, draft: Self::Draft) -> Result<Self::Draft, Failure>;

    async fn execute(
        &self,
        proposal: &Proposal,
        watch: &mut (dyn FnMut(Event) + Send),
    ) -> Result<Standing, Failure>;

    /// Calls it off, if that can be done. It is over with its plan in any case.
    async fn call_off(&self, id: &str, why: &str);

    /// Waits for somebody to decide, at most so long.
    async fn wait(&self, id: &str, at_most: Duration);

    /// Whether it was sent, or may have been; `intents` of it were seen.
    async fn is_sent(&self, id: &str, intents: usize) -> bool;

    /// What to do about something that is no longer followed.
    fn later(&self, id: &str, global: &Global) -> String;
}

/// The journal of this machine.
pub(crate) struct Here<'g> {
    guard: &'g Guard,
    actor: Actor,
}

impl<'g> Here<'g> {
    pub(crate) fn new(guard: &'g Guard, global: &Global) -> Result<Self, Failure> {
        let actor = global.state.actor()?;
        Ok(Self { guard, actor })
    }
}

impl Desk for Here<'_> {
    type Draft = Draft;

    async fn state(&self) -> Result<Arc<State>, Failure> {
        Ok(self.guard.state().await?)
    }

    async fn status(&self, id: &str) -> Result<Arc<ProposalStatus>, Failure> {
        Ok(self.guard.proposal_status(id).await?)
    }

    async fn may_be_sent(&self, draft: &Draft) -> Result<bool, Failure> {
        Ok(self.guard.may_be_sent(draft.proposal()).await?)
    }

    async fn propose(&self, draft: &Draft) -> Result<Option<Standing>, Failure> {
        match self.guard.propose_draft(draft.clone()).await {
            Err(GuardError::Refused(Refusal::PlanOutdated { .. })) => Ok(None),
            proposed => Ok(Some(proposed?)),
        }
    }

    async fn draft_again(&self, draft: Draft) -> Result<Draft, Failure> {
        Ok(self.guard.draft_again(draft).await?)
    }

    async fn execute(
        &self,
        proposal: &Proposal,
        watch: &mut (dyn FnMut(Event) + Send),
    ) -> Result<Standing, Failure> {
        Ok(self.guard.execute(proposal, &self.actor, watch).await?)
    }

    async fn call_off(&self, id: &str, why: &str) {
        let _ = self.guard.cancel(id, &self.actor, why).await;
    }

    async fn wait(&self, _: &str, at_most: Duration) {
        tokio::time::sleep(LOOK.min(at_most)).await;
    }

    async fn is_sent(&self, _: &str, intents: usize) -> bool {
        intents > 0
    }

    fn later(&self, _: &str, global: &Global) -> String {
        let command = global.own_command(&["recover"]);
        format!("run `{command}` to find the outcome")
    }
}

/// Whether nobody has to decide about it: a line says enough of its plan.
pub(crate) async fn goes_ahead<D: Desk>(desk: &D, draft: &D::Draft) -> Result<bool, Failure> {
    let proposal = draft.proposal();
    Ok(matches!(proposal.plan.verdict, Verdict::WouldProceed)
        && matches!(draft.ruling(), Ruling::Allow { .. })
        && desk.state().await?.observing(&proposal.system).is_none())
}
