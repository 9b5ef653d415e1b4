//! An action that changes nothing.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Serialize;

use crate::declare::parameters::Parameters;
use crate::declare::subject::Subject;
use crate::schema::{Cost, Problem, Role};

/// An action that changes nothing.
#[async_trait]
pub trait Observation<S: Subject>: Parameters {
    /// What it is called: a verb and what it looks at, in snake case.
    const NAME: &'static str;

    /// What it costs the system.
    const COST: Cost;

    /// What it is for, when front ends look for one of that kind.
    const ROLE: Option<Role> = None;

    /// The members of the things it lists that tables for people begin with, those that matter most
    /// first. Others follow by name, and are left out first where there is no room.
    const COLUMNS: &'static [&'static str] = &[];

    /// What it gives: a struct with documented fields.
    type Output: Serialize + JsonSchema + Send;

    /// Problems between parameters that their types cannot rule out.
    fn check(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Looks.
    async fn observe(&self, subject: &S) -> Result<Self::Output, S::Error>;
}
