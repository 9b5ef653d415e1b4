//! A definition as the tool JSON of model protocols and providers.
//!
//! Names are the same everywhere. What a dialect cannot say is in the descriptions.

use serde_json::{Map, Value, json};

use crate::schema::{ActionDefinition, Effect, Risk};

/// As a tool of the Model Context Protocol, with all hints set: unset means "destructive" there.
#[must_use]
pub fn mcp(definition: &ActionDefinition) -> Value {
    let mutation = definition.is_mutation();
    // What is taken back at once destroys nothing; the protocol knows no shades.
    let destructive = mutation
        && (definition.risk >= Some(Risk::High)
            || definition.effect == Some(Effect::Lasting)
            || !definition.reversible);
    json!({
        "name": definition.name,
        "title": definition.title,
        "description": definition.description,
        "inputSchema": definition.input_schema,
        "outputSchema": definition.output_schema,
        "annotations": {
            "title": definition.title,
            "readOnlyHint": !mutation,
            "destructiveHint": destructive,
            "idempotentHint": definition.idempotent,
            "openWorldHint": false,
        },
    })
}

/// As a function of OpenAI's chat completions, in strict mode.
#[must_use]
pub fn openai_chat(definition: &ActionDefinition) -> Value {
    json!({
        "type": "function",
        "function": {
            "name": definition.name,
            "description": definition.description,
            "parameters": strict(&definition.input_schema),
            "strict": true,
        },
    })
}

/// As a function of OpenAI's responses, in strict mode.
#[must_use]
pub fn openai_responses(definition: &ActionDefinition) -> Value {
    json!({
        "type": "function",
        "name": definition.name,
        "description": definition.description,
        "parameters": strict(&definition.input_schema),
        "strict": true,
    })
}

/// As a tool of Anthropic's messages. Not strict: a request may hold only so many strict tools.
#[must_use]
pub fn anthropic(definition: &ActionDefinition) -> Value {
    json!({
        "name": definition.name,
        "description": definition.description,
        "input_schema": definition.input_schema,
    })
}

/// OpenAI's strict dialect: everything is required, what is optional may be null, and defaults
/// and lengths are not said.
fn strict(schema: &Value) -> Value {
    let Some(members) = schema.as_object() else {
        return schema.clone();
    };
    let mut strict = Map::new();
    for (key, value) in members {
        match key.as_str() {
            "default" | "minLength" | "maxLength" => {}
            "properties" | "required" => {}
            "items" => {
                strict.insert(key.clone(), self::strict(value));
            }
            _ => {
                strict.insert(key.clone(), value.clone());
            }
        }
    }
    if let Some(properties) = members.get("properties").and_then(Value::as_object) {
        let required = members.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|names| names.iter().any(|other| other == name));
        let all: Map<String, Value> = properties
            .iter()
            .map(|(name, schema)| {
                let schema = self::strict(schema);
                let schema = if is_required(name) {
                    schema
                } else {
                    or_null(schema)
                };
                (name.clone(), schema)
            })
            .collect();
        let names: Vec<&String> = all.keys().collect();
        strict.insert("required".to_owned(), json!(names));
        strict.insert("properties".to_owned(), Value::Object(all));
    }
    Value::Object(strict)
}

fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.clone(), "null"]);
    }
    if let Some(Value::Array(choices)) = schema.get_mut("enum") {
        choices.push(Value::Null);
    }
    schema
}
