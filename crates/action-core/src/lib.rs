//! Typed actions on a system: declared once, planned, probed, undone.
//!
//! A [`Subject`] is a kind of system. Its actions are parameter structs that are an
//! [`Observation`] or a [`Mutation`]; names, schemas, tools for models and documentation are
//! derived from them. An [`ActionRegistry`] holds the actions of any number of systems, by name
//! and with JSON in and out.
//!
//! This crate does no I/O, starts no task, reads no clock, and knows no runtime and no transport.
//! `examples/embed.rs` is a whole subject and its use.

#![forbid(unsafe_code)]

pub use attempt::{Accepted, Attempt, Sent};
pub use definition::{ActionDefinition, ActionKind, Cost, Effect, Risk, Role};
pub use error::{ActionError, BoxError, FailureKind, RegistryError, report};
pub use escape::{is_unprintable, printable, printable_lines};
pub use finding::{Finding, Mend};
pub use lint::lint;
pub use mutation::Mutation;
pub use observation::Observation;
pub use outcome::{Outcome, OutcomeKind};
pub use parameters::{Facts, Parameters};
pub use plan::{
    Cause, ClockOffset, Comparison, Estimate, Follow, Plan, Precondition, Quantity, Verdict,
};
pub use problem::{Problem, ProblemKind};
pub use progress::{Attribution, Done, Evidence, Progress};
pub use registry::{ActionRegistry, Catalogue};
pub use set::ActionSet;
pub use shape::{ParamDef, Shape, ValueType};
pub use subject::{Subject, SubjectError};
pub use undo::Undo;
pub use validate::validate;
pub use workflow::{
    Condition, Retry, Span, Step, Unmet, Work, Workflow, WorkflowError, WorkflowProblem,
};

mod attempt;
mod bound;
mod definition;
mod error;
mod escape;
mod finding;
mod lint;
mod mutation;
mod observation;
mod outcome;
mod parameters;
mod plan;
mod problem;
mod progress;
mod registry;
mod schema;
mod set;
mod shape;
mod subject;
mod undo;
mod validate;

pub mod render;
pub mod testing;
pub mod workflow;
