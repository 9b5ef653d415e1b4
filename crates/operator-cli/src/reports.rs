//! What people read: plans, outcomes, proposals and workflows as text.

pub(crate) mod findings;
pub(crate) mod in_force;
pub(crate) mod journal;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod proposal;
pub(crate) mod workflow;
