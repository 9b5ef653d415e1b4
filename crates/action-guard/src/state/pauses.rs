//! Agents that are paused.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Actor;
use crate::proposal::{Refusal, Request};
use crate::state::{Cancel, Enabled, State};

/// The last pause of an agent: while it lasts nothing is proposed, started or sent for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pause {
    /// The agent.
    pub agent: Actor,
    /// Who paused it: a person, or itself.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// When it is over by itself; `None` when a person must end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The number of its record. A signed resumption names it, so that its signature is good for this
    /// pause only.
    pub seq: u64,
    /// The person who ended it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Cancel>,
    /// What shows that it was them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Enabled>,
    /// The one before it, which somebody ended and which would hold still: where it was not them who ended
    /// it, this one does not end it either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Arc<Self>>,
}

impl Pause {
    /// Whether it holds at a time.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.would_hold_at(now)
    }

    /// Whether it would hold at a time had nobody ended it.
    pub(crate) fn would_hold_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// This one and those before it, the latest first.
    pub(crate) fn and_earlier(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |pause| pause.earlier.as_deref())
    }

    /// When it ended, if it has at a time.
    pub(crate) fn over_since(&self, now: Timestamp) -> Option<Timestamp> {
        let ended = self.ended.as_ref().map(|ended| ended.at);
        ended.or_else(|| self.until.filter(|until| *until <= now))
    }

    /// Until when, where that is known.
    pub(crate) fn until_in_words(&self) -> String {
        let until = self.until;
        until.map_or_else(String::new, |until| format!(" until {until}"))
    }

    /// Why nothing is done for its agent.
    pub(crate) fn refusal(&self) -> Refusal {
        Refusal::Paused {
            agent: self.agent.to_string(),
            by: self.by.to_string(),
            why: format!("{}: {}", self.until_in_words(), self.reason),
        }
    }
}

impl State {
    /// The last pause of somebody, however they are written.
    #[must_use]
    pub fn pause_of(&self, who: &str) -> Option<&Arc<Pause>> {
        // Names fold case: one agent has one pause.
        self.pauses.get(&who.to_ascii_lowercase())
    }

    /// The pause of somebody that holds at a time.
    #[must_use]
    pub fn paused_at(&self, who: &str, now: Timestamp) -> Option<&Arc<Pause>> {
        self.pause_of(who).filter(|pause| pause.holds_at(now))
    }

    /// Refuses what one who is paused is at: who asks, or who carries it out beside them.
    pub(crate) fn none_is_paused(&self, request: &Request, now: Timestamp) -> Result<(), Refusal> {
        let mut proofs = request.proofs();
        match proofs.find_map(|(who, _)| self.paused_at(who, now)) {
            Some(pause) => Err(pause.refusal()),
            None => Ok(()),
        }
    }

    /// Whether one who is at a request was paused after a record, and perhaps resumed since: what a pause
    /// has stopped does not go on when it is over.
    pub(crate) fn was_paused_after(&self, request: &Request, seq: u64) -> Option<&Arc<Pause>> {
        let is_later = |pause: &&Arc<Pause>| pause.seq > seq;
        request
            .proofs()
            .find_map(|(who, _)| self.pause_of(who).filter(is_later))
    }
}
