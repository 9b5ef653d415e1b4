//! Reads a derived schema into the closed vocabulary.

use serde_json::{Map, Number, Value};

use crate::schema::described::{flat_enum, joined, prose};
use crate::schema::pattern::Pattern;
use crate::schema::shape::{ParamDef, Shape, ValueType};
use crate::schema::unsupported::SchemaProblem;

/// Reads the schema of one type.
pub(super) struct Reader<'a> {
    type_name: &'a str,
}

/// A parameter struct.
pub(super) struct Root {
    pub(super) parameters: Vec<ParamDef>,
    pub(super) description: String,
}

/// A value's schema, read.
struct Read {
    shape: Shape,
    description: String,
    default: Option<Value>,
}

/// What says nothing about values, or says what serde enforces anyway.
const IGNORED: &[&str] = &["title", "format", "examples", "deprecated"];

/// What the schema of a struct may say.
const OF_STRUCTS: &[&str] = &[
    "type",
    "properties",
    "required",
    "additionalProperties",
    "description",
    "default",
];

impl<'a> Reader<'a> {
    pub(super) fn new(type_name: &'a str) -> Self {
        Self { type_name }
    }

    pub(super) fn root(&self, schema: &Value) -> Result<Root, SchemaProblem> {
        let members = schema
            .as_object()
            .filter(|members| members.get("type").and_then(Value::as_str) == Some("object"))
            .ok_or_else(|| {
                self.refuse(
                    "",
                    "parameters are a struct with named fields, `{}` if it has none",
                )
            })?;
        let description = members.get("description").and_then(Value::as_str);
        let description = prose(description.unwrap_or_default());
        if description.is_empty() {
            return Err(self.refuse("", "a doc comment on the struct says what the action does"));
        }
        Ok(Root {
            parameters: self.parameters(members, "")?,
            description,
        })
    }

    fn parameters(
        &self,
        members: &Map<String, Value>,
        place: &str,
    ) -> Result<Vec<ParamDef>, SchemaProblem> {
        self.closed(members, place)?;
        let empty = Map::new();
        let properties = members.get("properties").and_then(Value::as_object);
        let properties = properties.unwrap_or(&empty);
        let required: Vec<&str> = members
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut optional: Vec<&str> = properties
            .keys()
            .map(String::as_str)
            .filter(|name| !required.contains(name))
            .collect();
        // The order of the map depends on features of `serde_json`.
        optional.sort_unstable();
        let is_required = |name: &str| required.contains(&name);
        required
            .iter()
            .chain(&optional)
            .filter_map(|name| Some((*name, properties.get(*name)?)))
            .map(|(name, schema)| {
                let place = format!("{place}/{name}");
                let read = self.value(schema, &place)?;
                if read.description.is_empty() {
                    return Err(
                        self.refuse(&place, "a doc comment on the field says what it means")
                    );
                }
                let description = complete(&read);
                Ok(ParamDef {
                    name: name.to_owned(),
                    description,
                    required: is_required(name),
                    default: read.default,
                    shape: read.shape,
                })
            })
            .collect()
    }

