//! The lock that lets one task at a time take stores down.

use serde::Serialize;

/// A task that somebody has begun. It is stored: a new leader knows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MaintenanceTask {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) start_timestamp: i64,
    pub(crate) description: String,
}
