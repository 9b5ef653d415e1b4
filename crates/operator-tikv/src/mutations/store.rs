//! Changes of what a store is for.

pub(crate) mod drain;
pub(crate) mod offline;
