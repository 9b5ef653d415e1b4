//! What PD refuses, in its order and words.
//!
//! What checks one action is called after the file of the action, as `transfer_leader` and `drain`;
//! `replica_change` is of moving, adding and removing a replica. `balance_leader`, `grant_leader`,
//! `leader_priority`, `leader_rules`, `merge_split` and `moved_replica` are what PD does afterwards by
//! itself. The others are parts of
//! several.
//!
//! Read from PD's source and compared with what it answers, by version, in the tests. Words are
//! without the `[PD:…]` in front, which PD before 7.5 leaves out.

pub(crate) mod affinity;
pub(crate) mod balance_leader;
pub(crate) mod drain;
pub(crate) mod drain_blockers;
pub(crate) mod grant_leader;
pub(crate) mod halted;
pub(crate) mod held_leaders;
pub(crate) mod leader_priority;
pub(crate) mod leader_rules;
pub(crate) mod leader_silent;
pub(crate) mod leader_takers;
pub(crate) mod leadership;
pub(crate) mod majority;
pub(crate) mod merge_regions;
pub(crate) mod merge_split;
pub(crate) mod moved_replica;
pub(crate) mod offline;
pub(crate) mod offline_blockers;
pub(crate) mod operator_priority;
pub(crate) mod patrol;
pub(crate) mod placement;
pub(crate) mod placement_fit;
pub(crate) mod refusals;
pub(crate) mod region_snapshot;
pub(crate) mod replica_change;
pub(crate) mod replica_takers;
pub(crate) mod room;
pub(crate) mod rule_checker;
pub(crate) mod rule_holds;
pub(crate) mod scatter_region;
pub(crate) mod split_region;
pub(crate) mod stop;
pub(crate) mod transfer_leader;
pub(crate) mod version;
