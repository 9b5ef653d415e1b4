//! What people read: plans, outcomes, proposals and workflows as text.

pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod proposal;
pub(crate) mod workflow;
