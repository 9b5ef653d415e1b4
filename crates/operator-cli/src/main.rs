//! `operator`: plan, run and prove operations on distributed systems.
//!
//! What can be done is not written here: commands, flags and tables come from the definitions of
//! the subjects that `subjects.rs` chooses. Data goes to stdout, everything else to stderr.

#![forbid(unsafe_code)]

mod cli;

mod demo;
mod verbs;

mod arguments;
mod lookup;
mod reports;
mod session;

mod call;
mod flags;
mod ids;
mod subjects;
mod unique_json;

mod settings;
mod terminal;

use std::process::ExitCode;

use crate::terminal::exit_code::Exit;

fn main() -> ExitCode {
    // A panic has told what it is on stderr by then.
    std::panic::catch_unwind(cli::main)
        .unwrap_or(Exit::Bug)
        .into()
}
