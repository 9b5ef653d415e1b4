//! How many proposals may wait at a time: what nobody carries out costs everybody who proposes.

use jiff::Timestamp;

use crate::proposal::{Proposal, Refusal};
use crate::state::State;

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
    let (all, theirs) = state.open.count_waiting(takes_back, actor, now);
    let by = (theirs >= MOST_OF_ONE).then(|| actor.to_owned());
    let most = by.as_ref().map_or(MOST, |_| MOST_OF_ONE);
    if by.is_none() && all < MOST {
        return Ok(());
    }
    Err(Refusal::TooManyOpen { by, most })
}
