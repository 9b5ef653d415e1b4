//! The maintenance lock: one task at a time may take stores down.

use std::time::SystemTime;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::time::deserialize_unix_s;
use crate::transport::Call;

impl Client {
    /// The task that holds the lock; `None` when none does, or PD has no such lock.
    ///
    /// `GET /pd/api/v2/maintenance`, after 8.5.
    pub async fn maintenance(&self) -> Result<Option<MaintenanceTask>, Error> {
        match self.read(Call::point("/maintenance").v2()).await {
            Ok(answer) => {
                let tasks: Option<Vec<MaintenanceTask>> = answer.json()?;
                Ok(tasks.unwrap_or_default().into_iter().next())
            }
            Err(Error::Pd(refusal)) if refusal.status == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A task that holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MaintenanceTask {
    /// Which kind of task it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Since when it holds the lock, by PD's clock.
    #[serde(
        default,
        rename = "start_timestamp",
        deserialize_with = "deserialize_unix_s"
    )]
    pub started: Option<SystemTime>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}
