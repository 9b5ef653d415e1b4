//! The command from outside, against a simulated PD.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod actions;
mod approvals;
mod at_gate;
mod cluster;
mod contract;
mod demo;
mod documented;
mod findings;
#[cfg(unix)]
mod first_half_hour;
mod harness;
mod help;
mod hints;
mod ids;
mod input;
mod interrupt;
mod journal;
#[cfg(target_os = "linux")]
mod links;
mod load;
mod mcp;
mod mcp_at_gate;
mod mode;
#[cfg(unix)]
mod on_a_terminal;
mod plan;
mod policy;
mod run;
mod secrets;
mod security_page;
mod serve;
#[cfg(unix)]
mod serve_tls;
mod server_json;
mod settings;
mod sim;
#[cfg(unix)]
mod tables;
#[cfg(unix)]
mod terminal;
mod tokens;
#[cfg(unix)]
mod top;
mod two_gates;
mod unreachable;
mod whose;
mod workflow;

use crate::cluster::Cluster;
use crate::harness::operator;
