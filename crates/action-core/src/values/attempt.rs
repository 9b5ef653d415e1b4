//! One sending of a mutation, and what the system answered.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::values::evidence::{Attribution, Evidence};
use crate::values::permit::{NotPermitted, Permits, SendPermit, SendPermits};
use crate::values::plan::ClockOffset;

/// One sending of a mutation, known before it is sent.
///
/// What is written down of it says everything but where its [permit](Self::permit) comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// Unique; goes along with the request where the system can keep it.
    pub id: String,
    /// When it was about to be sent, by our clock: milliseconds after 1970 UTC.
    pub sent_at_unix_ms: u64,
    /// How the system's clock compared to ours at planning, if the plan could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockOffset>,
    /// The system it was planned for, as [`Subject::identity`](crate::Subject::identity) named it.
    /// What answers to another name is not sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(skip)]
    permits: Permits,
}

impl PartialEq for Attempt {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.sent_at_unix_ms, self.clock, &self.system)
            == (&other.id, other.sent_at_unix_ms, other.clock, &other.system)
    }
}

impl Eq for Attempt {}

impl Attempt {
    /// An attempt about to be sent.
    #[must_use]
    pub fn new(id: impl Into<String>, sent_at_unix_ms: u64, clock: Option<ClockOffset>) -> Self {
        Self {
            id: id.into(),
            sent_at_unix_ms,
            clock,
            system: None,
            permits: Permits::default(),
        }
    }

    /// The same attempt, for this system and no other.
    #[must_use]
    pub fn for_system(mut self, system: impl Into<String>) -> Self {
        self.system = Some(system.into());
        self
    }

    /// The same attempt; its permit is given by these.
    #[must_use]
    pub fn permitted_by(mut self, permits: Arc<dyn SendPermits>) -> Self {
        self.permits = Permits::of(permits);
        self
    }

    /// Permission to send, to be asked for right before the first byte of the request and held
    /// until the request has been handed to the kernel. Nothing may be read in between.
    ///
    /// # Errors
    /// Why nothing may be sent. What [`send`](crate::Mutation::send) returns then promises that
    /// nothing happened.
    pub async fn permit(&self) -> Result<SendPermit, NotPermitted> {
        self.permits.acquire().await
    }

    /// An attempt that nobody keeps track of.
    #[must_use]
    pub fn untracked() -> Self {
        Self::new("untracked", 0, None)
    }
}

/// What the system answered when it accepted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Accepted {
    /// Its words.
    pub answer: String,
    /// What else the answer told, for [`probe`](crate::Mutation::probe) to use.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
}

impl Accepted {
    /// Accepted with these words.
    #[must_use]
    pub fn new(answer: impl Into<String>) -> Self {
        Self {
            answer: answer.into(),
            facts: Map::new(),
        }
    }

    /// Keeps one more thing that the answer told.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}

/// What is known of a mutation that was sent, or may have been.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sent {
    /// The sending.
    pub attempt: Attempt,
    /// What the system answered; `None` when no answer came, or when it cannot be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// Milliseconds since the request was last possibly on its way: what it can still bring about
    /// is judged by this. Without an answer that may be long after it was sent.
    pub elapsed_ms: u64,
    /// Milliseconds since it was about to be sent.
    #[serde(default)]
    pub since_send_ms: u64,
    /// What those that looked before read, the first of each fact; nothing where nobody has looked
    /// before, or nobody remembers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Evidence>,
}

impl Sent {
    /// A sending, its answer if there was one, and the time since.
    #[must_use]
    pub fn new(attempt: Attempt, accepted: Option<Accepted>, elapsed_ms: u64) -> Self {
        Self {
            attempt,
            accepted,
            elapsed_ms,
            since_send_ms: elapsed_ms,
            earlier: Vec::new(),
        }
    }

    /// The same, with what those that looked before read.
    #[must_use]
    pub fn earlier(mut self, earlier: Vec<Evidence>) -> Self {
        self.earlier = earlier;
        self
    }

    /// The same, sent longer ago than it was last possibly on its way.
    #[must_use]
    pub fn since_send(mut self, ms: u64) -> Self {
        self.since_send_ms = ms.max(self.elapsed_ms);
        self
    }

    /// Whose doing it is that it is so by now, where only the system's answer can tell: ours when
    /// it accepted.
    #[must_use]
    pub fn attribution(&self) -> Attribution {
        match self.accepted {
            Some(_) => Attribution::Ours,
            None => Attribution::Undecided,
        }
    }
}
