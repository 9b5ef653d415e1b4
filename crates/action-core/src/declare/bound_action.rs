//! A typed action bound to a system, as an erased one.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::declare::erased_action::{ErasedAction, Footprint, Valid};
use crate::declare::mutation::Mutation;
use crate::declare::observation::Observation;
use crate::declare::subject::{Subject, SubjectError};
use crate::error::ActionError;
use crate::schema::{ActionKind, Problem};
use crate::values::{Accepted, Attempt, Outcome, Plan, Progress, Sent, Settled, Undo};

/// Marks an observation.
pub(crate) struct ObservationKind;
/// Marks a mutation.
pub(crate) struct MutationKind;

/// An action and the system it is for.
pub(crate) struct BoundAction<S, A, K> {
    name: &'static str,
    subject: Arc<S>,
    action: PhantomData<fn() -> (A, K)>,
}

impl<S: Subject, A: DeserializeOwned, K> BoundAction<S, A, K> {
    pub(crate) fn new(name: &'static str, subject: Arc<S>) -> Self {
        Self {
            name,
            subject,
            action: PhantomData,
        }
    }

    /// The typed action; `check` tells what is wrong between its parameters.
    fn typed(&self, parameters: &Valid, check: fn(&A) -> Vec<Problem>) -> Result<A, ActionError> {
        let invalid = |problems| ActionError::InvalidParameters {
            action: self.name.to_owned(),
            problems,
        };
        // A type may refuse what its schema cannot express, such as the last digit of a bound.
        let action = A::deserialize(parameters).map_err(|error| {
            let given = Value::Object(parameters.clone());
            invalid(vec![Problem::combination("", given, error.to_string())])
        })?;
        match check(&action) {
            problems if problems.is_empty() => Ok(action),
            problems => Err(invalid(problems)),
        }
    }

    fn failed(&self, error: S::Error) -> ActionError {
        ActionError::Subject {
            action: self.name.to_owned(),
            kind: error.kind(),
            code: error.code(),
            source: Box::new(error),
        }
    }

    fn facts<T: DeserializeOwned>(&self, facts: &Value) -> Result<T, ActionError> {
        T::deserialize(facts).map_err(|source| ActionError::Facts {
            action: self.name.to_owned(),
            source,
        })
    }

    fn unwritable(&self, source: serde_json::Error) -> ActionError {
        ActionError::Result {
            action: self.name.to_owned(),
            source,
        }
    }
}

#[async_trait]
impl<S: Subject, A: Observation<S>> ErasedAction for BoundAction<S, A, ObservationKind> {
    fn check(&self, parameters: &Valid) -> Result<(), ActionError> {
        self.typed(parameters, A::check).map(drop)
    }

    fn written(&self, parameters: &Valid) -> Result<Value, ActionError> {
        let action = self.typed(parameters, A::check)?;
        serde_json::to_value(action).map_err(|error| self.unwritable(error))
    }

    async fn identity(&self) -> Result<String, ActionError> {
        let identity = self.subject.identity().await;
        identity.map_err(|error| self.failed(error))
    }

    async fn observe(&self, parameters: &Valid) -> Result<Value, ActionError> {
        let action = self.typed(parameters, A::check)?;
        let output = action.observe(&self.subject).await;
        let output = output.map_err(|error| self.failed(error))?;
        serde_json::to_value(output).map_err(|error| self.unwritable(error))
    }

    fn wrong_kind(&self, wanted: ActionKind) -> ActionError {
        ActionError::WrongKind {
            name: self.name.to_owned(),
            is: ActionKind::Observation,
            wanted,
        }
    }
}

#[async_trait]
impl<S: Subject, A: Mutation<S>> ErasedAction for BoundAction<S, A, MutationKind> {
    fn check(&self, parameters: &Valid) -> Result<(), ActionError> {
        self.typed(parameters, A::check).map(drop)
    }

    fn written(&self, parameters: &Valid) -> Result<Value, ActionError> {
        let action = self.typed(parameters, A::check)?;
        serde_json::to_value(action).map_err(|error| self.unwritable(error))
    }

    async fn identity(&self) -> Result<String, ActionError> {
        let identity = self.subject.identity().await;
        identity.map_err(|error| self.failed(error))
    }

    fn footprint(&self, parameters: &Valid) -> Result<Footprint, ActionError> {
        let action = self.typed(parameters, A::check)?;
        Ok(Footprint {
            resources: action.resources(),
            lasting_effect: action.lasting_effect(),
        })
    }

    async fn plan(&self, parameters: &Valid) -> Result<Plan, ActionError> {
        let action = self.typed(parameters, A::check)?;
        let plan = action.plan(&self.subject).await;
        let plan = plan.map_err(|error| self.failed(error))?;
        plan.erased().map_err(|error| self.unwritable(error))
    }

    async fn send(
        &self,
        parameters: &Valid,
        before: &Value,
        attempt: &Attempt,
    ) -> Result<Accepted, ActionError> {
        let action = self.typed(parameters, A::check)?;
        let before: A::Before = self.facts(before)?;
        let accepted = action.send(&self.subject, &before, attempt).await;
        accepted.map_err(|error| self.failed(error))
    }

    async fn probe(
        &self,
        parameters: &Valid,
        before: &Value,
        sent: &Sent,
    ) -> Result<Progress, ActionError> {
        let action = self.typed(parameters, A::check)?;
        let before: A::Before = self.facts(before)?;
        let progress = action.probe(&self.subject, &before, sent).await;
        progress.map_err(|error| self.failed(error))
    }

    async fn settled(
        &self,
        parameters: &Valid,
        before: &Value,
        sent: &Sent,
    ) -> Result<Settled, ActionError> {
        let action = self.typed(parameters, A::check)?;
        let before: A::Before = self.facts(before)?;
        let settled = action.settled(&self.subject, &before, sent).await;
        settled.map_err(|error| self.failed(error))
    }

    async fn still_in_force(
        &self,
        parameters: &Valid,
        before: &Value,
        sent: &Sent,
    ) -> Result<Settled, ActionError> {
        let action = self.typed(parameters, A::check)?;
        let before: A::Before = self.facts(before)?;
        let settled = action.still_in_force(&self.subject, &before, sent).await;
        settled.map_err(|error| self.failed(error))
    }

    fn undo(
        &self,
        parameters: &Valid,
        before: &Value,
        accepted: Option<&Accepted>,
        outcome: Option<&Outcome>,
    ) -> Result<Undo, ActionError> {
        let action = self.typed(parameters, A::check)?;
        let before: A::Before = self.facts(before)?;
        Ok(action.undo(&before, accepted, outcome))
    }

    fn wrong_kind(&self, wanted: ActionKind) -> ActionError {
        ActionError::WrongKind {
            name: self.name.to_owned(),
            is: ActionKind::Mutation,
            wanted,
        }
    }
}
