//! What the role of an observation asks of its result, and where that result names actions.

use serde_json::Value;

use crate::schema::{ActionDefinition, Cost, Role};

/// The member of a result that holds what was found.
const FINDINGS: &str = "findings";

/// The member of a result that holds what should hold and does not.
const BREACHES: &str = "breaches";

/// The member of a result that holds a workflow's steps.
pub(crate) const STEPS: &str = "steps";

/// The member of a result that says whether something is safe.
const ANSWER: &str = "answer";

/// The member of a result that holds what the system does not know yet.
const NOT_KNOWN_YET: &str = "not_known_yet";

/// What is wrong with an action whose result is not what its role promises, or where a member that
/// front ends read is not what they take it for.
pub(super) fn lint(definition: &ActionDefinition) -> Option<String> {
    let pointer = format!("/properties/{NOT_KNOWN_YET}");
    let not_yet = definition.output_schema.pointer(&pointer);
    if not_yet.is_some_and(|schema| schema["type"] != "array") {
        let text = format!("output schema: a member called `{NOT_KNOWN_YET}` is a list");
        return Some(text);
    }
    if definition.role == Some(Role::Overview) {
        return overview(definition);
    }
    if definition.role == Some(Role::Safety) {
        let pointer = format!("/properties/{ANSWER}");
        let is_there = definition.output_schema.pointer(&pointer).is_some();
        let text = format!("output schema: an action of its role gives a member called `{ANSWER}`");
        return (!is_there).then_some(text);
    }
    let member = member(definition)?;
    let pointer = format!("/properties/{member}/type");
    let found = definition.output_schema.pointer(&pointer);
    (found.and_then(Value::as_str) != Some("array"))
        .then(|| format!("output schema: an action of its role gives a list called `{member}`"))
}

/// What keeps an action from being looked at again and again, with nothing given.
fn overview(definition: &ActionDefinition) -> Option<String> {
    let required = definition.parameters.iter().find(|one| one.required);
    if let Some(required) = required {
        let name = &required.name;
        let text = format!("role: an overview is shown by itself, so `{name}` cannot be required");
        return Some(text);
    }
    (definition.cost == Some(Cost::Scan)).then(|| {
        "role: an overview is looked at again and again, so it cannot be a scan".to_owned()
    })
}

/// The list that an action's role promises in its result.
fn member(definition: &ActionDefinition) -> Option<&'static str> {
    match definition.role? {
        Role::Diagnose | Role::Leftovers => Some(FINDINGS),
        Role::Invariants => Some(BREACHES),
        Role::Workflow => Some(STEPS),
        Role::Overview | Role::Safety => None,
    }
}

/// Writes the names in a result as they are registered, behind the prefix of a system.
pub(crate) fn scope(definition: &ActionDefinition, prefix: &str, result: &mut Value) {
    let Some(member) = member(definition) else {
        return;
    };
    let items = result.get_mut(member).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        let names: &[&str] = match member {
            FINDINGS | BREACHES => &["/fix/name"],
            _ => &["/action", "/observe"],
        };
        for pointer in names {
            if let Some(Value::String(name)) = item.pointer_mut(pointer) {
                *name = format!("{prefix}_{name}");
            }
        }
        if member == FINDINGS
            && let Some(Value::String(key)) = item.get_mut("lasting_effect")
        {
            *key = format!("{prefix}/{key}");
        }
    }
}
