//! Who decides: see [`Rules`].

use std::fmt;

use action_core::{ActionDefinition, Plan};
use jiff::Timestamp;

use crate::proposal::Proposal;
use crate::record::Ruling;
use crate::refusal::Refusal;
use crate::state::{Life, State};

/// What may be carried out, and who must agree. A policy is one of these.
///
/// Asked within the transaction that writes the answer down, so that what it sees of the state
/// cannot change before that.
pub trait Rules: fmt::Debug + Send + Sync + 'static {
    /// What is to become of a new proposal.
    fn rule(
        &self,
        proposal: &Proposal,
        definition: &ActionDefinition,
        state: &State,
        now: Timestamp,
    ) -> Ruling;

    /// Whether an approved proposal may still be sent, now that it was planned anew: budgets,
    /// windows, and rules that have changed since.
    ///
    /// That the approvals are enough, unexpired and unused, that the mode and the kill switch allow
    /// it, and that nothing else changes the same things, is checked without this.
    ///
    /// # Errors
    /// Why not.
    fn allow_send(
        &self,
        life: &Life,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal>;
}

/// Allows everything that the mode and the kill switch allow; what an action itself declares to
/// need approval needs one person's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unrestricted;

impl Rules for Unrestricted {
    fn rule(&self, _: &Proposal, definition: &ActionDefinition, _: &State, _: Timestamp) -> Ruling {
        if definition.requires_approval {
            return Ruling::Approve {
                rule: "the action requires approval".to_owned(),
                by: Vec::new(),
                count: 1,
                ttl_ms: 900_000,
                signed: false,
            };
        }
        Ruling::Allow {
            rule: "no policy".to_owned(),
        }
    }

    fn allow_send(
        &self,
        _: &Life,
        _: &ActionDefinition,
        _: &Plan,
        _: &State,
        _: Timestamp,
    ) -> Result<(), Refusal> {
        Ok(())
    }
}
