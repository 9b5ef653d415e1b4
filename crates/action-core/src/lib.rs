//! Typed actions on a system: declared once, planned, probed, undone.
//!
//! A [`Subject`] is a kind of system. Its actions are parameter structs that are an
//! [`Observation`] or a [`Mutation`]; names, schemas, tools for models and documentation are
//! derived from them. An [`ActionRegistry`] holds the actions of any number of systems, by name
//! and with JSON in and out.
//!
//! This crate does no I/O, starts no task, reads no clock, and knows no runtime and no transport.
//! `examples/embed` is a whole subject and its use; [`testing`] holds a subject to its promises.

#![forbid(unsafe_code)]

pub use actions_page::{action_page, actions_page};
pub use bounded_text::{bounded, bounded_to};
// What stands in the signatures here, in the versions that fit them.
pub use {async_trait, schemars, serde, serde_json};

pub use catalogue::{Catalogue, Prepared};
pub use connect::{Addresses, Connect, ConnectError, FilePath, SubjectKind, TlsFiles};
pub use declare::{
    ActionSet, Footprint, InputDef, Mutation, Observation, Page, Parameters, Runbook, Subject,
    SubjectError, input_def,
};
pub use error::{ActionError, BoxError, FailureKind, RegistryError, report};
pub use printable::{is_unprintable, printable, printable_lines};
pub use redacted::{REDACTED, is_secret_name, redacted, shown_address};
pub use registry::ActionRegistry;
pub use schema::{
    ActionDefinition, ActionKind, Cost, Effect, OutputSchema, ParamDef, Pattern, Problem,
    ProblemKind, Risk, Role, SettingDef, Shape, ValueType, lint, validate,
};
pub use unique_json::unique_json;
pub use values::{
    Accepted, Attempt, Attribution, Cause, ClockOffset, Comparison, Done, Estimate, Evidence,
    Facts, Finding, Fix, Follow, NotPermitted, Outcome, OutcomeKind, Plan, Precondition, Progress,
    Quantity, Safety, SendPermit, SendPermits, Sent, Settled, SettledState, Undo, Verdict,
};
pub use workflow::{
    Condition, DurationText, Retry, Step, Unmet, Work, Workflow, WorkflowError, WorkflowProblem,
};

mod actions_page;
mod bounded_text;
mod catalogue;
mod connect;
mod declare;
mod error;
mod printable;
mod redacted;
mod registry;
mod schema;
mod unique_json;
mod values;

pub mod testing;
pub mod tool_json;
pub mod workflow;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
