//! Which proposal is meant: by a part of its id, or because it was the last.

use std::cmp::Reverse;
use std::sync::Arc;

use action_core::{Outcome, Undo};
use action_guard::{Journal, Phase, Proposal, ProposalStatus, State, Target};
use jiff::Timestamp;

use crate::call::Call;
use crate::reports::plan;
use crate::settings::Global;
use crate::settings::connection::Connection;
use crate::terminal::failure::Failure;

pub(crate) use known::Known;

mod known;

/// What somebody asked for, in one line.
fn what(status: &ProposalStatus) -> String {
    let request = &status.proposal.request;
    plan::request(&request.action, &request.parameters)
}

/// Whether there is something, or may be, that can be taken back.
pub(crate) fn can_be_undone(state: &State, status: &ProposalStatus) -> bool {
    let is_there = match status.phase {
        Phase::Applied => state.can_be_undone(&status.proposal),
        phase => phase.is_in_flight() && !state.is_being_taken_back(status),
    };
    is_there && matches!(status.proposal.undo, Undo::Action { .. })
}

/// What was sent last, and happened or may have, and can be taken back: what was or is being taken
/// back is not, nor what takes back, unless that has put something in force or done it anew.
pub(crate) fn last_to_undo(
    state: &State,
    connection: &Connection,
) -> Result<Arc<ProposalStatus>, Failure> {
    let mut newest = newest_to_undo(state).into_iter();
    let last = newest.find(|status| connection.may_be_to(&status.proposal.target()));
    last.ok_or_else(|| {
        Failure::usage("nothing to take back: nothing sent from this state directory is in force, or it cannot be taken back")
    })
}

/// All of it, the newest first.
pub(crate) fn newest_to_undo(state: &State) -> Vec<Arc<ProposalStatus>> {
    let all = || state.ended.iter().chain(state.open.values());
    let undone: Vec<&str> = all()
        .filter(|status| status.phase == Phase::Applied || status.phase.is_in_flight())
        .filter_map(|status| status.proposal.undoes.as_deref())
        .collect();
    // What takes back an undo has done the first anew.
    let does_anew = |proposal: &Proposal| {
        let first = proposal.undoes.as_deref();
        let first = first.and_then(|first| state.proposal_status(first));
        first.is_some_and(|first| first.proposal.undoes.is_some())
    };
    let found = all().filter(|status| {
        let proposal = &status.proposal;
        let is_in_force = state.effects.contains_key(&proposal.id);
        can_be_undone(state, status)
            && (proposal.undoes.is_none() || is_in_force || does_anew(proposal))
            && !undone.contains(&proposal.id.as_str())
    });
    let mut found: Vec<_> = found.cloned().collect();
    found.sort_by_key(|status| Reverse((sent_at(status), status.proposal.id.clone())));
    found
}

/// What was sent after this one, happened or may have, and nothing takes back.
pub(crate) fn lasting_after(state: &State, status: &ProposalStatus) -> Vec<Arc<ProposalStatus>> {
    let all = state.ended.iter().chain(state.open.values());
    let lasting = all.filter(|later| {
        (later.phase == Phase::Applied || later.phase.is_in_flight())
            && !matches!(later.proposal.undo, Undo::Action { .. })
            && later.proposal.undoes.is_none()
            && sent_at(later) > sent_at(status)
    });
    lasting.cloned().collect()
}

fn sent_at(status: &ProposalStatus) -> Option<u64> {
    let intent = status.intent.as_ref();
    intent.map(|intent| intent.attempt.sent_at_unix_ms)
}

/// That something sent later stays as it is.
pub(crate) fn stays(status: &ProposalStatus, id: &str) -> String {
    let what = what(status);
    format!("proposal {id} ({what}) was sent later and stays in force: it cannot be taken back")
}

/// What is taken back, and whether it is known that there is something.
pub(crate) fn taken_back(status: &ProposalStatus, id: &str) -> String {
    let outcome = status.outcome.as_ref();
    let how = match status.phase {
        Phase::Applied if outcome.is_some_and(Outcome::may_be_anothers) => {
            "it is in force, but it may be the change of somebody else"
        }
        Phase::Applied => "it was applied",
        Phase::Executing => "it is in progress and may be in force",
        _ => "its outcome is unknown and it may be in force",
    };
    format!("taking back proposal {id} ({}): {how}", what(status))
}

/// Which system a proposal is for, by its id.
pub(crate) async fn target_of(
    journal: &dyn Journal,
    state: &State,
    id: &str,
) -> Result<Option<Target>, Failure> {
    if let Some(status) = state.proposal_status(id) {
        return Ok(Some(status.proposal.target()));
    }
    if let Some(effect) = state.effects.get(id) {
        return Ok(Some(effect.target()));
    }
    // It ended long ago.
    let entries = journal.entries_of(id).await?;
    Ok(entries.into_iter().find_map(|entry| entry.target))
}

/// Systems, each once.
pub(crate) fn systems(targets: impl IntoIterator<Item = Target>) -> Vec<Target> {
    let mut systems: Vec<Target> = Vec::new();
    for target in targets {
        if !systems.iter().any(|known| known.is_same_system(&target)) {
            systems.push(target);
        }
    }
    systems
}

/// What a proposal is about, for the commands that it leads to.
pub(crate) fn known_call(proposal: &Proposal, global: &Global) -> Result<Call, Failure> {
    let action = &proposal.request.action;
    Call::of(proposal, global).ok_or_else(|| Failure::usage(format!("unknown action `{action}`")))
}

/// Whether somebody waits for something to become of it.
pub(crate) fn is_open(status: &ProposalStatus, now: Timestamp) -> bool {
    !status.phase_at(now).is_end() || status.phase == Phase::Unknown
}
