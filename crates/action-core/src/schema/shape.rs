//! What a parameter may look like.
//!
//! The vocabulary is closed on purpose: all of it can be checked with every mistake reported at
//! once, said in words, and expressed in every schema dialect that model providers accept.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value};

use crate::schema::pattern::Pattern;

/// One parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ParamDef {
    /// What it is called.
    pub name: String,
    /// What it means, its unit, bounds and default included.
    #[serde(default)]
    pub description: String,
    /// Whether a request must give it.
    #[serde(default)]
    pub required: bool,
    /// What is used when a request does not give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What its value may look like.
    #[serde(flatten)]
    pub shape: Shape,
}

/// What a value may look like.
///
/// A member that says nothing about values of its [`kind`](Self::kind) is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Shape {
    /// The type of the value.
    #[serde(rename = "type")]
    pub kind: ValueType,
    /// The smallest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Number>,
    /// The largest number allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Number>,
    /// The fewest characters allowed.
    #[serde(
        default,
        deserialize_with = "count",
        skip_serializing_if = "Option::is_none"
    )]
    pub min_length: Option<u64>,
    /// The most characters allowed.
    #[serde(
        default,
        deserialize_with = "count",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_length: Option<u64>,
    /// A regular expression that the text matches somewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// What is right, in words, where bounds or a pattern say it badly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The only texts allowed; empty when any is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What the items of an array look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Shape>>,
    /// The fewest items allowed.
    #[serde(
        default,
        deserialize_with = "count",
        skip_serializing_if = "Option::is_none"
    )]
    pub min_items: Option<u64>,
    /// The most items allowed.
    #[serde(
        default,
        deserialize_with = "count",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_items: Option<u64>,
    /// The members of an object; it has no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<ParamDef>,
    /// What a number counts, such as `seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Another type in which the same value is taken: decimal text for an integer, or an integer
    /// for text. Schemas do not say so; they name the one usual form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also_accepts: Option<ValueType>,
    /// Whether its value is written down nowhere, as its declaration says by `writeOnly`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValueType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// An object with declared members.
    Object,
}

impl ValueType {
    /// Its name in JSON Schema, such as `integer`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

impl Shape {
    /// Any value of a type.
    #[must_use]
    pub fn new(kind: ValueType) -> Self {
        Self {
            kind,
            minimum: None,
            maximum: None,
            min_length: None,
            max_length: None,
            pattern: None,
            expected: None,
            choices: Vec::new(),
            items: None,
            min_items: None,
            max_items: None,
            properties: Vec::new(),
            unit: None,
            also_accepts: None,
            secret: false,
        }
    }

    /// What is right, in words: `an integer from 1 to 9007199254740991`.
    pub(crate) fn in_words(&self) -> String {
        if let Some(expected) = &self.expected {
            return expected.clone();
        }
        let mut words = match self.kind {
            ValueType::Boolean => "true or false".to_owned(),
            ValueType::Integer => format!("an integer{}", self.range("")),
            ValueType::Number => format!("a number{}", self.range("")),
            ValueType::Object => object_in_words(&self.properties),
            ValueType::Array => format!("a list{}", self.item_count(" of ")),
            ValueType::String if !self.choices.is_empty() => {
                format!("one of {}", in_backticks(&self.choices))
            }
            ValueType::String => format!("text{}", self.length(" of ")),
        };
        // Writing to a `String` cannot fail.
        if let Some(pattern) = &self.pattern {
            let _ = write!(words, " that matches `{pattern}`");
        }
        if let Some(unit) = &self.unit {
            let _ = write!(words, ", in {unit}");
        }
        words
    }

    /// `from 1 to 5`, after a space and a prefix; nothing when there are no bounds.
    pub(crate) fn range(&self, prefix: &str) -> String {
        match (&self.minimum, &self.maximum) {
            (Some(minimum), Some(maximum)) if minimum == maximum => {
                format!("{prefix} equal to {minimum}")
            }
            (Some(minimum), Some(maximum)) => format!("{prefix} from {minimum} to {maximum}"),
            (Some(minimum), None) => format!("{prefix} of at least {minimum}"),
            (None, Some(maximum)) => format!("{prefix} of at most {maximum}"),
            (None, None) => String::new(),
        }
    }

