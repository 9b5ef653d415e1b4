//! Changes of one region or two, which PD carries out by operators.

pub(crate) mod cancel_operator;
pub(crate) mod merge_regions;
pub(crate) mod region_operator;
pub(crate) mod replica_change;
pub(crate) mod replicas;
pub(crate) mod scatter_region;
pub(crate) mod split_region;
pub(crate) mod transfer_leader;
pub(crate) mod transfer_peer;
