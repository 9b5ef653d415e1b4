//! The crate from outside, against a server of bytes.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod exchanges;
mod fake_server;
mod server;
mod writes;
