//! What a probe tells of a mutation that was sent: applied, not applied or pending.

use serde::{Deserialize, Serialize};

use crate::values::attempt::Sent;
use crate::values::evidence::{Attribution, Evidence};
use crate::values::verdict::Cause;

/// How a mutation that was sent is getting on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Progress {
    /// It has happened, as the evidence shows.
    Applied {
        /// Whose doing it was, as far as can be told.
        by: Attribution,
        /// What happened, for people.
        summary: String,
        /// What was read that shows it.
        evidence: Vec<Evidence>,
    },
    /// It has not happened, and no longer can.
    NotApplied {
        /// Why.
        cause: Cause,
        /// Whether the same request may succeed when sent again.
        retryable: bool,
        /// What was read that shows it.
        evidence: Vec<Evidence>,
    },
    /// It can no longer happen, and what would show whether it has is gone for good.
    NotKnown {
        /// What is seen instead, for people.
        summary: String,
        /// Why it cannot be told, and what else would decide it.
        cause: Cause,
        /// What was read.
        evidence: Vec<Evidence>,
    },
    /// It is happening, or still may.
    Pending {
        /// Where it is, for people.
        summary: String,
        /// How much is done of how much.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        done: Option<Done>,
        /// Why it is not getting on, if it is not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stalled: Vec<Cause>,
        /// What was read that shows it.
        evidence: Vec<Evidence>,
    },
}

impl Progress {
    /// It has happened, as the evidence shows.
    #[must_use]
    pub fn applied(by: Attribution, summary: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self::Applied {
            by,
            summary: summary.into(),
            evidence,
        }
    }

    /// It has not happened, and no longer can.
    #[must_use]
    pub fn not_applied(
        code: &str,
        text: impl Into<String>,
        retryable: bool,
        evidence: Vec<Evidence>,
    ) -> Self {
        Self::NotApplied {
            cause: Cause::new(code, text),
            retryable,
            evidence,
        }
    }

    /// It can no longer happen, and what would show whether it has is gone for good.
    #[must_use]
    pub fn not_known(summary: impl Into<String>, cause: Cause, evidence: Vec<Evidence>) -> Self {
        Self::NotKnown {
            summary: summary.into(),
            cause,
            evidence,
        }
    }

    /// It is happening, or still may.
    #[must_use]
    pub fn pending(summary: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self::Pending {
            summary: summary.into(),
            done: None,
            stalled: Vec::new(),
            evidence,
        }
    }

    /// What was read.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        match self {
            Self::Applied { evidence, .. }
            | Self::NotApplied { evidence, .. }
            | Self::NotKnown { evidence, .. }
            | Self::Pending { evidence, .. } => evidence,
        }
    }
}

impl Sent {
    /// What a probe says of a change that the system shows at once: applied where it shows; and where it
    /// does not, pending until it can no longer be on its way, and then not applied, with this code.
    #[must_use]
    pub fn shown(
        &self,
        is_so: bool,
        settle_ms: u64,
        code: &str,
        text: impl Into<String>,
        evidence: Vec<Evidence>,
    ) -> Progress {
        match is_so {
            true => Progress::applied(self.attribution(), text, evidence),
            false if self.elapsed_ms < settle_ms => Progress::pending(text, evidence),
            false => Progress::not_applied(code, text, true, evidence),
        }
    }
}

/// So much is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Done {
    /// So many.
    pub done: u64,
    /// Of so many, as far as is known.
    pub total: u64,
    /// Of what.
    pub unit: String,
}

impl Done {
    /// So many of so many.
    #[must_use]
    pub fn new(done: u64, total: u64, unit: &str) -> Self {
        Self {
            done,
            total,
            unit: unit.to_owned(),
        }
    }
}
