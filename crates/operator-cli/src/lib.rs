//! A whole command line over any subjects: plan, run and prove, approve, undo, audit.
//!
//! What can be done is not written here: commands, flags and tables come from the definitions of the
//! subjects, and how a system is reached comes from the [settings](action_core::Connect) that each
//! declares. Data goes to stdout, everything else to stderr.
//!
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     operator_cli::Program::new("operator-lamp", env!("CARGO_PKG_VERSION"))
//!         .subject::<Lamp>()
//!         .run()
//! }
//! ```

#![forbid(unsafe_code)]

pub use clap;
pub use program::{Program, Verb};
pub use terminal::exit_code::Exit;
pub use terminal::failure::Failure;
pub use terminal::output::Output;

mod cli;

mod verbs;

mod arguments;
mod lookup;
mod reports;
mod session;

mod call;
mod flags;
#[cfg(feature = "proxy")]
mod gate;
mod ids;
mod program;
mod subjects;

mod settings;
mod terminal;

/// What a [`Verb`] shows in the words of the rest. These texts are for [`Output::narrate`] and
/// [`note`](show::note): marks in them say which words stand out, where a terminal shows that.
pub mod show {
    pub use crate::flags::{arguments, command_line};
    pub use crate::reports::outcome::outcome;
    pub use crate::reports::plan::{request, verdict};
    pub use crate::reports::proposal::ruling;
    pub use crate::terminal::observed::result;
    pub use crate::terminal::output::note;
    pub use crate::terminal::progress::Follow;
    pub use crate::terminal::table::table;
}

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
