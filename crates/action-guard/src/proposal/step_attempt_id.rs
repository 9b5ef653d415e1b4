//! Which step of which workflow a proposal is for.

use std::fmt;

/// The correlation id by which a proposal belongs to a step: `flow/ID/STEP/N`, `N` being how often
/// it was tried. The workflows' own; nobody else may use one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepAttemptId {
    pub(crate) flow: String,
    pub(crate) step: String,
    pub(crate) attempt: u32,
}

const PREFIX: &str = "flow/";

impl StepAttemptId {
    /// What a correlation id says; `None` when it is not of this kind, and an error when it begins
    /// so and is not.
    pub(crate) fn read(correlation_id: &str) -> Option<Result<Self, String>> {
        let rest = correlation_id.strip_prefix(PREFIX)?;
        let mut parts = rest.split('/');
        let all = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(flow), Some(step), Some(attempt), None) = all else {
            return Some(Err(format!("`{correlation_id}` is not the id of a step")));
        };
        let attempt_id = attempt.parse().map(|attempt| Self {
            flow: flow.to_owned(),
            step: step.to_owned(),
            attempt,
        });
        Some(attempt_id.map_err(|_| format!("`{attempt}` is not the number of an attempt")))
    }
}

impl fmt::Display for StepAttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}/{}/{}", self.flow, self.step, self.attempt)
    }
}
