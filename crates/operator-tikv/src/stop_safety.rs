//! Whether stores can go down without a region losing its majority or its last replica.
//!
//! A region is judged by itself, from what PD shows of it (`region.rs`). Which regions are read is
//! the difference between the two ways of asking: those that PD lists, and all of the stores' own
//! where they are few (`listed.rs`); or all there are (`scan.rs`). Nothing is concluded from what
//! PD does not know: `docs/decisions/when-is-a-store-safe-to-stop.md`.

pub(crate) use snapshot::{StopSnapshot, all_stores};
pub(crate) use staying_leaders::StayingLeaders;
pub(crate) use tally::NAMED;

pub(crate) mod answer;
pub(crate) mod asked;
mod going;
mod hosts;
mod listed;
mod lists;
mod region;
mod scan;
mod snapshot;
mod staying_leaders;
mod tally;
mod verdict;
mod voters;
