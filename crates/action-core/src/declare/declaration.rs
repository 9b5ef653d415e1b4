//! What is derived when an action is listed: its definition, and what is wrong with it.

use std::sync::{Arc, LazyLock};

use schemars::JsonSchema;

use crate::declare::action_set::{ActionSet, Entry};
use crate::declare::bound_action::{BoundAction, MutationKind, ObservationKind};
use crate::declare::mutation::Mutation;
use crate::declare::observation::Observation;
use crate::declare::role_rules;
use crate::declare::subject::Subject;
use crate::schema::{
    ActionDefinition, ActionKind, Input, OutputSchema, SchemaProblem, input_of, lint,
};
use crate::values::Outcome;

/// Every mutation's result.
static OUTCOME: LazyLock<OutputSchema> = LazyLock::new(OutputSchema::of::<Outcome>);

impl<S: Subject> ActionSet<S> {
    /// Adds an action that changes nothing.
    #[must_use]
    pub fn observation<A: Observation<S>>(mut self) -> Self {
        let output = OutputSchema::of::<A::Output>();
        let (mut definition, unsupported) = define::<S, A>(A::NAME, output);
        definition.cost = Some(A::COST);
        definition.role = A::ROLE;
        definition.columns = A::COLUMNS.iter().map(|&name| name.to_owned()).collect();
        definition.idempotent = true;
        self.entries.push(Entry {
            definition,
            unsupported,
            bind: |subject| Arc::new(BoundAction::<S, A, ObservationKind>::new(A::NAME, subject)),
        });
        self
    }

    /// Adds an action that changes something.
    #[must_use]
    pub fn mutation<A: Mutation<S>>(mut self) -> Self {
        let (mut definition, unsupported) = define::<S, A>(A::NAME, OUTCOME.clone());
        definition.kind = ActionKind::Mutation;
        definition.risk = Some(A::RISK);
        definition.effect = Some(A::EFFECT);
        definition.reversible = A::REVERSIBLE;
        definition.idempotent = A::IDEMPOTENT;
        definition.requires_approval = A::REQUIRES_APPROVAL;
        self.entries.push(Entry {
            definition,
            unsupported,
            bind: |subject| Arc::new(BoundAction::<S, A, MutationKind>::new(A::NAME, subject)),
        });
        self
    }
}

impl<S> Entry<S> {
    /// What is wrong with the declaration. Reads the schema of the result too, which is derived
    /// then.
    pub(crate) fn problems(&self) -> Vec<String> {
        if let Some(problem) = &self.unsupported {
            return vec![problem.to_string()];
        }
        let mut problems = lint(&self.definition);
        problems.extend(role_rules::lint(&self.definition));
        problems
    }
}

/// The definition of an observation, and what its parameters have that we have no word for.
fn define<S: Subject, A: JsonSchema>(
    name: &str,
    output_schema: OutputSchema,
) -> (ActionDefinition, Option<SchemaProblem>) {
    let (input, unsupported) = match input_of::<A>() {
        Ok(input) => (input, None),
        Err(problem) => (Input::default(), Some(problem)),
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
        columns: Vec::new(),
        reversible: false,
        idempotent: false,
        requires_approval: false,
        parameters: input.parameters,
        input_schema: input.schema,
        output_schema,
    };
    (definition, unsupported)
}

/// `transfer_leader` is "Transfer leader".
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
