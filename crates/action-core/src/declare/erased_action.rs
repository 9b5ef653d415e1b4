//! Any action behind one type: JSON in, JSON out.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::error::ActionError;
use crate::schema::ActionKind;
use crate::values::{Accepted, Attempt, Outcome, Plan, Progress, Sent, Settled, Undo};

/// Parameters that were validated and are in the schema's own types.
pub(crate) type Valid = Map<String, Value>;

/// What must be known of a mutation before it is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Footprint {
    /// What must not be changed by two mutations at a time, such as `region/12`.
    pub resources: Vec<String>,
    /// What it leaves in force, such as `evict-leader/4`.
    pub lasting_effect: Option<String>,
}

/// Any action. What it is not made for, it refuses.
#[async_trait]
pub(crate) trait ErasedAction: Send + Sync {
    fn check(&self, parameters: &Valid) -> Result<(), ActionError>;
    /// What the action's own struct writes of them.
    fn written(&self, parameters: &Valid) -> Result<Value, ActionError>;
    async fn identity(&self) -> Result<String, ActionError>;

    async fn observe(&self, _: &Valid) -> Result<Value, ActionError> {
        Err(self.wrong_kind(ActionKind::Observation))
    }
    fn footprint(&self, _: &Valid) -> Result<Footprint, ActionError> {
        Err(self.wrong_kind(ActionKind::Mutation))
    }
    async fn plan(&self, _: &Valid) -> Result<Plan, ActionError> {
        Err(self.wrong_kind(ActionKind::Mutation))
    }
    async fn send(&self, _: &Valid, _: &Value, _: &Attempt) -> Result<Accepted, ActionError> {
        Err(self.wrong_kind(ActionKind::Mutation))
    }
    async fn probe(&self, _: &Valid, _: &Value, _: &Sent) -> Result<Progress, ActionError> {
        Err(self.wrong_kind(ActionKind::Mutation))
    }
    async fn settled(&self, _: &Valid, _: &Value, _: &Sent) -> Result<Settled, ActionError> {
        Err(self.wrong_kind(ActionKind::Mutation))
    }
    async fn still_in_force(&self, _: &Valid, _: &Value, _: &Sent) -> Result<Settled, ActionError> {
        Err(self.wrong_kind(ActionKind::Mutation))
    }
    fn undo(
        &self,
        _: &Valid,
        _: &Value,
        _: Option<&Accepted>,
        _: Option<&Outcome>,
    ) -> Result<Undo, ActionError> {
        Err(self.wrong_kind(ActionKind::Mutation))
    }
    fn wrong_kind(&self, wanted: ActionKind) -> ActionError;
}
