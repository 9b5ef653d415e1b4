//! An attempt's permit, as pd-client takes it: right before the first byte of a write, and only for what
//! can be a cluster of PD's.

use action_core::{Attempt, NotPermitted};
use async_trait::async_trait;
use pd_client::{ClusterId, HeldPermit, PermitRefused, SendPermit};

/// The permit of one attempt.
pub(crate) struct AttemptPermit(pub(crate) Attempt);

#[async_trait]
impl SendPermit for AttemptPermit {
    async fn acquire(&self) -> Result<Box<dyn HeldPermit>, PermitRefused> {
        // What is no cluster id of PD's names another system, and no connection can be checked by it.
        if let Some(Err(error)) = self.0.system.as_deref().map(str::parse::<ClusterId>) {
            let other = NotPermitted::new("other_system", error.to_string());
            return Err(PermitRefused::new(other));
        }
        subject_http::AttemptPermit(self.0.clone()).acquire().await
    }
}
