//! The refusals that several records share, and how a cancellation is kept.

use jiff::Timestamp;

use crate::identity::Actor;
use crate::proposal::{Proposal, Refusal};
use crate::state::{Cancel, Flow, Killed};

pub(super) fn cancel(by: &Actor, reason: &str, at: Timestamp) -> Cancel {
    Cancel {
        by: by.clone(),
        reason: reason.to_owned(),
        at,
    }
}

pub(super) fn person(by: &Actor, wanted: &'static str) -> Result<(), Refusal> {
    if by.is_user() {
        return Ok(());
    }
    Err(Refusal::NotAPerson {
        by: by.to_string(),
        wanted,
    })
}

pub(super) fn stopped(killed: &Killed) -> Refusal {
    let target = killed.target.as_ref();
    Refusal::Killed {
        cluster: target.map(|target| target.called().to_owned()),
        by: killed.by.to_string(),
        reason: killed.reason.clone(),
    }
}

pub(super) fn not_requester(proposal: &Proposal, by: &Actor) -> Refusal {
    Refusal::NotRequester {
        id: proposal.id.clone(),
        requester: proposal.request.actor.clone(),
        by: by.clone(),
    }
}

pub(super) fn expired(id: &str, what: &'static str) -> Refusal {
    Refusal::Expired {
        id: id.to_owned(),
        what,
    }
}

pub(super) fn invalid_record(what: impl Into<String>) -> Refusal {
    Refusal::InvalidRecord { what: what.into() }
}

pub(super) fn refused(flow: &Flow, why: String) -> Refusal {
    Refusal::Flow {
        id: flow.id.clone(),
        why,
    }
}

pub(super) fn unknown_flow(id: &str) -> Refusal {
    Refusal::UnknownFlow { id: id.to_owned() }
}
