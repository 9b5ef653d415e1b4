//! How many proposals may wait at a time: what nobody carries out costs everybody who proposes.

use jiff::Timestamp;

use crate::proposal::{Proposal, Refusal};
use crate::state::{ProposalStatus, State};

/// Of one who asks.
pub(crate) const MOST_OF_ONE: usize = 200;

/// Of all together.
pub(crate) const MOST: usize = 1_000;

/// Refuses a proposal beside so many that wait already. What expired does not count, and is dropped
/// with the next proposal. What takes something back is counted by itself, so that nothing that
/// waits keeps anybody from it.
pub(super) fn may_wait(proposal: &Proposal, state: &State, now: Timestamp) -> Result<(), Refusal> {
    let takes_back = proposal.undoes.is_some();
    let actor = proposal.request.actor.as_str();
    let waits = |status: &&ProposalStatus| {
        status.phase_at(now).is_unsent() && status.proposal.undoes.is_some() == takes_back
    };
    let (mut all, mut theirs) = (0, 0);
    for status in state.open.values().map(|status| &**status).filter(waits) {
        all += 1;
        theirs += usize::from(status.proposal.request.actor.eq_ignore_ascii_case(actor));
    }
    let by = (theirs >= MOST_OF_ONE).then(|| actor.to_owned());
    let most = by.as_ref().map_or(MOST, |_| MOST_OF_ONE);
    if by.is_none() && all < MOST {
        return Ok(());
    }
    Err(Refusal::TooManyOpen { by, most })
}
