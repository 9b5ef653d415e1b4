//! Whether what was applied stayed so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::evidence::Evidence;
use crate::values::verdict::Cause;

/// Whether what was applied is still so: a settling time later, or whenever what is in force is
/// compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Settled {
    /// Whether it is.
    pub state: SettledState,
    /// What changed it, by name where that can be read, or why it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What was read that shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// Whether what was applied is still so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SettledState {
    /// It is as it was when it was applied.
    Held,
    /// Something has changed it since.
    Reversed,
    /// It could not be read.
    NotKnown,
}

impl Settled {
    /// It is as it was when it was applied.
    #[must_use]
    pub fn held(evidence: Vec<Evidence>) -> Self {
        Self {
            state: SettledState::Held,
            cause: None,
            evidence,
        }
    }

    /// Something has changed it since: a stable code and words that name it.
    #[must_use]
    pub fn reversed(code: &str, text: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self {
            state: SettledState::Reversed,
            cause: Some(Cause::new(code, text)),
            evidence,
        }
    }

    /// It could not be read, and why.
    #[must_use]
    pub fn not_known(code: &str, text: impl Into<String>) -> Self {
        Self {
            state: SettledState::NotKnown,
            cause: Some(Cause::new(code, text)),
            evidence: Vec::new(),
        }
    }

    /// Whether something has changed it.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        self.state == SettledState::Reversed
    }
}
