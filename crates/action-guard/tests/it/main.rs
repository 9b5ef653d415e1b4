//! The crate from outside: lives of proposals, journals, execution and recovery.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod desk;
mod identity;
mod lives;
mod policy;
mod scene;
