//! The crate from outside: lives of proposals, journals, execution and recovery.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod chain;
mod desk;
mod file_journal;
mod identity;
mod lives;
mod policy;
mod scene;
mod shared_journal;
