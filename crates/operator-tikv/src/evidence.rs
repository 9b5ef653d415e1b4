//! What shows whose doing a change was.

pub(crate) mod own_operator;
