//! What changes the cluster, one file for each action or for two that undo each other.

pub use scheduler_pause::{PauseFacts, PauseScheduler, PauseSeconds, ResumeScheduler};
pub use transfer_pd_leader::{PdLeaderFacts, TransferPdLeader};

pub(crate) mod region;
pub(crate) mod scheduler_pause;
pub(crate) mod setting;
pub(crate) mod store;
pub(crate) mod transfer_pd_leader;