    /// `1 to 64 characters`, after a prefix; nothing when any length is right.
    pub(crate) fn length(&self, prefix: &str) -> String {
        counted(prefix, self.min_length, self.max_length, "character")
    }

    /// `1 to 5 items`, after a prefix; nothing when any number is right.
    pub(crate) fn item_count(&self, prefix: &str) -> String {
        counted(prefix, self.min_items, self.max_items, "item")
    }
}

/// Names as they are listed in a message: `` `a`, `b` ``.
pub(crate) fn in_backticks<T: AsRef<str>>(names: &[T]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    quoted.join(", ")
}

fn object_in_words(properties: &[ParamDef]) -> String {
    let names: Vec<&str> = properties
        .iter()
        .map(|property| property.name.as_str())
        .collect();
    if names.is_empty() {
        "an empty object".to_owned()
    } else {
        format!("an object of {}", in_backticks(&names))
    }
}

fn counted(prefix: &str, fewest: Option<u64>, most: Option<u64>, what: &str) -> String {
    let plural = |count| if count == 1 { "" } else { "s" };
    match (fewest.filter(|fewest| *fewest > 0), most) {
        (Some(fewest), Some(most)) if fewest == most => {
            format!("{prefix}exactly {most} {what}{}", plural(most))
        }
        (Some(fewest), Some(most)) => format!("{prefix}{fewest} to {most} {what}s"),
        (Some(fewest), None) => format!("{prefix}at least {fewest} {what}{}", plural(fewest)),
        (None, Some(most)) => format!("{prefix}at most {most} {what}{}", plural(most)),
        (None, None) => String::new(),
    }
}

/// Reads a count by way of [`Number`]: below a flattened member, serde hands over numbers in a
/// form that only `Number` understands when `serde_json` keeps arbitrary precision.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    match number.as_u64() {
        Some(count) => Ok(Some(count)),
        None => Err(serde::de::Error::custom(format_args!(
            "expected a count, got {number}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(shape: Value, words: &str) {
        let shape: Shape = serde_json::from_value(shape).unwrap();
        assert_eq!(shape.in_words(), words);
    }

    #[test]
    fn a_shape_says_what_is_right() {
        check(json!({"type": "integer"}), "an integer");
        check(
            json!({"type": "integer", "minimum": 1, "maximum": 9}),
            "an integer from 1 to 9",
        );
        check(
            json!({"type": "integer", "minimum": 1}),
            "an integer of at least 1",
        );
        check(
            json!({"type": "number", "maximum": 0.5, "unit": "seconds"}),
            "a number of at most 0.5, in seconds",
        );
        check(json!({"type": "boolean"}), "true or false");
        check(
            json!({"type": "string", "choices": ["a", "b"]}),
            "one of `a`, `b`",
        );
        check(
            json!({"type": "string", "min_length": 1, "max_length": 1}),
            "text of exactly 1 character",
        );
        check(
            json!({"type": "string", "pattern": "^a"}),
            "text that matches `^a`",
        );
        check(
            json!({"type": "string", "pattern": "^a", "expected": "a word"}),
            "a word",
        );
        check(
            json!({"type": "array", "max_items": 3, "items": {"type": "string"}}),
            "a list of at most 3 items",
        );
        check(
            json!({"type": "object", "properties": [{"name": "key", "type": "string"}]}),
            "an object of `key`",
        );
    }

    #[test]
    fn a_parameter_survives_its_json() {
        let json = json!({
            "name": "labels", "description": "Labels.", "required": true, "type": "array",
            "min_items": 1,
            "items": {"type": "object", "properties": [
                {"name": "key", "description": "Key.", "required": true, "type": "string", "max_length": 8},
            ]},
        });
        let param: ParamDef = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(param).unwrap(), json);
    }
}
