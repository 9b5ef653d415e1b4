//! Actions by name, with the right to send.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;

use crate::catalogue::{Catalogue, Registered};
use crate::declare::{Runbook, Subject};
use crate::error::{ActionError, RegistryError};
use crate::schema::is_name;
use crate::values::{Accepted, Attempt};

/// Actions by name, of any number of systems, with the right to change them.
///
/// Everything that only reads is on [`Catalogue`], which this dereferences to. Front ends are
/// handed a catalogue; who holds the registry decides what is sent.
#[derive(Default, Clone)]
pub struct ActionRegistry {
    catalogue: Catalogue,
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
            let problems = entry.problems();
            let mut definition = entry.definition;
            if !problems.is_empty() {
                return Err(RegistryError::Malformed {
                    subject: definition.subject,
                    action: definition.name,
                    problems,
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
        let mut pages = Vec::clone(&self.catalogue.pages);
        // Two systems of one kind say the same.
        pages.extend(
            S::pages()
                .into_iter()
                .filter(|page| !self.catalogue.pages.contains(page)),
        );
        let mut runbooks = Vec::clone(&self.catalogue.runbooks);
        runbooks.extend(runbooks_of::<S>(prefix)?);
        self.catalogue = Catalogue {
            actions: Arc::new(actions),
            by_name: Arc::new(by_name),
            pages: Arc::new(pages),
            runbooks: Arc::new(runbooks),
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
        let prepared = self.catalogue.prepare(name, parameters)?;
        let bound = &prepared.action.bound;
        bound.send(&prepared.parameters, before, attempt).await
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

/// What a subject says to do in a case, by the names that its actions have here.
fn runbooks_of<S: Subject>(prefix: Option<&str>) -> Result<Vec<Runbook>, RegistryError> {
    let mut runbooks = S::runbooks();
    for runbook in &mut runbooks {
        runbook.input()?;
        if let Some(prefix) = prefix {
            let actions = S::actions();
            let names = actions.definitions().map(|known| known.name.as_str());
            *runbook = runbook.clone().prefixed(prefix, names);
        }
    }
    Ok(runbooks)
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
