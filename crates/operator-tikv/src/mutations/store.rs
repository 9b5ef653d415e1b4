//! Changes of what a store is for.

pub use drain::{DrainFacts, DrainStore, StopDrain};
pub use offline::{CancelOffline, OfflineFacts, OfflineStore};

pub(crate) mod drain;
pub(crate) mod offline;
