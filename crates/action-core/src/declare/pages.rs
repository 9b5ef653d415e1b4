//! What a subject says beside its actions: pages about it, and what to do in a case.

use std::fmt;

use serde_json::Value;

use crate::declare::input_def::{InputDef, input_def};
use crate::declare::parameters::Parameters;
use crate::error::RegistryError;
use crate::schema::{Problem, validate};

/// A page about a system, such as what its codes mean.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// What it is called, such as `reasons`.
    pub name: String,
    /// The same for people.
    pub title: String,
    /// Markdown.
    pub text: String,
}

impl Page {
    /// A page in Markdown.
    #[must_use]
    pub fn new(name: impl Into<String>, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            text: text.into(),
        }
    }
}

/// What to do in a case, step by step, by the actions of a subject and by what every front end has: plan,
/// ask for, look at and take back.
#[derive(Clone)]
#[non_exhaustive]
pub struct Runbook {
    /// What it is called, such as `hot_region`.
    pub name: String,
    /// The same for people.
    pub title: String,
    /// Markdown, in which `{store_id}` stands for a parameter of that name, and what is called stands
    /// in backticks, and nothing else does.
    pub text: String,
    input: fn() -> Result<InputDef, RegistryError>,
}

/// What stands for a parameter that is not given.
const NOT_GIVEN: &str = "not given";

impl Runbook {
    /// One that takes these parameters, whose documentation says what it is for.
    #[must_use]
    pub fn of<P: Parameters>(
        name: impl Into<String>,
        title: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            text: text.into(),
            input: input_def::<P>,
        }
    }

    /// What it is for, and what it takes.
    ///
    /// # Errors
    /// When a parameter is declared as no schema can say it.
    pub fn input(&self) -> Result<InputDef, RegistryError> {
        (self.input)()
    }

    /// The text for these parameters.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn filled(&self, given: Value) -> Result<String, Vec<Problem>> {
        let parameters = self.input().map(|input| input.parameters);
        let parameters = parameters.unwrap_or_default();
        let valid = validate(&parameters, given)?;
        let mut text = self.text.clone();
        for parameter in &parameters {
            let value = match valid.get(&parameter.name) {
                None | Some(Value::Null) => NOT_GIVEN.to_owned(),
                Some(Value::String(value)) => value.clone(),
                Some(value) => value.to_string(),
            };
            text = text.replace(&format!("{{{}}}", parameter.name), &value);
        }
        Ok(text)
    }

    /// The same for a system whose actions have names that begin with a prefix.
    pub(crate) fn prefixed<'n>(
        mut self,
        prefix: &str,
        actions: impl Iterator<Item = &'n str>,
    ) -> Self {
        self.name = format!("{prefix}_{}", self.name);
        for name in actions {
            let scoped = format!("`{prefix}_{name}`");
            self.text = self.text.replace(&format!("`{name}`"), &scoped);
        }
        self
    }
}

impl fmt::Debug for Runbook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runbook")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
