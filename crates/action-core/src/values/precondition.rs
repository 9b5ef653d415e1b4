//! Facts a plan relies on, and which later values are as good.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A fact a plan relies on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Precondition {
    /// What it is about.
    pub name: String,
    /// How it was.
    pub value: Value,
    /// Which later values are as good.
    pub comparison: Comparison,
}

impl Precondition {
    /// A fact that must hold later, in the sense of the comparison.
    #[must_use]
    pub fn new(name: &str, value: impl Into<Value>, comparison: Comparison) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into(),
            comparison,
        }
    }

    /// Whether a later value is as good.
    #[must_use]
    pub fn holds(&self, now: &Value) -> bool {
        let numbers = || Some((self.value.as_f64()?, now.as_f64()?));
        match self.comparison {
            Comparison::Same => self.value == *now,
            Comparison::AtLeast => numbers().is_some_and(|(then, now)| now >= then),
            Comparison::AtMost => numbers().is_some_and(|(then, now)| now <= then),
        }
    }
}

/// Which later values are as good as the one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Comparison {
    /// The same one only.
    Same,
    /// Numbers as large or larger.
    AtLeast,
    /// Numbers as small or smaller.
    AtMost,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Comparison, Precondition};

    #[test]
    fn preconditions_compare_as_declared() {
        let holds = |comparison, then: Value, now: Value| {
            Precondition::new("fact", then, comparison).holds(&now)
        };
        assert!(holds(Comparison::Same, json!("Up"), json!("Up")));
        assert!(!holds(Comparison::Same, json!(4), json!("4")));
        assert!(holds(Comparison::AtLeast, json!(3), json!(5)));
        assert!(!holds(Comparison::AtLeast, json!(3), json!(2)));
        assert!(holds(Comparison::AtMost, json!(3), json!(3)));
        assert!(!holds(Comparison::AtMost, json!(3), json!("2")));
    }
}
