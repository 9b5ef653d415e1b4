//! How many operators of a kind may run at a time, as a parameter.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// How many operators of a kind PD's schedulers run at a time: 0 to 2^53 − 1, and 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ScheduleLimit(u64);

/// PD reads numbers as 64-bit floats: larger ones become others.
const LARGEST: u64 = (1 << 53) - 1;

impl ScheduleLimit {
    /// So many; `None` when PD would read another number.
    #[must_use]
    pub fn new(limit: u64) -> Option<Self> {
        (limit <= LARGEST).then_some(Self(limit))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl JsonSchema for ScheduleLimit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ScheduleLimit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": LARGEST })
    }
}

impl<'de> Deserialize<'de> for ScheduleLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u64::deserialize(deserializer)?;
        Self::new(limit).ok_or_else(|| {
            let text = format_args!("{limit} is not a limit: 0 to {LARGEST}");
            serde::de::Error::custom(text)
        })
    }
}
