//! What is wrong with a request.

use std::{fmt, io};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::printable::printable;

/// How much of a value, or of a name in a request, a message repeats.
const LONGEST_QUOTE: usize = 80;

/// One thing that is wrong with a request: where, what was given and what is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// Where, as a JSON pointer such as `/region_id`; empty for the request as a whole.
    pub pointer: String,
    /// What kind of thing is wrong.
    pub kind: ProblemKind,
    /// What was given, as JSON, shortened and safe to print.
    pub got: String,
    /// What is right.
    pub expected: String,
    /// What was probably meant, such as ``did you mean `region_id`?``.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// There is no such parameter.
    Unknown,
    /// A required parameter is not given.
    Missing,
    /// The value is of another type.
    WrongType,
    /// The value is of the right type, but beyond a bound or none of the choices.
    OutOfRange,
    /// The text is not written as it should be.
    Malformed,
    /// Values that are right alone are wrong together.
    Combination,
}

impl Problem {
    /// Values that are right alone are wrong together, such as a source that is also the target.
    ///
    /// The pointer names the parameter to change, or is empty when it is not one alone.
    pub fn combination(pointer: &str, got: impl fmt::Display, expected: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            kind: ProblemKind::Combination,
            got: shortened(&printable(&got.to_string())),
            expected: expected.into(),
            hint: None,
        }
    }

    /// A problem with a value, which it quotes.
    pub(crate) fn with(
        pointer: &str,
        kind: ProblemKind,
        got: &Value,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.to_owned(),
            kind,
            got: quoted(got),
            expected: expected.into(),
            hint: None,
        }
    }

    /// A required parameter that is not given.
    pub(crate) fn missing(pointer: &str, expected: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            kind: ProblemKind::Missing,
            got: "nothing".to_owned(),
            expected: expected.into(),
            hint: None,
        }
    }

    /// The same with a guess at what was meant.
    pub(crate) fn hinting(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.pointer.strip_prefix('/').unwrap_or(&self.pointer);
        if !place.is_empty() {
            write!(f, "`{}`: ", shortened(&printable(place)))?;
        }
        match self.kind {
            ProblemKind::Unknown => write!(f, "unknown parameter, ")?,
            ProblemKind::Missing => write!(f, "missing, ")?,
            _ => write!(f, "got {}, ", self.got)?,
        }
        write!(f, "expected {}", self.expected)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// A value as JSON, shortened and with nothing in it that could act on a terminal.
fn quoted(value: &Value) -> String {
    let mut start = Start(Vec::new());
    // It fails when the value is longer than what is kept, which is what makes this cheap.
    let _ = serde_json::to_writer(&mut start, value);
    let text = String::from_utf8_lossy(&start.0);
    shortened(&printable(&text))
}

/// Keeps the first bytes written to it and refuses the rest.
struct Start(Vec<u8>);

impl io::Write for Start {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A character takes up to four bytes; more than this is never shown.
        let room = (4 * (LONGEST_QUOTE + 1)).saturating_sub(self.0.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.0.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_quote(value: Value, quote: &str) {
        assert_eq!(quoted(&value), quote);
    }

    #[test]
    fn a_quote_is_json_and_safe_to_print() {
        check_quote(json!(9.5), "9.5");
        check_quote(json!("12 "), "\"12 \"");
        check_quote(json!("a\"b\n"), r#""a\"b\n""#);
        check_quote(json!("\u{1b}[2J"), r#""\u001b[2J""#);
        check_quote(json!("\u{7f}\u{9b}\u{202e}"), r#""\u007f\u009b\u202e""#);
        check_quote(json!({"a": [null, true]}), r#"{"a":[null,true]}"#);
    }

    #[test]
    fn a_quote_is_short() {
        for long in [json!("é".repeat(100_000)), json!(vec!["\u{1}"; 10_000])] {
            let quote = quoted(&long);
            assert_eq!(quote.chars().count(), LONGEST_QUOTE + 1);
            assert!(quote.ends_with('…'));
        }
        let at_the_limit = json!("x".repeat(LONGEST_QUOTE - 2));
        assert!(!quoted(&at_the_limit).contains('…'));
    }

    #[test]
    fn a_problem_reads_as_a_sentence() {
        let problem = Problem::with(
            "/region_id",
            ProblemKind::WrongType,
            &json!(9.5),
            "an integer from 1 to 9",
        );
        assert_eq!(
            problem.to_string(),
            "`region_id`: got 9.5, expected an integer from 1 to 9"
        );
        assert_eq!(
            Problem::missing("/a", "true or false").to_string(),
            "`a`: missing, expected true or false"
        );
        assert_eq!(
            Problem::combination("", "store 1 twice", "two different stores").to_string(),
            "got store 1 twice, expected two different stores"
        );
        let unknown = Problem::with("/a\u{1b}~1b", ProblemKind::Unknown, &json!(1), "`ab`")
            .hinting(Some("did you mean `ab`?".to_owned()));
        assert_eq!(
            unknown.to_string(),
            "`a\\u001b~1b`: unknown parameter, expected `ab`; did you mean `ab`?"
        );
    }
}
