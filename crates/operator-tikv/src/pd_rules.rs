//! What PD refuses, in its order and words.
//!
//! Read from PD's source and compared with what it answers, by version, in the tests. Words are
//! without the `[PD:…]` in front, which PD before 7.5 leaves out.

pub(crate) mod drain;
pub(crate) mod drain_blockers;
pub(crate) mod leadership;
pub(crate) mod offline;
pub(crate) mod operator_priority;
pub(crate) mod placement;
pub(crate) mod refusals;
pub(crate) mod region_snapshot;
pub(crate) mod replica_change;
