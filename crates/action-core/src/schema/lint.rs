//! Rules that hold for every action, whatever its subject.

use serde_json::Value;

use crate::schema::definition::ActionDefinition;
use crate::schema::shape::{ParamDef, Shape};
use crate::schema::validate::fits;

/// Hosts put a prefix before a name and cut at 64 characters.
const LONGEST_NAME: usize = 40;
/// OpenAI takes no longer description of a tool.
const LONGEST_DESCRIPTION: usize = 1024;
const LONGEST_PARAMETER_DESCRIPTION: usize = 300;
const DEEPEST: usize = 3;

/// Every rule for names, descriptions and schemas that a definition breaks; empty when it is one
/// that every model host accepts.
#[must_use]
pub fn lint(definition: &ActionDefinition) -> Vec<String> {
    let mut problems = Vec::new();
    if !is_name(&definition.name) {
        problems.push(format!(
            "`{}` is not a name: write a lower-case letter, then lower-case letters, digits and \
             underscores, at most {LONGEST_NAME}",
            definition.name
        ));
    }
    describe(
        "the action",
        &definition.description,
        LONGEST_DESCRIPTION,
        &mut problems,
    );
    for parameter in &definition.parameters {
        check(parameter, &parameter.name, 1, &mut problems);
    }
    input(&definition.input_schema, &mut problems);
    output(&definition.output_schema, &mut problems);
    problems
}

/// Whether text can be the name of an action, a parameter, a subject or a prefix.
pub(crate) fn is_name(text: &str) -> bool {
    let tail = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= LONGEST_NAME
        && text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(tail)
}

fn check(parameter: &ParamDef, place: &str, depth: usize, problems: &mut Vec<String>) {
    if !is_name(&parameter.name) {
        problems.push(format!("parameter `{place}`: not a name in snake case"));
    }
    let subject = format!("parameter `{place}`");
    describe(
        &subject,
        &parameter.description,
        LONGEST_PARAMETER_DESCRIPTION,
        problems,
    );
    if let Some(default) = &parameter.default
        && let Err(problem) = fits(&parameter.shape, default.clone())
    {
        problems.push(format!("{subject}: its default is not valid: {problem}"));
    }
    check_shape(&parameter.shape, place, depth, problems);
}

fn check_shape(shape: &Shape, place: &str, depth: usize, problems: &mut Vec<String>) {
    if depth > DEEPEST {
        problems.push(format!("parameter `{place}`: nested deeper than {DEEPEST}"));
        return;
    }
    if let Some(pattern) = &shape.pattern
        && let Some(error) = pattern.problem()
    {
        problems.push(format!("parameter `{place}`: pattern `{pattern}`: {error}"));
    }
    for property in &shape.properties {
        check(
            property,
            &format!("{place}/{}", property.name),
            depth + 1,
            problems,
        );
    }
    if let Some(items) = &shape.items {
        check_shape(items, &format!("{place}/0"), depth + 1, problems);
    }
}

fn describe(subject: &str, description: &str, longest: usize, problems: &mut Vec<String>) {
    match description.chars().count() {
        0 => problems.push(format!("{subject}: has no description")),
        length if length > longest => problems.push(format!(
            "{subject}: its description has {length} characters; hosts truncate at {longest}"
        )),
        _ => {}
    }
}

fn input(schema: &Value, problems: &mut Vec<String>) {
    let closed = schema.get("type").and_then(Value::as_str) == Some("object")
        && schema.get("properties").is_some_and(Value::is_object)
        && schema.get("required").is_some_and(Value::is_array)
        && schema.get("additionalProperties") == Some(&Value::Bool(false));
    if !closed {
        problems
            .push("input schema: not a closed object with `properties` and `required`".to_owned());
    }
    keywords(
        "input schema",
        schema,
        &[
            "oneOf", "allOf", "anyOf", "not", "if", "$ref", "$defs", "$schema",
        ],
        problems,
    );
}

fn output(schema: &Value, problems: &mut Vec<String>) {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        problems.push("output schema: not an object; give the result a struct".to_owned());
    }
    keywords(
        "output schema",
        schema,
        &["oneOf", "allOf", "not", "if", "$ref", "$defs", "$schema"],
        problems,
    );
}

/// Refuses keywords wherever a schema stands.
fn keywords(subject: &str, schema: &Value, refused: &[&str], problems: &mut Vec<String>) {
    let Some(members) = schema.as_object() else {
        return;
    };
    for keyword in refused
        .iter()
        .filter(|keyword| members.contains_key(**keyword))
    {
        problems.push(format!(
            "{subject}: `{keyword}` is not understood by every host"
        ));
    }
    for (key, value) in members {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => properties
                .values()
                .for_each(|schema| keywords(subject, schema, refused, problems)),
            ("items", schema) => keywords(subject, schema, refused, problems),
            ("anyOf", Value::Array(schemas)) => schemas
                .iter()
                .for_each(|schema| keywords(subject, schema, refused, problems)),
            _ => {}
        }
    }
}
