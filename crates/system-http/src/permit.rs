//! Permission to send a write: taken last, and held until the write has left.
//!
//! A write reads a great deal before it is sent: it looks for a leader, resolves a name, opens a
//! connection and asks which system is at its other end. All of that comes first. Then the permit
//! is taken; between the permit and the first byte there is nothing that waits.

use async_trait::async_trait;

use crate::error::BoxError;

/// Decides, at the last moment, whether a write may be sent.
///
/// It is asked once for every connection a write is about to be sent on: again only after it was proved
/// that nothing was sent on the one before.
///
/// ```
/// use std::sync::Arc;
/// use std::time::{Duration, Instant};
///
/// use system_http::{HeldPermit, PermitRefused, SendPermit};
///
/// /// Sends nothing after a point in time.
/// struct Until(Instant);
///
/// #[async_trait::async_trait]
/// impl SendPermit for Until {
///     async fn acquire(&self) -> Result<Box<dyn HeldPermit>, PermitRefused> {
///         Ok(Box::new(Self(self.0)))
///     }
/// }
///
/// impl HeldPermit for Until {
///     fn check(&self) -> Result<(), PermitRefused> {
///         if Instant::now() < self.0 { Ok(()) } else { Err(PermitRefused::new("it is too late")) }
///     }
/// }
///
/// let permit: Arc<dyn SendPermit> = Arc::new(Until(Instant::now() + Duration::from_secs(5)));
/// ```
#[async_trait]
pub trait SendPermit: Send + Sync {
    /// Waits until the write may be sent. Nothing is sent while it waits, and nothing is read
    /// afterwards.
    ///
    /// # Errors
    /// When the write may not be sent: it is not, neither here nor to another address.
    async fn acquire(&self) -> Result<Box<dyn HeldPermit>, PermitRefused>;
}

/// A permit that was granted.
///
/// It is dropped when the last byte of the request has been handed to the kernel, or when it is
/// certain that no further byte will be.
pub trait HeldPermit: Send {
    /// Whether the write may still be sent: asked right before its first byte, and not again.
    /// This is where a deadline belongs.
    ///
    /// # Errors
    /// When it may not. Nothing is sent then.
    fn check(&self) -> Result<(), PermitRefused>;
}

/// A write may not be sent, and why.
#[derive(Debug, thiserror::Error)]
#[error("the permit to send was refused")]
pub struct PermitRefused {
    source: BoxError,
}

impl PermitRefused {
    /// A refusal for this reason, which becomes the source of the write's error.
    pub fn new(reason: impl Into<BoxError>) -> Self {
        Self {
            source: reason.into(),
        }
    }

    /// The reason.
    #[must_use]
    pub fn into_reason(self) -> BoxError {
        self.source
    }
}

/// The permit of a write that was given none: there is nobody to ask.
pub(crate) struct Unrestricted;

impl HeldPermit for Unrestricted {
    fn check(&self) -> Result<(), PermitRefused> {
        Ok(())
    }
}
