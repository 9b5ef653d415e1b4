//! What an action is, as data.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema::output_schema::OutputSchema;
use crate::schema::shape::ParamDef;

/// What an action is, as data: enough to show it, offer it to a model, validate a request for it
/// and write a policy over it. Derived from the action's declaration, never written by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActionDefinition {
    /// What it is called by, with the prefix it was registered under.
    pub name: String,
    /// The kind of system it is for, such as `tikv`.
    pub subject: String,
    /// Its name for people.
    pub title: String,
    /// What happens, what success means, and what to know before.
    pub description: String,
    /// Whether it changes anything.
    pub kind: ActionKind,
    /// What a mutation puts at stake; observations have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// How long a mutation stays in force; observations have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// What an observation costs the system; mutations have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// What an observation is for, when front ends look for one of that kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The members of what an observation lists that tables begin with, those that matter most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Whether there is an action that takes it back. Observations have nothing to take back.
    pub reversible: bool,
    /// Whether a repetition changes nothing more.
    pub idempotent: bool,
    /// Whether a person must agree where no policy says otherwise.
    pub requires_approval: bool,
    /// Its parameters, in the order they are declared.
    pub parameters: Vec<ParamDef>,
    /// JSON Schema (2020-12) of the parameters: a closed object, inlined.
    pub input_schema: Value,
    /// JSON Schema (2020-12) of the result: an object that may gain members. A mutation's result
    /// is an [`Outcome`](crate::Outcome).
    pub output_schema: OutputSchema,
}

impl ActionDefinition {
    /// Whether it changes something.
    #[must_use]
    pub fn is_mutation(&self) -> bool {
        self.kind == ActionKind::Mutation
    }
}

/// Whether an action changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionKind {
    /// It reads.
    Observation,
    /// It changes something.
    Mutation,
}

/// What a mutation puts at stake, from the lowest to the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Risk {
    /// Undone at once, and moves nothing that serves.
    Low,
    /// Moves leadership or load.
    Medium,
    /// Moves data, lasts until taken back, or can cost availability.
    High,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// How long a mutation stays in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// Over when it is done.
    OneShot,
    /// In force until it is taken back.
    Lasting,
}

/// What an observation costs the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cost {
    /// A few reads of single things.
    Point,
    /// Reads of lists that grow with the number of machines.
    List,
    /// Reads that grow with the amount of data.
    Scan,
}

/// What an observation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Shows the system at a glance: a dashboard looks at all of these again and again, in the order of
    /// the catalogue. So it needs no parameter, and is no scan.
    Overview,
    /// Says why something is not as it should be.
    Diagnose,
    /// Lists lasting effects in force.
    Leftovers,
    /// Lists what should hold at all times and does not.
    Invariants,
    /// Says whether something is [safe](crate::Safety) to do.
    Safety,
    /// Makes a [`Workflow`](crate::Workflow), for somebody to start.
    Workflow,
}
