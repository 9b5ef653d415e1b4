//! An attempt's permit, as a connection takes it: right before the first byte of a write.

use std::time::Instant;

use action_core::{Attempt, NotPermitted};
use async_trait::async_trait;
use system_http::{HeldPermit, PermitRefused, SendPermit};

/// The permit of one attempt.
pub struct AttemptPermit(pub Attempt);

#[async_trait]
impl SendPermit for AttemptPermit {
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
                "its time limit for sending passed",
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_permit_that_has_ended_lets_nothing_out() {
        let now = Instant::now();
        let ending = |end| Held(action_core::SendPermit::until(end, ())).check();
        assert!(ending(now + Duration::from_secs(600)).is_ok());
        let late = ending(now.checked_sub(Duration::from_millis(1)).unwrap());
        assert!(late.is_err());
        assert!(Held(action_core::SendPermit::unlimited()).check().is_ok());
    }
}
