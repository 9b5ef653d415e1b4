//! How a mutation ended: applied, not applied or unknown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::evidence::{Attribution, Evidence};
use crate::values::settled::Settled;

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
    /// Whether it stayed so, when it happened and was looked at once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
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

    /// The same outcome, looked at once more.
    #[must_use]
    pub fn settled(mut self, settled: Settled) -> Self {
        self.settled = Some(settled);
        self
    }

    /// Whether it happened, and something has changed it since.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        self.settled.as_ref().is_some_and(Settled::is_reversed)
    }

    /// Whether it happened, and may have been another's doing.
    #[must_use]
    pub fn may_be_anothers(&self) -> bool {
        self.result == OutcomeKind::Applied && self.by != Some(Attribution::Ours)
    }

    fn new(result: OutcomeKind, code: Option<String>, summary: impl Into<String>) -> Self {
        Self {
            result,
            code,
            summary: summary.into(),
            by: None,
            settled: None,
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
