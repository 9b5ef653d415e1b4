//! The crate from outside: records of proposals, journals, execution and recovery.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and the test of crashes tells what it counted"
)]

mod agent_loop;
mod authority;
mod chain;
mod clock;
mod clusters;
mod compare;
mod conformance;
mod controls;
mod crash;
mod enabled;
mod ended;
mod execution;
mod file_journal;
mod fixtures;
mod flow_model;
mod flow_world;
mod flows;
mod flows_stopped;
mod fold;
mod full_disk;
mod guard_fixture;
mod held;
mod identity;
mod journal_index;
mod machine;
mod once;
mod one_policy;
mod open_limit;
mod pauses;
mod permit;
mod planned_again;
mod policy;
mod policy_file;
mod proven;
mod reap;
mod records;
mod recovery;
mod redaction;
mod sessions;
mod settings;
mod settling;
mod shared_journal;
mod standing;
mod state_directory;
mod state_machine;
mod take_back;
mod test_subject;
mod test_workflow_subject;
mod tokens;
mod undo;
mod whose;
mod workflow_fixtures;

/// What a campaign begins with, so that it can be repeated; 0 outside of one.
fn seed() -> u64 {
    let given = std::env::var("CAMPAIGN_SEED");
    given.map_or(0, |seed| seed.parse().unwrap())
}

/// How often a random test is tried: few times, or many in a campaign, which `.ci/run` is.
fn cases(few: u32, many: u32) -> u32 {
    match std::env::var_os("CAMPAIGN") {
        Some(_) => many,
        None => few,
    }
}
