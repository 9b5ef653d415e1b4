//! The simulator from outside: over HTTP, on a stepped clock.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and the replay reports its coverage"
)]

mod beside;
mod config;
mod control;
mod drain;
mod faults;
mod half_moved;
mod http;
mod normal;
mod operating;
mod operators;
mod pd_leader;
mod recording;
mod regions;
mod replay;
mod rules;
mod scenarios;
mod schedulers;
mod store_changes;
mod stores;
