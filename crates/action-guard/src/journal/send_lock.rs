//! The send lock: held while a request is handed over, and waited for by who stops sends.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The send lock, held until this is dropped. Any number may hold it at the same time; who stops
/// sends waits until nobody does.
#[must_use = "it is held until it is dropped"]
pub struct SendLock {
    _held: Box<dyn Send + Sync>,
}

impl SendLock {
    /// Held for as long as this lives.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self {
            _held: Box::new(held),
        }
    }
}

impl fmt::Debug for SendLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendLock").finish_non_exhaustive()
    }
}

/// Somebody who holds the send lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sender {
    /// The proposal whose request is being handed over; `None` when the journal cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// The process instance; `None` when it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Where it runs, such as `process 4711 on db-1`.
    pub process: String,
}

impl Sender {
    /// This process, handing over the request of a proposal.
    #[must_use]
    pub fn here(proposal: &str, instance: &str) -> Self {
        Self {
            proposal: Some(proposal.to_owned()),
            instance: Some(instance.to_owned()),
            process: process(),
        }
    }

    /// An instance of which only this is known.
    #[must_use]
    pub fn elsewhere(instance: Option<String>, process: impl Into<String>) -> Self {
        Self {
            proposal: None,
            instance,
            process: process.into(),
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proposal {
            Some(proposal) => write!(f, "proposal {proposal}, by {}", self.process)?,
            None => f.write_str(&self.process)?,
        }
        match &self.instance {
            Some(instance) => write!(f, " (instance {instance})"),
            None => Ok(()),
        }
    }
}

/// This process and its host, for messages.
fn process() -> String {
    let id = std::process::id();
    match std::fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(host) => format!("process {id} on {}", host.trim()),
        Err(_) => format!("process {id}"),
    }
}
