//! What actions look like as data, and whether a request fits.

mod definition;
mod derive;
mod described;
mod lint;
mod output_schema;
mod pattern;
mod place;
mod problem;
mod read;
mod settings;
mod shape;
mod unsupported;
mod validate;
mod validate_number;

pub use definition::{ActionDefinition, ActionKind, Cost, Effect, Risk, Role};
pub use lint::lint;
pub use output_schema::OutputSchema;
pub use pattern::Pattern;
pub use problem::{Problem, ProblemKind};
pub use settings::SettingDef;
pub use shape::{ParamDef, Shape, ValueType};
pub use validate::validate;

pub(crate) use derive::{Input, input_of};
pub(crate) use lint::is_name;
pub(crate) use settings::settings_of;
pub(crate) use unsupported::SchemaProblem;
