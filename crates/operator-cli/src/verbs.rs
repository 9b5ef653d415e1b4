//! One file per verb of the command line, or per group that belongs together.

pub(crate) mod actions;
pub(crate) mod approve;
#[cfg(feature = "proxy")]
pub(crate) mod at_gate;
pub(crate) mod carry_out;
pub(crate) mod completions;
mod confirm;
pub(crate) mod desk;
pub(crate) mod findings;
pub(crate) mod journal;
pub(crate) mod kill_switch;
#[cfg(all(feature = "serve", unix))]
pub(crate) mod link;
pub(crate) mod man;
#[cfg(feature = "mcp")]
pub(crate) mod mcp;
pub(crate) mod mode;
pub(crate) mod pause;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod proposals;
pub(crate) mod reap;
pub(crate) mod recover;
pub(crate) mod resolve;
pub(crate) mod run;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod token;
#[cfg(feature = "top")]
pub(crate) mod top;
pub(crate) mod undo;
pub(crate) mod workflow;
