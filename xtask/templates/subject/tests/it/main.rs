//! The subject from outside, against a fake of its system.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod conformance;
mod fake;
mod program;
