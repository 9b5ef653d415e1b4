//! Actions by name, of any number of systems: with the right to send, and without.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;

use crate::declare::{ErasedAction, Footprint, Subject, Valid, scope};
use crate::error::{ActionError, RegistryError};
use crate::schema::{ActionDefinition, Risk, is_name, validate};
use crate::values::{Accepted, Attempt, Outcome, Plan, Progress, Sent, Settled, Undo};

/// Actions by name, of any number of systems, with the right to change them.
///
/// Everything that only reads is on [`Catalogue`], which this dereferences to. Front ends are
/// handed a catalogue; who holds the registry decides what is sent.
#[derive(Default, Clone)]
pub struct ActionRegistry {
    catalogue: Catalogue,
}

/// Actions by name, without the right to change anything. Cheap to clone.
#[derive(Default, Clone)]
pub struct Catalogue {
    actions: Arc<Vec<Registered>>,
    by_name: Arc<BTreeMap<String, usize>>,
}

#[derive(Clone)]
struct Registered {
    definition: Arc<ActionDefinition>,
    prefix: Option<String>,
    bound: Arc<dyn ErasedAction>,
}

impl Deref for ActionRegistry {
    type Target = Catalogue;

    fn deref(&self) -> &Catalogue {
        &self.catalogue
    }
}

impl ActionRegistry {
    /// No actions yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the actions of a system under their own names. All or none.
    ///
    /// # Errors
    /// When a name is taken, or an action breaks the rules for names, descriptions and schemas.
    pub fn register<S: Subject>(&mut self, subject: S) -> Result<(), RegistryError> {
        self.add(None, subject)
    }

    /// Adds the actions of a system under names that begin with a prefix and an underscore, so
    /// that two systems of one kind can be told apart. All or none.
    ///
    /// # Errors
    /// As [`register`](Self::register), and when the prefix cannot begin a name.
    pub fn register_as<S: Subject>(
        &mut self,
        prefix: &str,
        subject: S,
    ) -> Result<(), RegistryError> {
        self.add(Some(prefix), subject)
    }

    fn add<S: Subject>(&mut self, prefix: Option<&str>, subject: S) -> Result<(), RegistryError> {
        let subject = Arc::new(subject);
        let mut actions = Vec::clone(&self.catalogue.actions);
        let mut by_name = BTreeMap::clone(&self.catalogue.by_name);
        for entry in S::actions().entries {
            let mut definition = entry.definition;
            if !entry.problems.is_empty() {
                return Err(RegistryError::Malformed {
                    subject: definition.subject,
                    action: definition.name,
                    problems: entry.problems,
                });
            }
            if let Some(prefix) = prefix {
                definition.name = prefixed(prefix, &definition.name)?;
            }
            let owner = owner(prefix, S::NAME);
            if let Some(taken) = by_name
                .get(&definition.name)
                .and_then(|&at| actions.get(at))
            {
                let taken: &Registered = taken;
                return Err(RegistryError::Duplicate {
                    name: definition.name,
                    first: self::owner(taken.prefix.as_deref(), &taken.definition.subject),
                    second: owner,
                });
            }
            by_name.insert(definition.name.clone(), actions.len());
            actions.push(Registered {
                definition: Arc::new(definition),
                prefix: prefix.map(str::to_owned),
                bound: (entry.bind)(Arc::clone(&subject)),
            });
        }
        self.catalogue = Catalogue {
            actions: Arc::new(actions),
            by_name: Arc::new(by_name),
        };
        Ok(())
    }

