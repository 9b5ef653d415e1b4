//! The guard's journal in a database: SQLite for the processes of one host, PostgreSQL for several.
//!
//! The records, their chain and their hashes are those of every other journal, byte for byte; a
//! database adds durability and mutual exclusion. A commit is one transaction: take the head, read
//! what others wrote, decide, write, commit. Decisions that wait while another transaction is under
//! way share the next one.
//!
//! ```no_run
//! # async fn example(registry: action_core::ActionRegistry) -> Result<(), action_guard::JournalError> {
//! use action_guard::Journal;
//! use action_guard_sql::SqlJournal;
//!
//! let on_this_host = SqlJournal::sqlite("/var/lib/operator").await?;
//! let on_several = SqlJournal::postgres("postgres://operator@db-1/operator?sslmode=verify-full").await?;
//! println!("{:?}", on_several.verify().await?);
//! # Ok(())
//! # }
//! ```
//!
//! # What stands where
//!
//! | Table | Holds |
//! |---|---|
//! | `journal_head` | one row: the number and the hash of the last record; whoever writes holds it |
//! | `journal_lines` | the records, one line of JSON each, and the proposal that it is about, to find them by; only ever added to |
//! | `journal_clock` | what the clock of each machine showed last, so that the next process sees a leap |
//! | `journal_segments` | the numbers of the checkpoints; opening reads from the last one on |
//! | `journal_stop` | PostgreSQL only: sends are stopped while it has a row |
//!
//! With SQLite these are in `journal.sqlite` in a directory, beside `owners/`, where each living
//! instance holds a lock, `sending.lock`, which is held while a request is handed over, and `KILL`,
//! which stops sends while it exists. With PostgreSQL these locks are advisory locks of sessions.
//!
//! # What to know
//!
//! * SQLite is C. The feature `sqlite` compiles it; what depends on `postgres` alone does not.
//! * `rusqlite` cannot be in the same program: both link SQLite.
//! * When the disk is full nothing is written, and nothing is sent. Unlike the journal in files, a
//!   database keeps no space back: outcomes of what is on its way wait for space as well.
//! * A database that cannot be reached stops everything: nothing can be written, and nothing is
//!   sent. The other way to stop, when it is down, is to stop it.
//! * PostgreSQL knows that an instance lives by a lock of its session. Connect directly, or
//!   through a pooler that keeps sessions; one that pools transactions makes the dead look alive.
//! * A drive that says that something is written when it is not deceives every database.

#![forbid(unsafe_code)]

pub use journal::SqlJournal;
pub use options::SqlOptions;

mod journal;
mod options;

mod failure;
mod reader;
mod store;
mod tail;
mod writer;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
