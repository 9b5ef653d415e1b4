//! subject_name as a subject: actions that plan, prove and undo.
//!
//! ```no_run
//! use action_core::{ActionRegistry, Addresses, Connect};
//! use operator_subject_name::{SubjectName, SubjectNameSettings};
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = SubjectNameSettings {
//!     address: Addresses("http://127.0.0.1:8080".to_owned()),
//!     tls: Default::default(),
//! };
//! let mut registry = ActionRegistry::new();
//! registry.register(SubjectName::connect(settings).await?)?;
//! println!("{}", registry.observe("read_level", json!({})).await?);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub use read_level::{LevelView, ReadLevel};
pub use set_level::SetLevel;
pub use system::{SubjectName, SubjectNameSettings};

mod catalogue;
mod read_level;
mod set_level;
mod system;
