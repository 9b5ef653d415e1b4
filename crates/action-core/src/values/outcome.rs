//! How a mutation ended: applied, not applied or unknown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::evidence::{Attribution, Evidence};

/// How a mutation ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether it happened.
    pub result: OutcomeKind,
    /// A stable code for why not, or for why it cannot be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What happened, for people.
    pub summary: String,
    /// Whose doing it was, when it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Attribution>,
    /// Whether the same request may succeed when sent again.
    #[serde(default)]
    pub retryable: bool,
    /// What was read that shows it.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// What to do next, when something is left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Outcome {
    /// It happened, as the evidence shows.
    #[must_use]
    pub fn applied(by: Attribution, summary: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self {
            by: Some(by),
            evidence,
            ..Self::new(OutcomeKind::Applied, None, summary)
        }
    }

    /// It did not happen, and no longer can.
    #[must_use]
    pub fn not_applied(
        code: impl Into<String>,
        summary: impl Into<String>,
        retryable: bool,
        evidence: Vec<Evidence>,
    ) -> Self {
        Self {
            retryable,
            evidence,
            ..Self::new(OutcomeKind::NotApplied, Some(code.into()), summary)
        }
    }

    /// It is not known whether it happened.
    #[must_use]
    pub fn unknown(
        code: impl Into<String>,
        summary: impl Into<String>,
        next: impl Into<String>,
        evidence: Vec<Evidence>,
    ) -> Self {
        Self {
            next: Some(next.into()),
            evidence,
            ..Self::new(OutcomeKind::Unknown, Some(code.into()), summary)
        }
    }

    fn new(result: OutcomeKind, code: Option<String>, summary: impl Into<String>) -> Self {
        Self {
            result,
            code,
            summary: summary.into(),
            by: None,
            retryable: false,
            evidence: Vec::new(),
            next: None,
        }
    }
}

/// Whether a mutation happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutcomeKind {
    /// It happened.
    Applied,
    /// It did not happen, and no longer can.
    NotApplied,
    /// It is not known.
    Unknown,
}
