//! Changes of what a store is for.

pub use drain::{DrainFacts, DrainStore, StopDrain};
pub use offline::{CancelOffline, OfflineFacts, OfflineStore};
pub use tombstones::{RemoveTombstones, TombstoneFacts};

pub(crate) mod drain;
pub(crate) mod offline;
pub(crate) mod tombstones;
