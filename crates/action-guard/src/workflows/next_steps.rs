//! What is next in a workflow: what can be done now, and what it waits for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::state::Ending;

/// What is next in a workflow, as its records and the proposals' stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NextSteps {
    /// How it ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ending>,
    /// Why it does not go on by itself, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// What can be done now, the first first.
    pub ready: Vec<Ready>,
    /// What it waits for beside that.
    pub waiting: Vec<Waiting>,
}

/// Why a workflow does not go on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stopped {
    /// Which kind of reason.
    pub code: StopCode,
    /// The step, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The proposal, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// Why, for people.
    pub reason: String,
    /// What somebody can do, for people.
    pub next: String,
}

/// Which kind of reason a workflow stopped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopCode {
    /// The outcome of a mutation is not known.
    Unknown,
    /// A step was not done, and is not tried again by itself.
    Failed,
    /// The kill switch is set.
    Killed,
    /// An agent that is at it is paused.
    Paused,
    /// The mode is observe.
    Observing,
    /// It was not begun in time.
    Missed,
}

/// Something that can be done now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ready", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ready {
    /// Propose a step's mutation.
    Propose {
        /// The step.
        step: String,
        /// How often it was tried, with this time.
        attempt: u32,
    },
    /// Propose what takes back a step's mutation.
    TakeBack {
        /// The step whose mutation it is.
        step: String,
        /// The proposal that is taken back.
        proposal: String,
    },
    /// Carry out what is proposed and approved.
    Execute {
        /// The step.
        step: String,
        /// The proposal.
        proposal: String,
        /// Whether it takes the step's mutation back.
        back: bool,
    },
    /// Begin to wait.
    Begin {
        /// The step.
        step: String,
    },
    /// Look whether what a step waits for is so; after the time, a last time.
    Observe {
        /// The step.
        step: String,
        /// When it is given up.
        until: Timestamp,
    },
    /// Give up: nobody confirmed in time.
    GiveUp {
        /// The step.
        step: String,
    },
}

impl Ready {
    /// The step that it is about.
    #[must_use]
    pub fn step(&self) -> &str {
        match self {
            Self::Propose { step, .. }
            | Self::TakeBack { step, .. }
            | Self::Execute { step, .. }
            | Self::Begin { step }
            | Self::Observe { step, .. }
            | Self::GiveUp { step } => step,
        }
    }
}

/// Something that a workflow waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "waiting_for", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Waiting {
    /// The time that it is scheduled for.
    Schedule {
        /// When.
        at: Timestamp,
    },
    /// The time to try something again.
    Retry {
        /// The step.
        step: String,
        /// When.
        at: Timestamp,
    },
    /// A mutation that was sent.
    Mutation {
        /// The step.
        step: String,
        /// The proposal.
        proposal: String,
    },
    /// People, to agree.
    Approval {
        /// The step.
        step: String,
        /// The proposal.
        proposal: String,
    },
    /// Somebody, to say that something is done.
    Confirmation {
        /// The step.
        step: String,
        /// What is to be done.
        text: String,
        /// Who may confirm, as patterns over actor ids; any person when empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<String>,
        /// When it is given up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

impl Waiting {
    /// When it is over by itself, if that is known.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Schedule { at } | Self::Retry { at, .. } => Some(*at),
            Self::Confirmation { until, .. } => *until,
            _ => None,
        }
    }

    /// Whether it takes people, or a time that may be far off.
    #[must_use]
    pub fn takes_people_or_a_date(&self) -> bool {
        matches!(
            self,
            Self::Schedule { .. } | Self::Approval { .. } | Self::Confirmation { .. }
        )
    }
}
