//! `operator`: plan, run and prove operations on distributed systems.
//!
//! What can be done is not written here: commands, flags and tables come from the definitions of
//! the subjects chosen below. Data goes to stdout, everything else to stderr.

#![forbid(unsafe_code)]

mod actions;
mod aftermath;
mod cli;
mod completions;
mod connect;
mod decide;
mod demo;
mod doctor;
mod exit;
mod failure;
mod findings;
mod flags;
mod follow;
mod journal;
mod life;
mod out;
mod plan;
mod policy;
mod proposals;
mod recover;
mod run;
mod settings;
mod show;
mod sim;
mod state;
mod switch;
mod table;
mod why;
mod workflow;

use std::process::ExitCode;

use action_core::{ActionDefinition, ActionRegistry, Subject as _};
use operator_tikv::Tikv;

use crate::connect::Connection;
use crate::failure::Failure;

fn main() -> ExitCode {
    cli::main().into()
}

/// What can be done, without a system to do it to.
fn definitions() -> Vec<ActionDefinition> {
    Tikv::actions().definitions().cloned().collect()
}

/// The systems that this command operates. Nothing is sent yet.
fn registry(connection: &Connection) -> Result<ActionRegistry, Failure> {
    let mut registry = ActionRegistry::new();
    let mut tikv = Tikv::new(connection.client()?);
    if let Some(prometheus) = connection.prometheus()? {
        tikv = tikv.with_prometheus(prometheus);
    }
    registry.register(tikv)?;
    Ok(registry)
}
