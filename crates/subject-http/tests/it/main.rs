//! The crate from outside, against a fake server.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod settings;
mod writes;
