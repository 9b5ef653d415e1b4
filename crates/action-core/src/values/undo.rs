//! What takes a mutation back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::values::plan::{Plan, drift};
use crate::values::precondition::{Comparison, Precondition};

/// The action that takes a mutation back, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Undo {
    /// This action takes it back.
    Action {
        /// Its name.
        name: String,
        /// Its parameters.
        parameters: Map<String, Value>,
        /// Facts of its plan without which somebody has changed things since, and taking back
        /// would take back theirs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        expects: Vec<Precondition>,
    },
    /// There is nothing that takes it back.
    None {
        /// Why.
        reason: String,
    },
}

impl Undo {
    /// Not taken back.
    #[must_use]
    pub fn none(reason: impl Into<String>) -> Self {
        Self::None {
            reason: reason.into(),
        }
    }

    /// What it comes to where a request was not answered and whose doing it was is not known:
    /// nothing takes back what may be another's, and what would is named for whoever knows better.
    #[must_use]
    pub fn by_hand(self) -> Self {
        match self {
            Self::Action {
                name, parameters, ..
            } => {
                let parameters = Value::Object(parameters);
                Self::none(format!(
                    "the request got no answer, and somebody else may have made the same change, which is not taken back. To change it back anyway, run `{name}` with {parameters}"
                ))
            }
            Self::None { .. } => self,
        }
    }

    /// Only while this precondition of its plan has this value.
    #[must_use]
    pub fn expecting(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Self::Action { expects, .. } = &mut self {
            expects.push(Precondition::new(name, value, Comparison::Same));
        }
        self
    }

    /// The expectations that a plan of the undoing action does not meet, as `(then, now)`.
    #[must_use]
    pub fn drift<'a>(
        &'a self,
        plan: &'a Plan,
    ) -> Vec<(&'a Precondition, Option<&'a Precondition>)> {
        match self {
            Self::Action { expects, .. } => drift(expects, plan),
            Self::None { .. } => Vec::new(),
        }
    }
}
