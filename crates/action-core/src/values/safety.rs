//! Whether something may be done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether something is safe to do.
///
/// The result of an observation whose role is `safety` has this in a member called `answer`, so that
/// front ends, and scripts by the exit code, can decide by any subject's. There is no fourth answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Safety {
    /// It is.
    Safe,
    /// It is not.
    NotSafe,
    /// What was read does not decide it.
    NotKnown,
}

impl Safety {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::NotSafe => "not_safe",
            Self::NotKnown => "not_known",
        }
    }
}
