//! What shows whose doing a change was.

pub(crate) mod foreign_operator;
pub(crate) mod own_operator;
