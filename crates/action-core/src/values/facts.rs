//! What is read at planning and kept until a mutation is proven or undone.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What was read at planning: enough to probe and to undo, also after a restart.
pub trait Facts: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Facts for T {}
