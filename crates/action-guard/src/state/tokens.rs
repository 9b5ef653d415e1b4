//! The tokens of agents.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::AgentToken;
use crate::state::Cancel;

/// A token, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenStatus {
    /// What was made.
    pub made: AgentToken,
    /// When.
    pub made_at: Timestamp,
    /// Who revoked it, if somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Cancel>,
}

impl TokenStatus {
    /// Why it does not count at a time, if so.
    #[must_use]
    pub fn over(&self, now: Timestamp) -> Option<&'static str> {
        if self.revoked.is_some() {
            return Some("it was revoked");
        }
        (self.made.grant.expires_at <= now).then_some("it has expired")
    }

    /// When it ended, if it has at a time.
    pub(crate) fn over_since(&self, now: Timestamp) -> Option<Timestamp> {
        let revoked = self.revoked.as_ref().map(|revoked| revoked.at);
        let expires = self.made.grant.expires_at;
        revoked.or_else(|| (expires <= now).then_some(expires))
    }
}
