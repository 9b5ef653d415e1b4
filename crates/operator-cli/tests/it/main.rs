//! The command from outside, against a simulated PD.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod actions;
mod cluster;
mod demo;
mod help;
mod input;
mod interrupt;
mod plan;
mod ran;
mod run;
mod unreachable;

use crate::cluster::Cluster;
use crate::ran::operator;
