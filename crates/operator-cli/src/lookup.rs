//! Which proposal is meant by a part of its id.

use std::sync::Arc;

use action_core::Undo;
use action_guard::{Phase, Proposal, ProposalStatus, State};
use jiff::Timestamp;

use crate::call::Call;
use crate::ids;
use crate::reports::{plan, proposal};
use crate::settings::Global;
use crate::terminal::failure::Failure;

/// The proposal that is meant: by its id, or by the beginning or the end of it.
pub(crate) fn find(state: &State, given: &str) -> Result<Arc<ProposalStatus>, Failure> {
    if let Some(status) = state.proposal_status(given) {
        return Ok(Arc::clone(status));
    }
    let all = state.open.values().chain(&state.ended);
    let found: Vec<_> = all
        .filter(|status| ids::fits(&status.proposal.id, given))
        .collect();
    match found.as_slice() {
        [status] => Ok(Arc::clone(status)),
        [] => Err(Failure::usage(format!(
            "there is no open proposal `{given}`, and none that ended lately"
        ))
        .next("`operator proposals list` shows them; `journal show --id ID` finds older ones")),
        [..] => Err(
            Failure::usage(format!("more than one proposal is meant by `{given}`"))
                .next("give more of its id"),
        ),
    }
}

/// The proposal that is meant, where only some can be; without an id it is said which.
pub(crate) fn choose(
    state: &State,
    given: Option<&str>,
    verb: &str,
    can_be: impl Fn(&ProposalStatus) -> bool,
) -> Result<Arc<ProposalStatus>, Failure> {
    if let Some(given) = given {
        return find(state, given);
    }
    let all = state.ended.iter().chain(state.open.values());
    let lines: Vec<String> = all
        .filter(|status| can_be(status))
        .map(|status| {
            let request = &status.proposal.request;
            let id = ids::short_of(&status.proposal.id, state);
            let what = plan::request(&request.action, &request.parameters);
            format!("{id}  {what}, asked by {}", proposal::asked_by(request))
        })
        .collect();
    let text = if lines.is_empty() {
        format!("there is no proposal to {verb}")
    } else {
        format!("which proposal? Give the id of one to {verb}:")
    };
    Err(Failure::usage(text).lines(lines))
}

/// Whether there is something that can be taken back.
pub(crate) fn can_be_undone(state: &State, status: &ProposalStatus) -> bool {
    status.phase == Phase::Applied
        && matches!(status.proposal.undo, Undo::Action { .. })
        && state.can_be_undone(&status.proposal)
}

/// What was applied last and can be taken back: what takes back is not, and what was is not.
pub(crate) fn last_to_undo(state: &State) -> Result<Arc<ProposalStatus>, Failure> {
    let undone: Vec<&str> = state
        .ended
        .iter()
        .filter(|status| status.phase == Phase::Applied)
        .filter_map(|status| status.proposal.undoes.as_deref())
        .collect();
    let mut latest = state.ended.iter().rev();
    let found = latest.find(|status| {
        let proposal = &status.proposal;
        can_be_undone(state, status)
            && proposal.undoes.is_none()
            && !undone.contains(&proposal.id.as_str())
    });
    found
        .cloned()
        .ok_or_else(|| Failure::usage("nothing was applied here that can be taken back"))
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
pub(crate) fn known_call(proposal: &Proposal, global: &Global) -> Result<Call, Failure> {
    let action = &proposal.request.action;
    Call::named(action, global)
        .ok_or_else(|| Failure::usage(format!("there is no action `{action}` here")))
}

/// Whether somebody waits for something to become of it.
pub(crate) fn is_open(status: &ProposalStatus, now: Timestamp) -> bool {
    !status.phase_at(now).is_end() || status.phase == Phase::Unknown
}