    /// Whether a struct says nothing more than parameters may, and takes no others.
    fn closed(&self, members: &Map<String, Value>, place: &str) -> Result<(), SchemaProblem> {
        for key in members.keys() {
            if !OF_STRUCTS.contains(&key.as_str()) && !IGNORED.contains(&key.as_str()) {
                return Err(self.refuse(
                    place,
                    &format!("`{key}` is not for parameters; keep them flat"),
                ));
            }
        }
        if members.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Err(self.refuse(
                place,
                "unknown members must be refused: add `#[serde(deny_unknown_fields)]`",
            ));
        }
        Ok(())
    }

    fn value(&self, schema: &Value, place: &str) -> Result<Read, SchemaProblem> {
        let Some(members) = schema.as_object() else {
            return Err(self.refuse(
                place,
                "any value at all is not for parameters; give it a type",
            ));
        };
        let description = members.get("description").and_then(Value::as_str);
        let mut description = prose(description.unwrap_or_default());
        let default = members.get("default").filter(|default| !default.is_null());
        if let Some(inner) = members.get("anyOf").and_then(nullable) {
            let read = self.value(inner, place)?;
            if description.is_empty() {
                description = read.description;
            }
            let default = default.cloned();
            return Ok(Read {
                shape: read.shape,
                description,
                default,
            });
        }
        if let Some((choices, described)) = members.get("oneOf").and_then(flat_enum) {
            let mut shape = Shape::new(ValueType::String);
            shape.choices = choices;
            let description = joined(&description, &described);
            return Ok(Read {
                shape,
                description,
                default: default.cloned(),
            });
        }
        let kind = self.kind(members, place)?;
        let mut shape = Shape::new(kind);
        if kind == ValueType::Object {
            shape.properties = self.parameters(members, place)?;
            return Ok(Read {
                shape,
                description,
                default: default.cloned(),
            });
        }
        for (key, value) in members {
            self.keyword(&mut shape, key, value, place)?;
        }
        if kind == ValueType::Array && shape.items.is_none() {
            return Err(self.refuse(place, "the items of a list need a type"));
        }
        Ok(Read {
            shape,
            description,
            default: default.cloned(),
        })
    }

    fn kind(&self, members: &Map<String, Value>, place: &str) -> Result<ValueType, SchemaProblem> {
        let named = match members.get("type") {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(Value::Array(names)) => {
                let mut names = names
                    .iter()
                    .filter_map(Value::as_str)
                    .filter(|name| *name != "null");
                names.next().filter(|_| names.next().is_none())
            }
            None if members.contains_key("const") || members.contains_key("enum") => Some("string"),
            _ => None,
        };
        Ok(match named {
            Some("string") => ValueType::String,
            Some("integer") => ValueType::Integer,
            Some("number") => ValueType::Number,
            Some("boolean") => ValueType::Boolean,
            Some("array") => ValueType::Array,
            Some("object") => ValueType::Object,
            _ => return Err(self.refuse(place, "a value has one type: text, number, flag, list, or an object of those; an enum has no data")),
        })
    }

    fn keyword(
        &self,
        shape: &mut Shape,
        key: &str,
        value: &Value,
        place: &str,
    ) -> Result<(), SchemaProblem> {
        let text = || value.as_str().map(str::to_owned);
        let number = || value.as_number().cloned();
        match key {
            "type" | "description" | "default" => {}
            "minimum" => shape.minimum = number(),
            "maximum" => shape.maximum = number(),
            "minLength" => shape.min_length = value.as_u64(),
            "maxLength" => shape.max_length = value.as_u64(),
            "minItems" => shape.min_items = value.as_u64(),
            "maxItems" => shape.max_items = value.as_u64(),
            "pattern" => shape.pattern = text().map(Pattern::from),
            "const" => shape.choices = text().into_iter().collect(),
            "enum" => shape.choices = self.choices(value, place)?,
            "items" => {
                shape.items = Some(Box::new(self.value(value, &format!("{place}/0"))?.shape))
            }
            "writeOnly" => shape.secret = *value == Value::Bool(true),
            "x-unit" => shape.unit = text(),
            "x-expected" => shape.expected = text(),
            "x-also-accepts" => shape.also_accepts = serde_json::from_value(value.clone()).ok(),
            ignored if IGNORED.contains(&ignored) => {}
            other => {
                return Err(self.refuse(place, &format!("`{other}` is not for parameters: every host and every message must be able to say it")));
            }
        }
        Ok(())
    }

    fn choices(&self, value: &Value, place: &str) -> Result<Vec<String>, SchemaProblem> {
        let items = value.as_array().into_iter().flatten();
        items
            .filter(|item| !item.is_null())
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| self.refuse(place, "an enum has names only"))
    }

    fn refuse(&self, place: &str, problem: &str) -> SchemaProblem {
        SchemaProblem {
            type_name: self.type_name.to_owned(),
            place: if place.is_empty() { "/" } else { place }.to_owned(),
            problem: problem.to_owned(),
        }
    }
}

/// Says in the description what some hosts drop from the schema: bounds, unit and default.
fn complete(read: &Read) -> String {
    let mut description = read.description.clone();
    let said = |description: &str, number: &Option<Number>| {
        number
            .as_ref()
            .is_none_or(|number| description.contains(&number.to_string()))
    };
    let shape = &read.shape;
    if !(said(&description, &shape.minimum) && said(&description, &shape.maximum)) {
        add(&mut description, &capital(shape.range("").trim()));
    }
    if let Some(unit) = &shape.unit
        && !description.to_lowercase().contains(&unit.to_lowercase())
    {
        add(&mut description, &format!("In {unit}"));
    }
    let lengths = [shape.length(""), shape.item_count("")].into_iter();
    for length in lengths.filter(|length| !length.is_empty()) {
        add(&mut description, &capital(&length));
    }
    if let Some(default) = &read.default {
        add(&mut description, &format!("Default: {default}"));
    }
    description
}

fn add(description: &mut String, sentence: &str) {
    if !sentence.is_empty() {
        description.push(' ');
        description.push_str(sentence);
        description.push('.');
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The other of two schemas of which one is null.
fn nullable(any_of: &Value) -> Option<&Value> {
    let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
    match any_of.as_array()?.as_slice() {
        [schema, null] | [null, schema] if is_null(&null) && !is_null(&schema) => Some(schema),
        _ => None,
    }
}
