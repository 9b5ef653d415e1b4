//! Why a scheduler does nothing.

use std::time::SystemTime;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::time::deserialize_unix_s;
use crate::transport::Call;

impl Client {
    /// What one scheduler is doing, and why not more. PD can tell of `balance-leader-scheduler`
    /// and `balance-region-scheduler`.
    ///
    /// `GET /schedulers/diagnostic/{name}`, 6.5 and later.
    ///
    /// # Errors
    /// [`Error::Pd`]: another scheduler (400 in 6.5, 500 later), `enable-diagnostic` is off, which
    /// it is in 6.5 unless set, or there is nothing to tell yet.
    pub async fn scheduler_diagnostic(&self, name: &str) -> Result<SchedulerDiagnostic, Error> {
        let call = Call::point("/schedulers/diagnostic").name_segment("scheduler", name)?;
        self.read(call).await?.json()
    }
}

/// What a scheduler is doing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SchedulerDiagnostic {
    /// Its name.
    pub name: String,
    /// `disabled`, `paused`, `halted`, `scheduling`, `pending` or `normal`.
    pub status: String,
    /// What kept it from doing more, such as `5 store(s) StoreScoreDisallowed; `.
    #[serde(default)]
    pub summary: String,
    /// When PD looked, by PD's clock.
    #[serde(default, rename = "timestamp", deserialize_with = "deserialize_unix_s")]
    pub at: Option<SystemTime>,
}
