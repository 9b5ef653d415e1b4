//! What is answered: what was left behind.

use action_core::Finding;

use schemars::JsonSchema;
use serde::Serialize;

/// What was left behind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Leftovers {
    /// What was found; empty when nothing was.
    pub findings: Vec<Finding>,
    /// What is set as PD has it by default, by the keys of lasting effects: whoever set that has left
    /// nothing behind.
    pub as_by_default: Vec<String>,
    /// Whether some are left out: beyond 100 in all, or 8 unfinished moves.
    pub cut: bool,
    /// What could not be read, and may be left behind all the same.
    pub unknown: Vec<String>,
    /// What PD does not know yet, as after its start: ask again once stores and regions have reported,
    /// within a minute or two.
    pub not_known_yet: Vec<String>,
}
