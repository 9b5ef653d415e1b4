//! What an action takes: any struct with the derives.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What an action takes: a struct with named fields, each documented. A value of it is a valid
/// request.
///
/// Implemented for every type that has the derives. Keep it flat: ids, numbers, text, enums
/// without data, and `Option` and `Vec` of those. A bound belongs in a field's type, so that it
/// is enforced and not only advertised.
pub trait Parameters: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static> Parameters for T {}
