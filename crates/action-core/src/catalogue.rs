//! Actions by name, of any number of systems, without the right to send.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::declare::{ErasedAction, Footprint, Page, Runbook, Valid, scope};
use crate::error::ActionError;
use crate::schema::{ActionDefinition, Effect, Risk, validate};
use crate::values::{Accepted, Outcome, Plan, Progress, Sent, Settled, Undo};

/// Actions by name, without the right to change anything. Cheap to clone.
#[derive(Default, Clone)]
pub struct Catalogue {
    pub(crate) actions: Arc<Vec<Registered>>,
    pub(crate) by_name: Arc<BTreeMap<String, usize>>,
    pub(crate) pages: Arc<Vec<Page>>,
    pub(crate) runbooks: Arc<Vec<Runbook>>,
}

/// One of them, bound to its system.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) definition: Arc<ActionDefinition>,
    /// What its name begins with where two systems of one kind are registered.
    pub(crate) prefix: Option<String>,
    pub(crate) bound: Arc<dyn ErasedAction>,
}

impl Catalogue {
    /// What all actions are, in the order they were registered.
    pub fn definitions(&self) -> impl Iterator<Item = &ActionDefinition> {
        self.actions.iter().map(|action| &*action.definition)
    }

    /// What the subjects say beside their actions, each page once.
    pub fn pages(&self) -> impl Iterator<Item = &Page> {
        self.pages.iter()
    }

    /// What to do in a case, by the subjects.
    pub fn runbooks(&self) -> impl Iterator<Item = &Runbook> {
        self.runbooks.iter()
    }

    /// What one action is.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&ActionDefinition> {
        self.find(name).map(|action| &*action.definition)
    }

    /// The same, to keep.
    #[must_use]
    pub fn shared_definition(&self, name: &str) -> Option<Arc<ActionDefinition>> {
        self.find(name).map(|action| Arc::clone(&action.definition))
    }

    /// What the name of an action begins with, where its system was registered under a prefix.
    #[must_use]
    pub fn prefix(&self, name: &str) -> Option<&str> {
        self.find(name)?.prefix.as_deref()
    }

    /// The names of all actions, in the order they were registered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.definitions()
            .map(|definition| definition.name.as_str())
    }

    /// What those actions are that put no more at stake than this. Observations put nothing at
    /// stake.
    pub fn up_to(&self, risk: Risk) -> impl Iterator<Item = &ActionDefinition> {
        self.definitions()
            .filter(move |definition| definition.risk <= Some(risk))
    }

    /// Checks parameters, all problems at once, and gives them in the schema's own types.
    ///
    /// # Errors
    /// What is wrong with them. Nothing was sent.
    pub fn validate(&self, name: &str, parameters: Value) -> Result<Value, ActionError> {
        let prepared = self.prepare(name, parameters)?;
        prepared.action.bound.check(&prepared.parameters)?;
        Ok(Value::Object(prepared.parameters))
    }

    /// The same, ready for all that can be asked about it. What is asked says what is wrong between
    /// parameters.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn prepare(&self, name: &str, given: Value) -> Result<Prepared<'_>, ActionError> {
        let action = self.known(name)?;
        match validate(&action.definition.parameters, given) {
            Ok(parameters) => Ok(Prepared { action, parameters }),
            Err(problems) => Err(ActionError::InvalidParameters {
                action: name.to_owned(),
                problems,
            }),
        }
    }

    /// Which system an action is for, in the system's own words. Reads.
    ///
    /// # Errors
    /// When it could not be asked.
    pub async fn identity(&self, name: &str) -> Result<String, ActionError> {
        self.known(name)?.bound.identity().await
    }

    /// Runs an observation.
    ///
    /// # Errors
    /// What is wrong with the parameters, or what the subject failed with.
    pub async fn observe(&self, name: &str, parameters: Value) -> Result<Value, ActionError> {
        let Prepared { action, parameters } = self.prepare(name, parameters)?;
        let mut result = action.bound.observe(&parameters).await?;
        if let Some(prefix) = &action.prefix {
            scope(&action.definition, prefix, &mut result);
        }
        Ok(result)
    }

    /// What must not be changed by two mutations at a time, such as `region/12`. Told apart by
    /// the prefix of the system.
    ///
    /// # Errors
    /// What is wrong with the parameters.
    pub fn resources(&self, name: &str, parameters: Value) -> Result<Vec<String>, ActionError> {
        Ok(self.prepare(name, parameters)?.footprint()?.resources)
    }

    /// Names what a mutation leaves in force, such as `evict-leader/4`; `None` for one that
    /// leaves nothing. Told apart by the prefix of the system.
    ///
    /// # Errors
    /// What is wrong with the parameters.
    pub fn lasting_effect(
        &self,
        name: &str,
        parameters: Value,
    ) -> Result<Option<String>, ActionError> {
        Ok(self.prepare(name, parameters)?.footprint()?.lasting_effect)
    }

    /// What a mutation would do. Reads only.
    ///
    /// # Errors
    /// What is wrong with the parameters, or what the subject failed with.
    pub async fn plan(&self, name: &str, parameters: Value) -> Result<Plan, ActionError> {
        self.prepare(name, parameters)?.plan().await
    }

    /// Whether a mutation that was sent has happened. Reads only; works from what was kept as
    /// JSON.
    ///
    /// # Errors
    /// What the subject failed with, which says nothing about the mutation.
    pub async fn probe(
        &self,
        name: &str,
        parameters: Value,
        before: &Value,
        sent: &Sent,
    ) -> Result<Progress, ActionError> {
        let Prepared { action, parameters } = self.prepare(name, parameters)?;
        action.bound.probe(&parameters, before, sent).await
    }

    /// Whether what was applied is still so, and what changed it if not. Reads only; works from
    /// what was kept as JSON.
    ///
    /// # Errors
    /// What the subject failed with, which says nothing about the mutation.
    pub async fn settled(
        &self,
        name: &str,
        parameters: Value,
        before: &Value,
        sent: &Sent,
    ) -> Result<Settled, ActionError> {
        let Prepared { action, parameters } = self.prepare(name, parameters)?;
        action.bound.settled(&parameters, before, sent).await
    }

    /// Whether what a mutation left in force is still there, and in what words it is not. Reads
    /// only; works from what was kept as JSON.
    ///
    /// # Errors
    /// What the subject failed with, which says nothing about what is in force.
    pub async fn still_in_force(
        &self,
        name: &str,
        parameters: Value,
        before: &Value,
        sent: &Sent,
    ) -> Result<Settled, ActionError> {
        let Prepared { action, parameters } = self.prepare(name, parameters)?;
        action.bound.still_in_force(&parameters, before, sent).await
    }

    /// What takes a mutation back, by the name it is registered under.
    ///
    /// # Errors
    /// When what was kept is not of this action.
    pub fn undo(
        &self,
        name: &str,
        parameters: Value,
        before: &Value,
        accepted: Option<&Accepted>,
        outcome: Option<&Outcome>,
    ) -> Result<Undo, ActionError> {
        self.prepare(name, parameters)?
            .undo(before, accepted, outcome)
    }

    fn known(&self, name: &str) -> Result<&Registered, ActionError> {
        self.find(name).ok_or_else(|| ActionError::UnknownAction {
            name: name.chars().take(80).collect(),
            similar: self.similar(name),
        })
    }

    fn find(&self, name: &str) -> Option<&Registered> {
        self.actions.get(*self.by_name.get(name)?)
    }

    fn similar(&self, name: &str) -> Option<String> {
        let near = |other: &&str| strsim::damerau_levenshtein(name, other);
        self.names()
            .filter(|_| name.len() <= 80)
            .min_by_key(near)
            .filter(|other| near(other) <= 1 + other.len() / 4)
            .map(str::to_owned)
    }
}

