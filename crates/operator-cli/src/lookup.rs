//! Which proposal is meant by a part of its id.

use std::sync::Arc;

use action_guard::{Phase, ProposalStatus, State};
use jiff::Timestamp;

use crate::call::Call;
use crate::settings::connection::Connection;
use crate::terminal::failure::Failure;

/// The fewest characters that stand for an id.
const SHORTEST: usize = 4;

/// The proposal that is meant: by its id, or by the beginning or the end of it.
pub(crate) fn find(state: &State, meant: &str) -> Result<Arc<ProposalStatus>, Failure> {
    if let Some(status) = state.proposal_status(meant) {
        return Ok(Arc::clone(status));
    }
    let all = state.open.values().chain(&state.ended);
    let fits = |status: &&Arc<ProposalStatus>| {
        let id = status.proposal.id.as_str();
        meant.len() >= SHORTEST && (id.starts_with(meant) || id.ends_with(meant))
    };
    let found: Vec<&Arc<ProposalStatus>> = all.filter(fits).collect();
    match found.as_slice() {
        [status] => Ok(Arc::clone(status)),
        [] => Err(Failure::usage(format!(
            "there is no open proposal `{meant}`, and none that ended lately"
        ))
        .next("`operator proposals list` shows them; `journal show --id ID` finds older ones")),
        [..] => Err(
            Failure::usage(format!("more than one proposal is meant by `{meant}`"))
                .next("give more of its id"),
        ),
    }
}

/// The id that is meant; what ended long ago must be named in full.
pub(crate) fn known(state: &State, meant: &str) -> Result<String, Failure> {
    if state.effects.contains_key(meant) {
        return Ok(meant.to_owned());
    }
    match find(state, meant) {
        Ok(status) => Ok(status.proposal.id.clone()),
        Err(_) if meant.len() == 36 => Ok(meant.to_owned()),
        Err(failure) => Err(failure),
    }
}

/// What a proposal is about, for the commands that it leads to.
pub(crate) fn call(status: &ProposalStatus, connection: &Connection) -> Option<Call> {
    Call::named(&status.proposal.request.action, connection)
}

/// The same, where nothing can be done without.
pub(crate) fn known_call(
    status: &ProposalStatus,
    connection: &Connection,
) -> Result<Call, Failure> {
    call(status, connection).ok_or_else(|| {
        let action = &status.proposal.request.action;
        Failure::usage(format!("there is no action `{action}` here"))
    })
}

/// Whether somebody waits for something to become of it.
pub(crate) fn is_open(status: &ProposalStatus, now: Timestamp) -> bool {
    !status.phase_at(now).is_end() || status.phase == Phase::Unknown
}
