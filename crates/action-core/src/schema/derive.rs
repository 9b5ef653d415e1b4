//! From a type's derived schema to parameters, and from parameters to the schema we publish.
//!
//! Everything goes through the closed vocabulary of [`Shape`](crate::Shape): what it cannot say
//! is refused at registration, never dropped.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::schema::described::{flat_enum, joined, prose};
use crate::schema::read::Reader;
use crate::schema::shape::{ParamDef, Shape, ValueType};
use crate::schema::unsupported::SchemaProblem;

/// What is derived from one parameter struct.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) parameters: Vec<ParamDef>,
    /// The published schema.
    pub(crate) schema: Value,
    pub(crate) description: String,
}

/// Derives parameters from a struct: required ones first, in the order they are declared, then
/// optional ones by name.
pub(crate) fn input_of<P: JsonSchema>() -> Result<Input, SchemaProblem> {
    input_from(&P::schema_name(), &closed_schema_of::<P>())
}

/// The schema of what is read, with everything in one piece.
pub(crate) fn closed_schema_of<P: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<P>();
    schema.to_value()
}

/// The same from a schema of a type of this name.
pub(crate) fn input_from(type_name: &str, schema: &Value) -> Result<Input, SchemaProblem> {
    let root = Reader::new(type_name).root(schema)?;
    Ok(Input {
        schema: object_schema(&root.parameters, None),
        parameters: root.parameters,
        description: root.description,
    })
}

/// Derives the schema of a result: an object that may gain members.
pub(crate) fn output_of<O: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .for_serialize();
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<O>()
        .to_value();
    tidy(&mut schema);
    schema
}

/// The published schema of a closed object.
fn object_schema(parameters: &[ParamDef], description: Option<&str>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in parameters {
        let mut schema = value_schema(&parameter.shape, Some(&parameter.description));
        if let (Some(default), Value::Object(members)) = (&parameter.default, &mut schema) {
            members.insert("default".to_owned(), default.clone());
        }
        properties.insert(parameter.name.clone(), schema);
        if parameter.required {
            required.push(parameter.name.as_str());
        }
    }
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    if let (Some(description), Value::Object(members)) = (description, &mut schema) {
        members.insert("description".to_owned(), description.into());
    }
    schema
}

/// The published schema of a value.
pub(crate) fn value_schema(shape: &Shape, description: Option<&str>) -> Value {
    if shape.kind == ValueType::Object {
        return object_schema(&shape.properties, description);
    }
    let mut members = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(key.to_owned(), value);
        }
    };
    put("type", Some(shape.kind.as_str().into()));
    put("description", description.map(Value::from));
    put("minimum", shape.minimum.clone().map(Value::Number));
    put("maximum", shape.maximum.clone().map(Value::Number));
    put("minLength", shape.min_length.map(Value::from));
    put("maxLength", shape.max_length.map(Value::from));
    let pattern = shape.pattern.as_ref();
    put("pattern", pattern.map(|pattern| pattern.as_str().into()));
    let choices = (!shape.choices.is_empty()).then(|| shape.choices.clone().into());
    put("enum", choices);
    put("minItems", shape.min_items.map(Value::from));
    put("maxItems", shape.max_items.map(Value::from));
    let items = shape.items.as_ref().map(|items| value_schema(items, None));
    put("items", items);
    Value::Object(members)
}

/// Takes out what hosts stumble over and nobody reads, and folds documented enums flat.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("$schema");
            // A property may be called `title` or `format`; then it is a schema, not text.
            for key in ["title", "format"] {
                if members.get(key).is_some_and(Value::is_string) {
                    members.remove(key);
                }
            }
            if let Some((choices, described)) = members.get("oneOf").and_then(flat_enum) {
                members.remove("oneOf");
                members.insert("type".to_owned(), "string".into());
                members.insert("enum".to_owned(), choices.into());
                let description = members.get("description").and_then(Value::as_str);
                let description = joined(description.unwrap_or_default(), &described);
                members.insert("description".to_owned(), description.into());
            }
            for (key, value) in members.iter_mut() {
                match value {
                    Value::String(text) if key == "description" => *text = prose(text),
                    _ => tidy(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}
