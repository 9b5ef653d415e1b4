//! Conditions on the result of an observation: what is waited for.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// Something that must be so in the result of an observation.
///
/// It is exactly one of `equals`, `at_least` and `at_most`. Text of digits, as ids are written, is
/// a number too, and a list counts as its length for the latter two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Condition {
    /// Where in the result, as a JSON pointer such as `/store/leader_count`.
    pub at: String,
    /// It is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) equals: Option<Value>,
    /// It is this number or a larger one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_least: Option<Number>,
    /// It is this number or a smaller one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_most: Option<Number>,
}

/// A condition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmet {
    /// Where in the result.
    pub at: String,
    /// What must be there, in words.
    pub wanted: String,
    /// What is there, as JSON, shortened.
    pub found: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}, not {}", self.at, self.found, self.wanted)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.at, self.wanted())
    }
}

impl Condition {
    /// It is this.
    #[must_use]
    pub fn equals(at: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            at: at.into(),
            equals: Some(value.into()),
            ..Self::default()
        }
    }

    /// It is this number or a larger one.
    #[must_use]
    pub fn at_least(at: impl Into<String>, number: impl Into<Number>) -> Self {
        Self {
            at: at.into(),
            at_least: Some(number.into()),
            ..Self::default()
        }
    }

    /// It is this number or a smaller one.
    #[must_use]
    pub fn at_most(at: impl Into<String>, number: impl Into<Number>) -> Self {
        Self {
            at: at.into(),
            at_most: Some(number.into()),
            ..Self::default()
        }
    }

    /// Whether it holds in a result.
    ///
    /// # Errors
    /// What is there instead.
    pub fn check(&self, result: &Value) -> Result<(), Unmet> {
        let found = result.pointer(&self.at);
        let holds = found.is_some_and(|found| self.holds(found));
        if holds {
            return Ok(());
        }
        Err(Unmet {
            at: self.at.clone(),
            wanted: self.wanted(),
            found: found.map_or_else(|| "nothing".to_owned(), shortened),
        })
    }

    fn holds(&self, found: &Value) -> bool {
        let compares = |bound: &Option<Number>, in_order: fn(Amount, Amount) -> bool| {
            bound.as_ref().is_none_or(|bound| {
                let (bound, found) = (Amount::of(bound), Amount::found(found));
                found
                    .zip(bound)
                    .is_some_and(|(found, bound)| in_order(found, bound))
            })
        };
        let is_some = self.equals.is_some() || self.at_least.is_some() || self.at_most.is_some();
        is_some
            && self.equals.as_ref().is_none_or(|value| same(value, found))
            && compares(&self.at_least, |found, bound| found.is_at_least(bound))
            && compares(&self.at_most, |found, bound| bound.is_at_least(found))
    }

    fn wanted(&self) -> String {
        match (&self.equals, &self.at_least, &self.at_most) {
            (Some(value), ..) => shortened(value),
            (_, Some(bound), _) => format!("at least {bound}"),
            (_, _, Some(bound)) => format!("at most {bound}"),
            _ => "anything".to_owned(),
        }
    }
}

/// A number, exact where it is whole.
#[derive(Debug, Clone, Copy)]
enum Amount {
    Whole(i128),
    Broken(f64),
}

impl Amount {
    fn of(number: &Number) -> Option<Self> {
        let whole = number.as_u64().map(i128::from);
        let whole = whole.or_else(|| number.as_i64().map(i128::from));
        whole
            .map(Self::Whole)
            .or_else(|| number.as_f64().map(Self::Broken))
    }

    fn found(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Self::of(number),
            Value::String(text) => text.parse().ok().map(Self::Whole),
            Value::Array(items) => i128::try_from(items.len()).ok().map(Self::Whole),
            _ => None,
        }
    }

    fn is_at_least(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(this), Self::Whole(other)) => this >= other,
            (this, other) => this.lossy() >= other.lossy(),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "beside a broken number the last digits of a large one do not matter"
    )]
    fn lossy(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Broken(broken) => broken,
        }
    }
}

/// The same value, an id written as text or as a number being the same.
fn same(wanted: &Value, found: &Value) -> bool {
    let digits = |text: &str, number: &Number| text == number.to_string();
    match (wanted, found) {
        (Value::String(text), Value::Number(number))
        | (Value::Number(number), Value::String(text)) => digits(text, number),
        (wanted, found) => wanted == found,
    }
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(condition: &Condition, holds: bool) {
        let result = json!({"n": 5, "id": "9007199254740993", "list": [1, 2], "s": "Up", "f": 0.5, "none": null});
        assert_eq!(condition.check(&result).is_ok(), holds, "{condition:?}");
    }

    #[test]
    fn numbers_texts_and_lists_are_compared() {
        check(&Condition::equals("/n", 5), true);
        check(&Condition::equals("/n", "5"), true);
        check(&Condition::equals("/s", "Up"), true);
        check(&Condition::equals("/s", "up"), false);
        check(&Condition::equals("/none", Value::Null), true);
        check(&Condition::at_least("/n", 5), true);
        check(&Condition::at_least("/n", 6), false);
        check(&Condition::at_most("/n", 4), false);
        check(&Condition::at_most("/f", 1), true);
        check(&Condition::at_least("/list", 2), true);
        check(&Condition::at_most("/list", 1), false);
        check(&Condition::at_least("/id", 9_007_199_254_740_993_u64), true);
        check(
            &Condition::at_least("/id", 9_007_199_254_740_994_u64),
            false,
        );
    }

    #[test]
    fn what_is_not_there_or_no_number_does_not_hold() {
        check(&Condition::equals("/gone", Value::Null), false);
        check(&Condition::at_most("/gone", 1), false);
        check(&Condition::at_least("/s", 0), false);
        check(&Condition::at_most("/none", 0), false);
        check(&Condition::default(), false);
    }

    #[test]
    fn what_is_unmet_says_what_is_there() {
        let unmet = Condition::at_least("/n", 8).check(&json!({"n": 5}));
        assert_eq!(unmet.unwrap_err().to_string(), "`/n` is 5, not at least 8");
        let unmet = Condition::equals("/n", true).check(&json!({}));
        assert_eq!(unmet.unwrap_err().to_string(), "`/n` is nothing, not true");
    }
}
