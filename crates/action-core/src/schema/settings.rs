//! Settings by which a system is reached: parameters with a name in the environment.
//!
//! A struct in a struct, such as the files of TLS, is taken apart: `tls` with `ca` is `tls_ca`, on
//! the command line `--tls-ca`. What is not about values is said by `x-env`, `x-short`, `x-file` and
//! `x-address` in the schema of a field.

use schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::schema::derive::{closed_schema_of, input_from};
use crate::schema::shape::{ParamDef, Shape, ValueType};
use crate::schema::unsupported::SchemaProblem;

/// One setting.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SettingDef {
    /// What it is called, such as `tls_ca`; its flag is `--tls-ca`.
    pub name: String,
    /// What it means.
    pub description: String,
    /// Whether there is no system without it.
    pub required: bool,
    /// What is used where it is not given.
    pub default: Option<Value>,
    /// What its value may look like.
    pub shape: Shape,
    /// The environment variable that gives it.
    pub env: Option<String>,
    /// The flag of one letter that gives it.
    pub short: Option<char>,
    /// Whether it is the path of a file: in a config file from where that is.
    pub is_file: bool,
    /// Whether it is an address, which may hold secrets.
    pub is_address: bool,
    /// The members that lead to it.
    path: Vec<String>,
}

impl SettingDef {
    /// The same as what an action may take.
    pub(crate) fn as_parameter(&self) -> ParamDef {
        ParamDef {
            name: self.name.clone(),
            description: self.description.clone(),
            required: self.required,
            default: self.default.clone(),
            shape: self.shape.clone(),
        }
    }

    /// Values by their names, as the struct has them.
    pub(crate) fn nested(settings: &[Self], mut given: Map<String, Value>) -> Value {
        let mut whole = Map::new();
        for setting in settings {
            let Some(value) = given.remove(&setting.name) else {
                continue;
            };
            put(&mut whole, &setting.path, value);
        }
        Value::Object(whole)
    }
}

fn put(members: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => drop(members.insert(name.clone(), value)),
        [name, rest @ ..] => {
            let inner = members.entry(name.clone());
            let inner = inner.or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// What is said of a field beside its values.
#[derive(Default)]
struct Marks {
    env: Option<String>,
    short: Option<char>,
    is_file: bool,
    is_address: bool,
}

/// Derives settings from a struct.
pub(crate) fn settings_of<P: JsonSchema>() -> Result<Vec<SettingDef>, SchemaProblem> {
    let mut schema = closed_schema_of::<P>();
    let mut marks = Vec::new();
    take_marks(&mut schema, &mut Vec::new(), &mut marks);
    let input = input_from(&P::schema_name(), &schema)?;
    let mut settings = Vec::new();
    flatten(&input.parameters, &[], true, &mut settings);
    for setting in &mut settings {
        let Some(at) = marks.iter().position(|(path, _)| *path == setting.path) else {
            continue;
        };
        let (_, marks) = marks.swap_remove(at);
        setting.env = marks.env;
        setting.short = marks.short;
        setting.is_file = marks.is_file;
        setting.is_address = marks.is_address;
    }
    Ok(settings)
}

/// Takes the marks out of the schema of a struct, and of the structs in it.
fn take_marks(schema: &mut Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Marks)>) {
    // An optional struct is a choice between it and null.
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        for choice in choices {
            take_marks(choice, path, found);
        }
    }
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, schema) in properties {
        path.push(name.clone());
        if let Value::Object(members) = schema {
            let mut text = |key: &str| match members.remove(key) {
                Some(Value::String(text)) => Some(text),
                _ => None,
            };
            let (env, short) = (text("x-env"), text("x-short"));
            let mut is = |key: &str| members.remove(key) == Some(Value::Bool(true));
            let marks = Marks {
                env,
                short: short.and_then(|short| short.chars().next()),
                is_file: is("x-file"),
                is_address: is("x-address"),
            };
            found.push((path.clone(), marks));
        }
        take_marks(schema, path, found);
        path.pop();
    }
}

fn flatten(given: &[ParamDef], above: &[String], is_needed: bool, into: &mut Vec<SettingDef>) {
    for parameter in given {
        let path = [above, std::slice::from_ref(&parameter.name)].concat();
        let required = is_needed && parameter.required;
        if parameter.shape.kind == ValueType::Object {
            flatten(&parameter.shape.properties, &path, required, into);
            continue;
        }
        into.push(SettingDef {
            name: path.join("_"),
            description: parameter.description.clone(),
            required,
            default: parameter.default.clone(),
            shape: parameter.shape.clone(),
            env: None,
            short: None,
            is_file: false,
            is_address: false,
            path,
        });
    }
}
