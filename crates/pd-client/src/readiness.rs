//! Whether a member is ready.

use crate::client::Client;
use crate::error::Error;
use crate::transport::Call;

impl Client {
    /// Whether a member says that it can serve; `None` when its version does not say. Each member
    /// answers for itself: ask one with [`endpoint_only`](Self::endpoint_only).
    ///
    /// `GET /pd/api/v2/ready`, after 8.5.
    pub async fn readiness(&self) -> Result<Option<Readiness>, Error> {
        match self.read(Call::point("/ready").v2()).await {
            Ok(_) => Ok(Some(Readiness::Ready)),
            Err(error) => match error.answer() {
                Some(answer) if answer.status == 404 => Ok(None),
                // A check that failed begins with `[-]`; a proxy's 503 does not.
                Some(answer) if answer.status == 503 && answer.body.contains("[-]") => {
                    Ok(Some(Readiness::NotReady(answer.body.clone())))
                }
                _ => Err(error),
            },
        }
    }
}

/// Whether a member can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// It can.
    Ready,
    /// It cannot, and says why.
    NotReady(String),
}
