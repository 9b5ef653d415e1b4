//! The schema of a result, which few who look at an action read.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::schema::derive::output_of;

type Derive = Box<dyn FnOnce() -> Value + Send>;

/// JSON Schema (2020-12) of a result: an object that may gain members. Derived when it is first
/// read.
#[derive(Clone, Deserialize)]
#[serde(from = "Value")]
pub struct OutputSchema(Arc<LazyLock<Value, Derive>>);

impl OutputSchema {
    /// That of a type which is serialized as an object.
    #[must_use]
    pub fn of<O: JsonSchema>() -> Self {
        let derive: fn() -> Value = output_of::<O>;
        Self(Arc::new(LazyLock::new(Box::new(derive))))
    }
}

impl From<Value> for OutputSchema {
    fn from(schema: Value) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(|| schema))))
    }
}

impl Deref for OutputSchema {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for OutputSchema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::fmt(self, formatter)
    }
}

impl PartialEq for OutputSchema {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl Serialize for OutputSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::serialize(self, serializer)
    }
}
