//! Somebody who is known by another proof than a token, and what they may ask for.

use action_guard::Actor;
use operator_mcp::Ceiling;

/// Somebody who is known, and what they may ask for, below what the gate allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Known {
    /// `agent:NAME` or `user:NAME`.
    pub actor: Actor,
    /// The clusters that they may ask about, by name; none are all, which only a person has.
    pub clusters: Vec<String>,
    /// What they may ask for at most.
    pub up_to: Ceiling,
}
