//! The command from outside, against a simulated PD.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod actions;
mod approvals;
mod cluster;
mod demo;
mod findings;
mod help;
mod input;
mod interrupt;
mod journal;
mod plan;
mod policy;
mod ran;
mod run;
mod security_page;
mod settings;
mod sim;
mod switch;
mod unreachable;
mod workflow;

use crate::cluster::Cluster;
use crate::ran::operator;
