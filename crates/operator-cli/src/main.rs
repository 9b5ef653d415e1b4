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
    // Nothing goes on after a panic, in whatever thread it is: it is told on stderr, and what was
    // sent is in the journal.
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::exit(Exit::Bug.code().into());
    }));
    cli::main().into()
}
