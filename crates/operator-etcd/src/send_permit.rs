//! An attempt's permit, as the client takes it: right before the first byte of a write.

use std::time::Instant;

use action_core::{Attempt, NotPermitted};
use async_trait::async_trait;
use system_http::{HeldPermit, PermitRefused, SendPermit};

/// The permit of one attempt.
pub(crate) struct AttemptPermit<'a>(pub(crate) &'a Attempt);

#[async_trait]
impl SendPermit for AttemptPermit<'_> {
    async fn acquire(&self) -> Result<Box<dyn HeldPermit>, PermitRefused> {
        let permit = self.0.permit().await.map_err(PermitRefused::new)?;
        Ok(Box::new(Held(permit)))
    }
}

struct Held(action_core::SendPermit);

impl HeldPermit for Held {
    fn check(&self) -> Result<(), PermitRefused> {
        match self.0.not_after() {
            Some(end) if Instant::now() > end => Err(PermitRefused::new(NotPermitted::new(
                "late",
                "the time to send it was over",
            ))),
            _ => Ok(()),
        }
    }
}
