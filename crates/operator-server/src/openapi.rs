//! The OpenAPI document of the API, made of the list that its router is made of.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::route::{Route, Who};

/// The document of these.
pub(crate) fn document(routes: &[Route]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The gate",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "One process that holds the credentials of clusters and authenticates callers.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": schemes(),
            "schemas": { "Problem": problem() },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "summary": route.about,
        "operationId": id(route),
        "parameters": parameters(route),
        "responses": responses(route),
        "security": match route.who {
            Who::Proven => json!([{"token": []}, {"signature": []}, {"certificate": []}]),
            Who::Signed | Who::Anybody => json!([]),
        },
    });
    if let Some(body) = &route.body {
        let is_required = body.get("required").is_some();
        operation["requestBody"] = json!({
            "required": is_required,
            "content": { "application/json": { "schema": body } },
        });
    }
    operation
}

/// A name for who makes a client of it.
fn id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1/");
    let words = path.split(['/', '-', '.']);
    let words = words.map(|word| word.trim_matches(['{', '}']));
    format!("{}_{}", route.method, words.collect::<Vec<_>>().join("_"))
}

/// What stands in its path, its query and its head.
fn parameters(route: &Route) -> Vec<Value> {
    let names = route.path.split('/');
    let names = names.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = |name: &str| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
    let mut parameters: Vec<Value> = names.map(in_path).collect();
    let properties = route
        .query
        .as_ref()
        .and_then(|query| query.get("properties"));
    for (name, schema) in properties.and_then(Value::as_object).into_iter().flatten() {
        parameters.push(json!({ "name": name, "in": "query", "schema": given(schema) }));
    }
    if route.has_key {
        let schema =
            json!({ "type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[!-~]+$" });
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "schema": schema }));
    }
    parameters
}

/// What a parameter is that is given: one that is not is left out, and never null.
fn given(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(kinds) = schema.get_mut("type").filter(|kinds| kinds.is_array())
        && let Some(only) = kinds.as_array().and_then(|kinds| kinds.first().cloned())
    {
        *kinds = only;
    }
    schema
}

fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    for status in route.done {
        let schema = match route.form {
            "application/json" => json!(route.answer),
            _ => json!({ "type": "string" }),
        };
        let content = json!({ route.form: { "schema": schema } });
        responses.insert(status.to_string(), answer(*status, content));
    }
    for status in route.refused {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let content = json!({ "application/problem+json": { "schema": schema } });
        responses.insert(status.to_string(), answer(*status, content));
    }
    Value::Object(responses)
}

fn answer(status: u16, content: Value) -> Value {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let words = status.canonical_reason().unwrap_or_default();
    json!({ "description": words, "content": content })
}

fn problem() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "description": "What went wrong (RFC 9457), with a stable code.",
        "type": "object",
        "properties": {
            "type": text, "title": text, "status": { "type": "integer" }, "code": text, "detail": text,
        },
        "required": ["type", "title", "status", "code", "detail"],
    })
}

fn schemes() -> Value {
    json!({
        "token": {
            "type": "http", "scheme": "bearer",
            "description": "A token of the gate, or an access token of a configured issuer.",
        },
        "signature": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "`Signed ACTOR TIME BODY SIGNATURE`: a person signs each request with their key.",
        },
        "certificate": { "type": "mutualTLS" },
    })
}
