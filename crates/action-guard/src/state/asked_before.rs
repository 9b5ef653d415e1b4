//! Whether somebody has asked for the same already.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::identity::Target;
use crate::proposal::{Phase, Refusal, Request};
use crate::state::{ProposalStatus, State};

impl State {
    /// The proposal of the same request of the same one: by its key, or within this time where it has
    /// none. Only those of the systems that are meant count.
    pub(crate) fn asked_before(
        &self,
        request: &Request,
        is_meant: impl Fn(&Target) -> bool,
        within: Duration,
        now: Timestamp,
    ) -> Result<Option<&str>, Refusal> {
        let key = request.idempotency_key.as_deref();
        if key.is_none() && within.is_zero() {
            return Ok(None);
        }
        let all = self.open.values().chain(&self.ended);
        let mut theirs = all.filter(|status| {
            let asked = &status.proposal.request;
            let is_keyed = key.is_none_or(|key| asked.idempotency_key.as_deref() == Some(key));
            // What somebody only claims to have asked for is not theirs who prove who they are.
            is_keyed
                && asked.proven_by.is_claimed() == request.proven_by.is_claimed()
                && asked.actor.eq_ignore_ascii_case(&request.actor)
                && is_meant(&status.proposal.target())
        });
        if key.is_some() {
            return match theirs.next() {
                Some(status) if status.proposal.request.is_same(request) => {
                    Ok(Some(&status.proposal.id))
                }
                Some(status) => Err(Refusal::KeyUsed {
                    id: status.proposal.id.clone(),
                }),
                None => Ok(None),
            };
        }
        let same = theirs.filter(|status| {
            status.proposal.request.is_same(request) && status.is_repeated_at(now, within)
        });
        let last = same.max_by_key(|status| status.proposed_at);
        Ok(last.map(|status| status.proposal.id.as_str()))
    }
}

impl ProposalStatus {
    /// Whether the same request counts as this one. What was not sent, and what was taken back, is asked
    /// for anew.
    fn is_repeated_at(self: &Arc<Self>, now: Timestamp, within: Duration) -> bool {
        let is_done = matches!(self.phase, Phase::Applied | Phase::Unknown);
        let is_open = !self.phase_at(now).is_end();
        let age = now.duration_since(self.proposed_at);
        age.unsigned_abs() < within && (is_open || is_done && self.taken_back.is_none())
    }
}