/// A request whose parameters fit their schema.
pub struct Prepared<'c> {
    pub(crate) action: &'c Registered,
    pub(crate) parameters: Valid,
}

impl Prepared<'_> {
    /// The parameters, in the schema's own types.
    #[must_use]
    pub fn parameters(&self) -> &Map<String, Value> {
        &self.parameters
    }

    /// What it would change, told apart by the prefix of the system.
    ///
    /// # Errors
    /// What is wrong between the parameters, and for an observation.
    pub fn footprint(&self) -> Result<Footprint, ActionError> {
        let found = self.action.bound.footprint(&self.parameters)?;
        let scoped = |key: String| self.action.scoped(key);
        Ok(Footprint {
            resources: found.resources.into_iter().map(scoped).collect(),
            lasting_effect: found.lasting_effect.map(scoped),
        })
    }

    /// What it would do. Reads only.
    ///
    /// # Errors
    /// What is wrong between the parameters, or what the subject failed with.
    pub async fn plan(&self) -> Result<Plan, ActionError> {
        self.action.bound.plan(&self.parameters).await
    }

    /// What takes it back, by the name it is registered under. A change that is over when it is
    /// done, whose request was not answered and that may have been another's, is not taken back;
    /// what lasts has its undo all the same, and whose it is is for whoever takes it back to see to.
    ///
    /// # Errors
    /// When what was kept is not of this action.
    pub fn undo(
        &self,
        before: &Value,
        accepted: Option<&Accepted>,
        outcome: Option<&Outcome>,
    ) -> Result<Undo, ActionError> {
        let bound = &self.action.bound;
        let mut undo = bound.undo(&self.parameters, before, accepted, outcome)?;
        if let (Undo::Action { name, .. }, Some(prefix)) = (&mut undo, &self.action.prefix) {
            *name = format!("{prefix}_{name}");
        }
        let lasts = self.action.definition.effect == Some(Effect::Lasting);
        let is_answered = accepted.is_some();
        if !lasts && !is_answered && outcome.is_some_and(Outcome::may_be_anothers) {
            undo = undo.by_hand();
        }
        Ok(undo)
    }
}

impl Registered {
    fn scoped(&self, key: String) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{key}"),
            None => key,
        }
    }
}
