//! The terminal: what is written there and how the command ends.

pub(crate) mod exit_code;
pub(crate) mod exit_mapping;
pub(crate) mod failure;
mod in_place;
pub(crate) mod interrupt;
pub(crate) mod lengths;
pub(crate) mod list_values;
mod not_carried_out;
pub(crate) mod observed;
pub(crate) mod output;
mod pace;
pub(crate) mod progress;
pub(crate) mod prompt;
mod refusal;
mod secretless;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod values;
