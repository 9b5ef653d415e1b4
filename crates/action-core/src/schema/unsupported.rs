//! A type whose schema says more than our vocabulary can.

/// A type that the closed vocabulary cannot describe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schema of `{type_name}` at `{place}`: {problem}")]
pub(crate) struct SchemaProblem {
    pub(crate) type_name: String,
    pub(crate) place: String,
    /// What is not allowed, and what is right.
    pub(crate) problem: String,
}
