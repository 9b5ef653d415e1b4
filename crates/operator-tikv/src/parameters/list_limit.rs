//! How many items an observation gives at most.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// How many items to give at most: 1 to `MOST`, and `DEFAULT` unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Limit<const DEFAULT: u16, const MOST: u16>(u16);

impl<const DEFAULT: u16, const MOST: u16> Limit<DEFAULT, MOST> {
    /// So many; `None` when that is none or too many.
    #[must_use]
    pub fn new(limit: u16) -> Option<Self> {
        (1..=MOST).contains(&limit).then_some(Self(limit))
    }

    /// Cuts a list, and says whether anything was cut off.
    pub(crate) fn cut<T>(self, items: &mut Vec<T>) -> bool {
        let is_longer = items.len() > self.get();
        items.truncate(self.get());
        is_longer
    }

    pub(crate) fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl<const DEFAULT: u16, const MOST: u16> Default for Limit<DEFAULT, MOST> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<const DEFAULT: u16, const MOST: u16> JsonSchema for Limit<DEFAULT, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Limit{DEFAULT}Of{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": MOST })
    }
}

impl<'de, const DEFAULT: u16, const MOST: u16> Deserialize<'de> for Limit<DEFAULT, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u16::deserialize(deserializer)?;
        Self::new(limit).ok_or_else(|| {
            serde::de::Error::custom(format_args!("{limit} is not a limit: 1 to {MOST}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_within_its_bounds_and_says_what_it_cut() {
        let limit: Limit<2, 4> = Limit::default();
        let mut items = vec![1, 2, 3];
        assert!(limit.cut(&mut items));
        assert_eq!(items, [1, 2]);
        assert!(!limit.cut(&mut items));
        for (given, right) in [("0", false), ("1", true), ("4", true), ("5", false)] {
            assert_eq!(
                serde_json::from_str::<Limit<2, 4>>(given).is_ok(),
                right,
                "{given}"
            );
        }
    }
}
