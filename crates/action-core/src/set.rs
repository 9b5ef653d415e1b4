//! See [`ActionSet`].

use std::sync::Arc;

use schemars::JsonSchema;

use crate::bound::{Bound, Erased, Looking, Moving};
use crate::definition::{ActionDefinition, ActionKind};
use crate::mutation::Mutation;
use crate::observation::Observation;
use crate::outcome::Outcome;
use crate::schema::{self, Input};
use crate::subject::Subject;

/// The actions of a subject, in the order they should be documented.
///
/// Each stands here as what is derived from its declaration.
pub struct ActionSet<S: Subject> {
    pub(crate) entries: Vec<Entry<S>>,
}

/// One action, before it is bound to a system.
pub(crate) struct Entry<S> {
    pub(crate) definition: ActionDefinition,
    /// What is wrong with the declaration.
    pub(crate) problems: Vec<String>,
    pub(crate) bind: fn(Arc<S>) -> Arc<dyn Erased>,
}

impl<S: Subject> Default for ActionSet<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Subject> ActionSet<S> {
    /// No actions yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// Adds an action that changes nothing.
    #[must_use]
    pub fn observation<A: Observation<S>>(mut self) -> Self {
        let (mut definition, mut problems) = define::<S, A, A::Output>(A::NAME);
        definition.cost = Some(A::COST);
        definition.role = A::ROLE;
        definition.idempotent = true;
        problems.extend(crate::finding::lint(&definition));
        problems.extend(crate::workflow::lint(&definition));
        self.entries.push(Entry {
            definition,
            problems,
            bind: |subject| Arc::new(Bound::<S, A, Looking>::new(A::NAME, subject)),
        });
        self
    }

    /// Adds an action that changes something.
    #[must_use]
    pub fn mutation<A: Mutation<S>>(mut self) -> Self {
        let (mut definition, problems) = define::<S, A, Outcome>(A::NAME);
        definition.kind = ActionKind::Mutation;
        definition.risk = Some(A::RISK);
        definition.effect = Some(A::EFFECT);
        definition.reversible = A::REVERSIBLE;
        definition.idempotent = A::IDEMPOTENT;
        definition.requires_approval = A::REQUIRES_APPROVAL;
        self.entries.push(Entry {
            definition,
            problems,
            bind: |subject| Arc::new(Bound::<S, A, Moving>::new(A::NAME, subject)),
        });
        self
    }

    /// The definitions, without a system to bind them to.
    pub fn definitions(&self) -> impl Iterator<Item = &ActionDefinition> {
        self.entries.iter().map(|entry| &entry.definition)
    }
}

/// The definition of an observation, and what is wrong with its declaration.
fn define<S: Subject, A: JsonSchema, O: JsonSchema>(name: &str) -> (ActionDefinition, Vec<String>) {
    let (input, mut problems) = match schema::input_of::<A>() {
        Ok(input) => (input, Vec::new()),
        Err(problem) => (Input::default(), vec![problem.to_string()]),
    };
    let definition = ActionDefinition {
        name: name.to_owned(),
        subject: S::NAME.to_owned(),
        title: title(name),
        description: input.description,
        kind: ActionKind::Observation,
        risk: None,
        effect: None,
        cost: None,
        role: None,
        reversible: false,
        idempotent: false,
        requires_approval: false,
        parameters: input.parameters,
        input_schema: input.schema,
        output_schema: schema::output_of::<O>(),
    };
    if problems.is_empty() {
        problems = crate::lint::lint(&definition);
    }
    (definition, problems)
}

/// `transfer_leader` is "Transfer leader".
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
