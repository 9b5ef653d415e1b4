//! What TiDB calls tables, indexes and rows by, as parameters.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parameters::bounded::bounded;

/// The largest integer that JSON keeps everywhere.
const LARGEST: u64 = (1 << 53) - 1;

bounded! {
    /// The id of a table or an index in TiDB: 1 to 2^53 − 1.
    TidbId(u64): 1 to LARGEST, "an id of a table or an index"
}

/// The integer that TiDB keeps a row by: decimal text in JSON, because random ones are beyond what JSON
/// keeps everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    with = "String",
    inline,
    extend(
        "pattern" = "^-?[0-9]{1,19}$",
        "x-expected" = "a row's handle: decimal digits, -9223372036854775808 to 9223372036854775807"
    )
)]
pub struct RowHandle(i64);

impl RowHandle {
    /// The handle with this number.
    #[must_use]
    pub fn new(handle: i64) -> Self {
        Self(handle)
    }

    /// Its number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<String> for RowHandle {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |_| {
            format!(
                "`{text}` is not a row's handle: {} to {}",
                i64::MIN,
                i64::MAX
            )
        };
        text.parse().map(Self).map_err(wrong)
    }
}

impl From<RowHandle> for String {
    fn from(handle: RowHandle) -> Self {
        handle.to_string()
    }
}

impl fmt::Display for RowHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_handle_is_any_integer_that_tidb_has() {
        for text in ["0", "-1", "9223372036854775807", "-9223372036854775808"] {
            let handle: RowHandle = serde_json::from_value(json!(text)).unwrap();
            assert_eq!(serde_json::to_value(handle).unwrap(), json!(text));
        }
        for not in ["9223372036854775808", "", "x"] {
            let error = serde_json::from_value::<RowHandle>(json!(not)).unwrap_err();
            assert!(
                error.to_string().contains("is not a row's handle"),
                "{error}"
            );
        }
    }
}
