//! What is derived when an action is listed: its definition, and what is wrong with it.

use std::sync::Arc;

use schemars::JsonSchema;

use crate::declare::action_set::{ActionSet, Entry};
use crate::declare::bound_action::{BoundAction, MutationKind, ObservationKind};
use crate::declare::mutation::Mutation;
use crate::declare::observation::Observation;
use crate::declare::role_rules;
use crate::declare::subject::Subject;
use crate::schema::{ActionDefinition, ActionKind, Input, input_of, lint, output_of};
use crate::values::Outcome;

impl<S: Subject> ActionSet<S> {
    /// Adds an action that changes nothing.
    #[must_use]
    pub fn observation<A: Observation<S>>(mut self) -> Self {
        let (mut definition, mut problems) = define::<S, A, A::Output>(A::NAME);
        definition.cost = Some(A::COST);
        definition.role = A::ROLE;
        definition.idempotent = true;
        problems.extend(role_rules::lint(&definition));
        self.entries.push(Entry {
            definition,
            problems,
            bind: |subject| Arc::new(BoundAction::<S, A, ObservationKind>::new(A::NAME, subject)),
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
            bind: |subject| Arc::new(BoundAction::<S, A, MutationKind>::new(A::NAME, subject)),
        });
        self
    }
}

/// The definition of an observation, and what is wrong with its declaration.
fn define<S: Subject, A: JsonSchema, O: JsonSchema>(name: &str) -> (ActionDefinition, Vec<String>) {
    let (input, mut problems) = match input_of::<A>() {
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
        output_schema: output_of::<O>(),
    };
    if problems.is_empty() {
        problems = lint(&definition);
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
