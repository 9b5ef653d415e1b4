//! What a subject declares: its actions as types, and what is derived from them.

mod action_set;
mod bound_action;
mod columns;
mod declaration;
mod erased_action;
mod input_def;
mod mutation;
mod observation;
mod pages;
mod parameters;
mod role_rules;
mod subject;

pub use action_set::ActionSet;
pub use erased_action::Footprint;
pub use input_def::{InputDef, input_def};
pub use mutation::Mutation;
pub use observation::Observation;
pub use pages::{Page, Runbook};
pub use parameters::Parameters;
pub use subject::{Subject, SubjectError};

pub(crate) use columns::unknown_column;
pub(crate) use erased_action::{ErasedAction, Valid};
pub(crate) use role_rules::{STEPS, scope};
