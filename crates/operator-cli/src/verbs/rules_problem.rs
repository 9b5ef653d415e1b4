//! Says that a newer policy is wrong, so that an older one decides.

use action_core::printable;
use action_guard::Guard;

use crate::terminal::output::note;

/// Says once for each problem that the last valid policy decides, as soon as it is looked at.
#[derive(Default)]
pub(crate) struct RulesProblem {
    told: Option<String>,
}

impl RulesProblem {
    /// Looks, and tells what is new.
    pub(crate) fn look(&mut self, guard: &Guard) {
        let problem = guard.rules_problem();
        if problem == self.told {
            return;
        }
        if let Some(problem) = &problem {
            note(&format!(
                "the policy that was read before still decides: {}",
                printable(problem)
            ));
        }
        self.told = problem;
    }
}
