//! A kind of system that can be operated, and a handle to one such system.

use async_trait::async_trait;

use crate::declare::action_set::ActionSet;
use crate::declare::pages::{Page, Runbook};
use crate::error::FailureKind;

/// A kind of system that can be operated, and a handle to one such system.
///
/// The type says what can be done (its [`actions`](Self::actions)); a value of it knows where.
#[async_trait]
pub trait Subject: Send + Sync + Sized + 'static {
    /// The kind of system, such as `tikv`.
    const NAME: &'static str;

    /// What its calls fail with.
    type Error: SubjectError;

    /// Its actions, in the order they should be documented. This list is the catalogue.
    fn actions() -> ActionSet<Self>;

    /// Pages about it, such as what its codes mean.
    fn pages() -> Vec<Page> {
        Vec::new()
    }

    /// What to do in a case, step by step.
    fn runbooks() -> Vec<Runbook> {
        Vec::new()
    }

    /// Which system this is, in its own words, such as a cluster id. Read from the system at each
    /// call, so that a mutation is never sent to another system than the one it was planned for.
    async fn identity(&self) -> Result<String, Self::Error>;
}

/// What a subject's calls fail with.
pub trait SubjectError: std::error::Error + Send + Sync + 'static {
    /// What the caller can do about it.
    ///
    /// For [`send`](crate::Mutation::send) it also says what is known: only
    /// [`FailureKind::Unknown`] leaves open whether the mutation happens. Every other kind
    /// promises that it does not.
    fn kind(&self) -> FailureKind;

    /// A stable code, in the system's own terms where it has one.
    fn code(&self) -> Option<String> {
        None
    }
}
