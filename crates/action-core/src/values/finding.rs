//! Something that is not as it should be, and what can be done about it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::values::evidence::Evidence;

/// Something that is not as it should be, and what can be done about it.
///
/// The result of an observation whose role is `diagnose` or `leftovers` has a list of these in a
/// member called `findings`, so that front ends can show any subject's.
///
/// ```
/// use action_core::Finding;
///
/// let finding = Finding::new("left_over_drain", "store/4", "leaders are kept off store 4")
///     .seen("GET /stores", "leader_count", 0)
///     .next("stop the drain, unless somebody still works on the store")
///     .effect("evict-leader/4");
/// assert_eq!(finding.evidence[0].fact, "leader_count");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Finding {
    /// A stable code for what it is.
    pub code: String,
    /// What it is about, such as `store/4`.
    pub about: String,
    /// What it is, for people.
    pub text: String,
    /// What was read that shows it.
    pub evidence: Vec<Evidence>,
    /// The next safe step, for people; empty where none is known that would work.
    pub next: String,
    /// The mutation that fixes it, where there is one and all its parameters are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// The lasting effect that it is, such as `evict-leader/4`: whoever keeps a record of effects
    /// knows by this whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting_effect: Option<String>,
}

/// A mutation that fixes something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Fix {
    /// The name of the action.
    pub name: String,
    /// Its parameters.
    pub parameters: Map<String, Value>,
}

impl Finding {
    /// Something that is not as it should be.
    #[must_use]
    pub fn new(code: &str, about: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            about: about.into(),
            text: text.into(),
            evidence: Vec::new(),
            next: String::new(),
            fix: None,
            lasting_effect: None,
        }
    }

    /// Shown by something that was read.
    #[must_use]
    pub fn seen(mut self, source: impl Into<String>, fact: &str, value: impl Into<Value>) -> Self {
        self.evidence.push(Evidence::new(source, fact, value));
        self
    }

    /// To be met with this step.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next = step.into();
        self
    }

    /// The lasting effect of this name.
    #[must_use]
    pub fn effect(mut self, lasting_effect: impl Into<String>) -> Self {
        self.lasting_effect = Some(lasting_effect.into());
        self
    }
}
