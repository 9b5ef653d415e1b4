//! What shows whose doing a change was.

pub(crate) mod foreign_operator;
pub(crate) mod operator_query;
pub(crate) mod own_operator;
