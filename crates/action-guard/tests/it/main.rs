//! The crate from outside: lives of proposals, journals, execution and recovery.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and the test of crashes tells what it counted"
)]

mod chain;
mod conformance;
mod crash;
mod desk;
mod dials;
mod execution;
mod file_journal;
mod flow_model;
mod flow_scene;
mod flow_world;
mod flows;
mod flows_stopped;
mod full_disk;
mod identity;
mod lives;
mod machine;
mod plant;
mod policy;
mod scene;
mod settings;
mod shared_journal;
mod state_machine;
mod undo;
mod workbench;
