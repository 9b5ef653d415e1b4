//! The crate from outside: two unlike subjects, requests of all kinds, and the published forms.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod catalogue;
mod conformance;
#[path = "../../examples/embed/dial.rs"]
mod dial;
mod findings;
mod malformed;
mod registry;
mod settings;
mod subjects;
mod validation;
mod workflows;
