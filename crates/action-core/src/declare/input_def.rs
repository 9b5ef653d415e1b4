//! Parameters that belong to no action: those of a front end's own tools.

use serde_json::Value;

use crate::declare::parameters::Parameters;
use crate::error::RegistryError;
use crate::schema::{ParamDef, input_of};

/// What a struct of parameters takes, derived as an action's parameters are.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InputDef {
    /// What the struct's documentation says.
    pub description: String,
    /// Its fields, for [`validate`](crate::validate).
    pub parameters: Vec<ParamDef>,
    /// JSON Schema (2020-12) of the parameters: a closed object, inlined.
    pub input_schema: Value,
}

/// What a struct takes that is no action, such as a tool of a server's own.
///
/// # Errors
/// When a field says what no schema here can.
pub fn input_def<P: Parameters>() -> Result<InputDef, RegistryError> {
    let input = input_of::<P>().map_err(|problem| RegistryError::Malformed {
        subject: String::new(),
        action: P::schema_name().into_owned(),
        problems: vec![problem.to_string()],
    })?;
    Ok(InputDef {
        description: input.description,
        parameters: input.parameters,
        input_schema: input.schema,
    })
}
