//! Changes of what a store is for.

pub(crate) mod cancel_offline;
pub(crate) mod drain;
pub(crate) mod offline;
pub(crate) mod stop_drain;
