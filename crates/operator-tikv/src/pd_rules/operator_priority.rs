//! Which operator on a region gives way to which.

use action_core::Verdict;
use pd_client::config::ScheduleConfig;
use pd_client::operators::{Operator, OperatorReport};

use crate::facts::operator::is_running;
use crate::pd_rules::refusals::rejected;

/// How urgent an operator is: it takes the place of a less urgent one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Balancing, merging, splitting.
    Usual,
    /// Repairs of the checkers; scattering, also by request.
    High,
    /// Requests, drains, and repairs of stores that are lost.
    Urgent,
}

impl Level {
    /// PD does not show it; it follows from what made the operator.
    fn of(operator: &Operator) -> Self {
        let desc = operator.desc.as_str();
        let repairs = [
            "replace-rule-",
            "replace-",
            "remove-",
            "make-up-",
            "add-rule-peer",
            "fix-",
            "leave-joint-state",
            "grant-",
            "move-hot-",
            "transfer-hot-",
            "split-hot-",
            "promote-",
            "demote-",
        ];
        if desc == "scatter-region" {
            Self::High
        } else if operator.kinds.iter().any(|kind| kind == "admin")
            || ["evict-", "transfer-witness-leader", "fast-replace-"]
                .iter()
                .any(|start| desc.starts_with(start))
        {
            Self::Urgent
        } else if repairs.iter().any(|start| desc.starts_with(start)) {
            Self::High
        } else {
            Self::Usual
        }
    }
}

/// What the operator on a region means for another one: it is refused when the one there is as
/// urgent, and takes its place otherwise. PD also refuses all when it lets none wait.
pub(crate) fn occupied(
    running: Option<&OperatorReport>,
    new: Level,
    config: &ScheduleConfig,
) -> Option<Verdict> {
    let refused = |code| {
        let text = "failed to add operator, maybe already have one";
        Some(rejected(code, text))
    };
    let running = running.filter(|report| is_running(report));
    if let Some(running) = running
        && Level::of(&running.operator) >= new
    {
        return refused("PD:operator:ErrAddOperator");
    }
    if config.scheduler_max_waiting_operator == Some(0) {
        return refused("scheduler_max_waiting_operator_zero");
    }
    let running = running?;
    Some(Verdict::WouldDisplace {
        displaced: running.operator.raw.clone(),
    })
}
