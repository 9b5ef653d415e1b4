//! One step of a workflow: a mutation, an undo, an observation that is waited for, or a confirmation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::declare::{Mutation, Observation, Subject};
use crate::workflow::condition::Condition;
use crate::workflow::duration_text::DurationText;

/// One step of a workflow. It is exactly one of four things: see [`work`](Self::work).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Step {
    /// What it is called within its workflow, such as `drain-4`.
    pub id: String,
    /// What it is for, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The steps that must be done before it begins.
    pub needs: Vec<String>,
    /// The mutation that it proposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<String>,
    /// The earlier step whose mutation it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) undo: Option<String>,
    /// The observation that it looks at until what it waits for is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) observe: Option<String>,
    /// What somebody has to do outside and then confirm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) confirm: Option<String>,
    /// Who may confirm it, as patterns such as `user:dba-*`; any person unless given. Never an
    /// agent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) by: Vec<String>,
    /// The parameters of the action or the observation.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) parameters: Map<String, Value>,
    /// How often a mutation that did not happen, and may when it is sent again, is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retry: Option<Retry>,
    /// How long a lasting effect may stay before it is taken back, whatever becomes of the
    /// workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lease: Option<DurationText>,
    /// Whether the effect stays when the rest of the workflow is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) keep: bool,
    /// What must be so in the observation's result, all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) until: Vec<Condition>,
    /// How many observations in a row must show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) readings: Option<u32>,
    /// How long to wait for it, from when the step begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) within: Option<DurationText>,
    /// Between two observations, to begin with; longer later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) poll: Option<DurationText>,
}

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Work<'a> {
    /// It proposes a mutation, and is done when that was applied.
    Action {
        /// The mutation.
        name: &'a str,
        /// Its parameters.
        parameters: &'a Map<String, Value>,
        /// How often it is tried again.
        retry: Option<Retry>,
        /// How long a lasting effect may stay.
        lease: Option<DurationText>,
        /// Whether the effect stays when the rest is taken back.
        keep: bool,
    },
    /// It proposes what takes back the mutation of an earlier step, as long as that is ours.
    Undo {
        /// The earlier step.
        of: &'a str,
        /// How often it is tried again.
        retry: Option<Retry>,
    },
    /// It looks until something is so, and fails when it is not so in time.
    Observe {
        /// The observation.
        name: &'a str,
        /// Its parameters.
        parameters: &'a Map<String, Value>,
        /// What must be so.
        until: &'a [Condition],
        /// How many observations in a row must show it.
        readings: u32,
        /// How long to wait for it.
        within: DurationText,
        /// Between two observations, to begin with.
        poll: DurationText,
    },
    /// It waits until somebody says that something outside is done. Nothing is run.
    Confirm {
        /// What is to be done.
        text: &'a str,
        /// How long to wait for it; `None` for as long as it takes.
        within: Option<DurationText>,
        /// Who may confirm, as patterns over actor ids; any person when empty.
        by: &'a [String],
    },
}

/// How often a mutation is tried again that did not happen, and may when it is sent again. The
/// waits double, with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Retry {
    /// How often, after the first time.
    pub times: u32,
    /// How long to wait before the second time.
    pub first: DurationText,
    /// The longest wait.
    pub longest: DurationText,
}

/// How long an observation is waited for unless a step says it.
const WITHIN: DurationText = DurationText::from_mins(10);
/// Between two observations unless a step says it.
const POLL: DurationText = DurationText::from_secs(1);

impl Retry {
    /// So often, waiting a second at first and a minute at most.
    #[must_use]
    pub const fn times(times: u32) -> Self {
        Self {
            times,
            first: DurationText::from_secs(1),
            longest: DurationText::from_mins(1),
        }
    }
}

impl Step {
    /// Proposes a mutation.
    #[must_use]
    pub fn mutation<S: Subject, M: Mutation<S>>(id: impl Into<String>, action: &M) -> Self {
        Self {
            id: id.into(),
            action: Some(M::NAME.to_owned()),
            parameters: members(action),
            ..Self::default()
        }
    }

    /// Takes back the mutation of an earlier step.
    #[must_use]
    pub fn undo(id: impl Into<String>, of: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            undo: Some(of.into()),
            ..Self::default()
        }
    }

    /// Looks until [`until`](Self::until) is so.
    #[must_use]
    pub fn observation<S: Subject, O: Observation<S>>(id: impl Into<String>, action: &O) -> Self {
        Self {
            id: id.into(),
            observe: Some(O::NAME.to_owned()),
            parameters: members(action),
            ..Self::default()
        }
    }

    /// Waits until somebody says that this is done.
    #[must_use]
    pub fn confirm(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            confirm: Some(text.into()),
            ..Self::default()
        }
    }

    /// The same step; this person, or those that the pattern matches, may confirm it.
    #[must_use]
    pub fn confirmed_by(mut self, pattern: impl Into<String>) -> Self {
        self.by.push(pattern.into());
        self
    }

    /// The same step with a purpose.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same step after another.
    #[must_use]
    pub fn needs(mut self, step: impl Into<String>) -> Self {
        self.needs.push(step.into());
        self
    }

    /// The same step, waiting for this too.
    #[must_use]
    pub fn until(mut self, condition: Condition) -> Self {
        self.until.push(condition);
        self
    }

    /// The same step; so many observations in a row must show it.
    #[must_use]
    pub fn readings(mut self, readings: u32) -> Self {
        self.readings = Some(readings);
        self
    }

    /// The same step, given up after this.
    #[must_use]
    pub fn within(mut self, within: DurationText) -> Self {
        self.within = Some(within);
        self
    }

    /// The same step, looking again after this.
    #[must_use]
    pub fn poll(mut self, poll: DurationText) -> Self {
        self.poll = Some(poll);
        self
    }

    /// The same step, tried again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// The same step; its lasting effect is taken back after this in any case.
    #[must_use]
    pub fn lease(mut self, lease: DurationText) -> Self {
        self.lease = Some(lease);
        self
    }

    /// What it is.
    #[must_use]
    pub fn work(&self) -> Work<'_> {
        let Self {
            parameters, retry, ..
        } = self;
        match (&self.action, &self.undo, &self.observe) {
            (Some(name), ..) => Work::Action {
                name,
                parameters,
                retry: *retry,
                lease: self.lease,
                keep: self.keep,
            },
            (_, Some(of), _) => Work::Undo { of, retry: *retry },
            (_, _, Some(name)) => Work::Observe {
                name,
                parameters,
                until: &self.until,
                readings: self.readings.unwrap_or(1),
                within: self.within.unwrap_or(WITHIN),
                poll: self.poll.unwrap_or(POLL),
            },
            _ => Work::Confirm {
                text: self.confirm.as_deref().unwrap_or_default(),
                within: self.within,
                by: &self.by,
            },
        }
    }
}

fn members(parameters: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(parameters) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
