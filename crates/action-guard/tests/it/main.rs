//! The crate from outside: records of proposals, journals, execution and recovery.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and the test of crashes tells what it counted"
)]

mod chain;
mod conformance;
mod controls;
mod crash;
mod ended;
mod execution;
mod file_journal;
mod fixtures;
mod flow_model;
mod flow_world;
mod flows;
mod flows_stopped;
mod full_disk;
mod guard_fixture;
mod identity;
mod machine;
mod permit;
mod policy;
mod records;
mod settings;
mod settling;
mod shared_journal;
mod state_machine;
mod take_back;
mod test_subject;
mod test_workflow_subject;
mod undo;
mod workflow_fixtures;
