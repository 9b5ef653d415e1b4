//! What is wrong with a policy.

use std::fmt;

use serde::Serialize;

use crate::policy::pattern::Pattern;

/// All that is wrong with a policy, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(problems))]
pub struct PolicyError {
    problems: Vec<PolicyProblem>,
}

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct PolicyProblem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl PolicyError {
    /// What is wrong.
    #[must_use]
    pub fn problems(&self) -> &[PolicyProblem] {
        &self.problems
    }

    /// An error, when there are problems.
    pub(super) fn unless_empty(mut problems: Vec<PolicyProblem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_unstable();
        Err(Self { problems })
    }
}

impl PolicyProblem {
    /// A problem at a byte of a text.
    pub(super) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = place(text, offset);
        Self {
            line,
            column,
            message: message.into(),
        }
    }
}

impl Pattern {
    /// What is wrong with it, at its place.
    pub(super) fn problem(&self, message: String) -> PolicyProblem {
        PolicyProblem {
            line: self.line,
            column: self.column,
            message,
        }
    }
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = action_core::printable(&self.message);
        write!(f, "line {}, column {}: {message}", self.line, self.column)
    }
}

/// Line and column, from 1, of a byte of a text.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.char_indices().take_while(|(at, _)| *at < offset);
    before.fold((1, 1), |(line, column), (_, character)| match character {
        '\n' => (line + 1, 1),
        _ => (line, column + 1),
    })
}

/// The known word that was probably meant, as the end of a sentence.
pub(super) fn did_you_mean(given: &str, known: &[&str]) -> Option<String> {
    let near = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(given, known), known))
        .min()?;
    (near.0 <= 1 + given.chars().count() / 4).then(|| format!("; did you mean `{}`?", near.1))
}

fn list(problems: &[PolicyProblem]) -> String {
    let problems: Vec<_> = problems.iter().map(PolicyProblem::to_string).collect();
    problems.join("\n")
}
