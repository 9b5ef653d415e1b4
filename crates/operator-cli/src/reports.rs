//! What people read: plans, outcomes, proposals and workflows as text.

pub(crate) mod findings;
pub(crate) mod in_force;
pub(crate) mod journal;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod proposal;
pub(crate) mod target;
pub(crate) mod workflow;

/// Whether nobody cancelled a proposal with this reason: its own plan stopped it, in the guard's
/// words.
pub(crate) fn is_stopped_by_plan(reason: &str) -> bool {
    let mut words = STOPPED_BY_PLAN.iter();
    words.any(|words| reason.starts_with(words))
}

const STOPPED_BY_PLAN: [&str; 4] = [
    "it would be rejected: ",
    "blocked by a safety check: ",
    "nothing to do: ",
    "it would be accepted, but nothing would happen: ",
];
