//! Checkers: what looks at every region and puts it in order.

use std::time::Duration;

use serde::Deserialize;

use crate::client::Client;
use crate::config::whole_seconds;
use crate::error::Error;
use crate::transport::{Accepted, Call};

impl Client {
    /// Whether a checker is paused.
    ///
    /// `GET /checker/{name}`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 500 when this version has no such checker.
    pub async fn checker_status(&self, checker: Checker) -> Result<CheckerStatus, Error> {
        let call = Call::point("/checker").segment(checker.name());
        self.read(call).await?.json()
    }

    /// Pauses a checker from now on for this long, rounded up to seconds. PD forgets it when its
    /// leader changes. Without the replica and rule checkers nothing replaces lost replicas.
    ///
    /// `POST /checker/{name}`, all versions.
    pub async fn pause_checker(&self, checker: Checker, time: Duration) -> Result<Accepted, Error> {
        let delay = whole_seconds("pause", time)?;
        let call = Call::post_empty("/checker").segment(checker.name());
        self.delay(call, delay).await
    }

    /// Lets a checker go on. Accepted too when it is not paused.
    ///
    /// `POST /checker/{name}`, all versions.
    pub async fn resume_checker(&self, checker: Checker) -> Result<Accepted, Error> {
        let call = Call::post_empty("/checker").segment(checker.name());
        self.delay(call, 0).await
    }
}

/// A checker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Checker {
    /// Turns learners that have caught up into voters.
    Learner,
    /// Keeps the number of replicas where rules are switched off.
    Replica,
    /// Keeps what placement rules say.
    Rule,
    /// Splits regions where rules and labels begin.
    Split,
    /// Merges small regions.
    Merge,
    /// Ends joint states that were left.
    JointState,
    /// Brings regions of one affinity group together, 8.5.5 and later.
    Affinity,
}

impl Checker {
    /// Every checker this client knows.
    pub const ALL: &[Self] = &[
        Self::Learner,
        Self::Replica,
        Self::Rule,
        Self::Split,
        Self::Merge,
        Self::JointState,
        Self::Affinity,
    ];

    /// PD's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Learner => "learner",
            Self::Replica => "replica",
            Self::Rule => "rule",
            Self::Split => "split",
            Self::Merge => "merge",
            Self::JointState => "joint-state",
            Self::Affinity => "affinity",
        }
    }
}

/// How a checker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[non_exhaustive]
pub struct CheckerStatus {
    /// Whether it is paused; PD does not say until when.
    pub paused: bool,
}
