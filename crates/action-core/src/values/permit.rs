//! The send permit: asked for right before the first byte of a request.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;

/// Gives permission to send, at the last moment.
///
/// A mutation asks for it when everything else is done: names resolved, the connection open, the
/// system identified on that very connection. Between the answer and the first byte of the request
/// nothing is read and nothing is waited for.
#[async_trait]
pub trait SendPermits: Send + Sync {
    /// Permission to hand one request to the system's side of the connection.
    ///
    /// # Errors
    /// Why nothing may be sent.
    async fn acquire(&self) -> Result<SendPermit, NotPermitted>;
}

/// Permission to send one request, held until the request has been handed to the kernel.
///
/// While it is held, whoever stops sends waits for it. It is given back by being dropped.
#[must_use = "it is held until it is dropped"]
pub struct SendPermit {
    not_after: Option<Instant>,
    held: Option<Box<dyn Send + Sync>>,
}

impl SendPermit {
    /// Permission that ends at a time, and holds something as long as it lasts.
    pub fn until(not_after: Instant, held: impl Send + Sync + 'static) -> Self {
        Self {
            not_after: Some(not_after),
            held: Some(Box::new(held)),
        }
    }

    /// Permission without end, that nobody waits for.
    pub fn unlimited() -> Self {
        Self {
            not_after: None,
            held: None,
        }
    }

    /// After this no first byte may be written; `None` when it does not end.
    #[must_use]
    pub fn not_after(&self) -> Option<Instant> {
        self.not_after
    }
}

impl fmt::Debug for SendPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendPermit")
            .field("not_after", &self.not_after)
            .field("held", &self.held.is_some())
            .finish()
    }
}

/// Why nothing may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing was sent: {reason}")]
#[non_exhaustive]
pub struct NotPermitted {
    /// A stable code, such as `stopped` or `late`.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

impl NotPermitted {
    /// Not permitted, for this reason.
    #[must_use]
    pub fn new(code: &str, reason: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            reason: reason.into(),
        }
    }
}

/// Where an attempt gets its permit: from nobody, unless a guard says where.
#[derive(Clone, Default)]
pub(crate) struct Permits(Option<Arc<dyn SendPermits>>);

impl Permits {
    pub(crate) fn of(permits: Arc<dyn SendPermits>) -> Self {
        Self(Some(permits))
    }

    pub(crate) async fn acquire(&self) -> Result<SendPermit, NotPermitted> {
        match &self.0 {
            Some(permits) => permits.acquire().await,
            None => Ok(SendPermit::unlimited()),
        }
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "guarded" } else { "none" })
    }
}
