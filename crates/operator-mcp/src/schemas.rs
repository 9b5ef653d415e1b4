//! Schemas as they are listed.

use action_core::OutputSchema;
use schemars::JsonSchema;
use serde_json::Value;

/// The schema of an answer, in one piece and without prose.
pub(crate) fn of<A: JsonSchema>() -> Value {
    let mut schema = Value::clone(&OutputSchema::of::<A>());
    without_descriptions(Some(&mut schema));
    schema
}

/// Takes the prose out of what a tool gives: hosts hold results to that schema, and show a model only what
/// a tool takes. It would be half of the list.
pub(crate) fn without_descriptions(schema: Option<&mut Value>) {
    match schema {
        Some(Value::Object(members)) => {
            // A member of a result may have that name, too, and is then no text.
            if members.get("description").is_some_and(Value::is_string) {
                members.remove("description");
            }
            for member in members.values_mut() {
                without_descriptions(Some(member));
            }
        }
        Some(Value::Array(values)) => {
            for value in values {
                without_descriptions(Some(value));
            }
        }
        _ => {}
    }
}
