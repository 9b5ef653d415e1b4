//! What was read from the system, and whose doing a change was.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing that was read from the system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Evidence {
    /// Where it was read, such as `GET /pd/api/v1/region/id/12`.
    pub source: String,
    /// What it is about, such as `leader_store_id`.
    pub fact: String,
    /// What was read.
    #[schemars(extend("type" = ["string", "integer", "number", "boolean", "array", "object", "null"]))]
    pub value: Value,
}

impl Evidence {
    /// Something that was read.
    #[must_use]
    pub fn new(source: impl Into<String>, fact: &str, value: impl Into<Value>) -> Self {
        Self {
            source: source.into(),
            fact: fact.to_owned(),
            value: value.into(),
        }
    }
}

/// Whose doing it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Attribution {
    /// What we sent.
    Ours,
    /// Something else, with the same result.
    Another,
    /// Cannot be told.
    Undecided,
}
