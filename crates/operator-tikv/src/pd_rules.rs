//! What PD refuses, in its order and words.
//!
//! Read from PD's source and compared with what it answers, by version, in the tests. Words are
//! without the `[PD:…]` in front, which PD before 7.5 leaves out.

pub(crate) mod drain;
pub(crate) mod drain_blockers;
pub(crate) mod halted;
pub(crate) mod held_leaders;
pub(crate) mod leader_transfer;
pub(crate) mod leadership;
pub(crate) mod merge;
pub(crate) mod offline;
pub(crate) mod operator_priority;
pub(crate) mod placement;
pub(crate) mod refusals;
pub(crate) mod region_snapshot;
pub(crate) mod replica_change;
pub(crate) mod room;
pub(crate) mod scatter;
pub(crate) mod split;
pub(crate) mod stop;
pub(crate) mod version;
