//! Lasting effects, and what was sent lately.

use action_core::{Quantity, Undo};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::proposal::Proposal;

/// A lasting effect that is ours: in force, or possibly so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActiveEffect {
    /// The proposal that brought it about.
    pub id: String,
    /// What it is called, such as `evict-leader/4`.
    pub key: String,
    /// The system it is in force on.
    pub system: String,
    /// The action.
    pub action: String,
    /// Who asked for it.
    pub actor: String,
    /// When it was meant to begin.
    pub since: Timestamp,
    /// Whether it is known to be in force.
    pub confirmed: bool,
    /// What takes it back.
    pub undo: Undo,
    /// The failure domains it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure_domains: Vec<String>,
    /// When it is to be taken back; `None` for when somebody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl ActiveEffect {
    /// The effect of a mutation that is about to be sent.
    pub(crate) fn begun(proposal: &Proposal, key: &str, at: Timestamp) -> Self {
        let lease = proposal.request.lease_ms.map(|lease| {
            let lease = i64::try_from(lease).unwrap_or(i64::MAX);
            at.saturating_add(SignedDuration::from_millis(lease))
                .unwrap_or(Timestamp::MAX)
        });
        Self {
            id: proposal.id.clone(),
            key: key.to_owned(),
            system: proposal.system.clone(),
            action: proposal.request.action.clone(),
            actor: proposal.request.actor.clone(),
            since: at,
            confirmed: false,
            undo: proposal.undo.clone(),
            failure_domains: proposal.plan.failure_domains.clone(),
            expires_at: lease,
        }
    }
}

/// One sending, as far as budgets want to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Activity {
    /// When its intent was written.
    pub at: Timestamp,
    /// The proposal.
    pub id: String,
    /// The action.
    pub action: String,
    /// Who asked for it.
    pub actor: String,
    /// The system.
    pub system: String,
    /// What would be moved or changed.
    pub impact: Vec<Quantity>,
    /// The failure domains it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure_domains: Vec<String>,
}