    /// The same actions without the right to change anything.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        self.catalogue.clone()
    }

    /// Sends a mutation, in exactly one request. Neither plans nor waits for completion. `before`
    /// are the facts of its plan.
    ///
    /// For whoever has recorded the attempt before and probes after.
    ///
    /// # Errors
    /// [`FailureKind::Unknown`](crate::FailureKind::Unknown) when it may have happened; any other
    /// kind promises that it does not.
    pub async fn send(
        &self,
        name: &str,
        parameters: Value,
        before: &Value,
        attempt: &Attempt,
    ) -> Result<Accepted, ActionError> {
        let (action, parameters) = self.catalogue.prepared(name, parameters)?;
        action.bound.send(parameters, before, attempt).await
    }

    /// Fires a mutation and forgets it: no record, no proof. It plans for the facts that the
    /// request may need, and sends whatever the plan's verdict is. Returns when the system has
    /// accepted, with its words, or with its refusal in its words.
    ///
    /// # Errors
    /// As [`send`](Self::send), and what could not be read. Nothing was sent then.
    pub async fn invoke_unguarded(
        &self,
        name: &str,
        parameters: Value,
    ) -> Result<Accepted, ActionError> {
        let plan = self.plan(name, parameters.clone()).await?;
        self.send(name, parameters, &plan.before, &Attempt::untracked())
            .await
    }
}

impl Catalogue {
    /// What all actions are, in the order they were registered.
    pub fn definitions(&self) -> impl Iterator<Item = &ActionDefinition> {
        self.actions.iter().map(|action| &*action.definition)
    }

    /// What one action is.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&ActionDefinition> {
        self.find(name).map(|action| &*action.definition)
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
        let (action, parameters) = self.prepared(name, parameters)?;
        action.bound.check(parameters.clone())?;
        Ok(Value::Object(parameters))
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
        let (action, parameters) = self.prepared(name, parameters)?;
        let mut result = action.bound.observe(parameters).await?;
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
        let (action, parameters) = self.prepared(name, parameters)?;
        let Footprint { resources, .. } = action.bound.footprint(parameters)?;
        Ok(resources
            .into_iter()
            .map(|key| action.scoped(key))
            .collect())
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
        let (action, parameters) = self.prepared(name, parameters)?;
        let Footprint { lasting_effect, .. } = action.bound.footprint(parameters)?;
        Ok(lasting_effect.map(|key| action.scoped(key)))
    }

    /// What a mutation would do. Reads only.
    ///
    /// # Errors
    /// What is wrong with the parameters, or what the subject failed with.
    pub async fn plan(&self, name: &str, parameters: Value) -> Result<Plan, ActionError> {
        let (action, parameters) = self.prepared(name, parameters)?;
        action.bound.plan(parameters).await
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
        let (action, parameters) = self.prepared(name, parameters)?;
        action.bound.probe(parameters, before, sent).await
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
        let (action, parameters) = self.prepared(name, parameters)?;
        action.bound.settled(parameters, before, sent).await
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
        let (action, parameters) = self.prepared(name, parameters)?;
        let mut undo = action.bound.undo(parameters, before, accepted, outcome)?;
        if let (Undo::Action { name, .. }, Some(prefix)) = (&mut undo, &action.prefix) {
            *name = format!("{prefix}_{name}");
        }
        Ok(undo)
    }

    fn prepared(&self, name: &str, given: Value) -> Result<(&Registered, Valid), ActionError> {
        let action = self.known(name)?;
        match validate(&action.definition.parameters, given) {
            Ok(parameters) => Ok((action, parameters)),
            Err(problems) => Err(ActionError::InvalidParameters {
                action: name.to_owned(),
                problems,
            }),
        }
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

impl Registered {
    fn scoped(&self, key: String) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{key}"),
            None => key,
        }
    }
}

fn owner(prefix: Option<&str>, subject: &str) -> String {
    match prefix {
        Some(prefix) => format!("{subject} as {prefix}"),
        None => subject.to_owned(),
    }
}

fn prefixed(prefix: &str, name: &str) -> Result<String, RegistryError> {
    let joined = format!("{prefix}_{name}");
    if is_name(prefix) && is_name(&joined) {
        return Ok(joined);
    }
    Err(RegistryError::Prefix {
        prefix: prefix.to_owned(),
        longest: name.to_owned(),
    })
}
