//! How a proposal stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// The rules want people to agree.
    NeedsApproval,
    /// It may be carried out.
    Approved,
    /// Its intent is written; it is being sent or followed.
    Executing,
    /// It may have happened, or may still happen.
    Unknown,
    /// It happened.
    Applied,
    /// It did not happen, and no longer can.
    NotApplied,
    /// The rules said no.
    Denied,
    /// A person said no.
    Rejected,
    /// It was cancelled before anything was sent.
    Cancelled,
    /// It was not carried out in time.
    Expired,
}

impl Phase {
    /// Whether nothing comes after it.
    #[must_use]
    pub fn is_end(self) -> bool {
        !matches!(
            self,
            Self::NeedsApproval | Self::Approved | Self::Executing | Self::Unknown
        )
    }

    /// Whether it keeps others from changing the same things.
    #[must_use]
    pub fn is_in_flight(self) -> bool {
        matches!(self, Self::Executing | Self::Unknown)
    }

    /// Whether nothing was sent yet and something may be.
    #[must_use]
    pub fn is_unsent(self) -> bool {
        matches!(self, Self::NeedsApproval | Self::Approved)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeedsApproval => "waiting for approval",
            Self::Approved => "approved",
            Self::Executing => "executing",
            Self::Unknown => "outcome unknown",
            Self::Applied => "applied",
            Self::NotApplied => "not applied",
            Self::Denied => "denied",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        })
    }
}
