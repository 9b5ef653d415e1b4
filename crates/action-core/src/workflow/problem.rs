//! What is wrong with a workflow.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A workflow that cannot be carried out; all problems at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.problems))]
#[non_exhaustive]
pub struct WorkflowError {
    /// What is wrong, in the order of the document.
    pub problems: Vec<WorkflowProblem>,
}

/// One thing that is wrong with a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowProblem {
    /// Where: a step and what of it, or what of the whole; empty for the whole.
    pub at: String,
    /// What is wrong, and what is right.
    pub text: String,
}

impl WorkflowProblem {
    /// What is wrong somewhere.
    #[must_use]
    pub fn new(at: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            text: text.into(),
        }
    }
}

impl WorkflowError {
    /// Nothing is wrong, or this.
    pub(super) fn unless_empty(problems: Vec<WorkflowProblem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        Err(Self { problems })
    }

    /// One thing that is wrong.
    #[must_use]
    pub fn of(problem: WorkflowProblem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl fmt::Display for WorkflowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            return f.write_str(&self.text);
        }
        write!(f, "{}: {}", self.at, self.text)
    }
}

fn list(problems: &[WorkflowProblem]) -> String {
    let lines: Vec<_> = problems.iter().map(WorkflowProblem::to_string).collect();
    format!("invalid workflow: {}", lines.join("; "))
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &&str| strsim::damerau_levenshtein(given, name);
    names
        .filter(|_| given.len() <= 80)
        .min_by_key(distance)
        .filter(|name| distance(name) <= 1 + name.len() / 4)
}
