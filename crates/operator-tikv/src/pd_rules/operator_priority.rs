//! Which operator on a region gives way to which.

use action_core::Verdict;
use pd_client::config::ScheduleConfig;
use pd_client::operators::{Operator, OperatorReport};

use crate::facts::operator::is_running;
use crate::pd_rules::stop::{Checked, refused};

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
pub(crate) fn check_free(
    running: Option<&OperatorReport>,
    new: Level,
    config: &ScheduleConfig,
) -> Checked<Verdict> {
    const IN_THE_WAY: &str = "failed to add operator, maybe already have one";
    let running = running.filter(|report| is_running(report));
    if running.is_some_and(|running| Level::of(&running.operator) >= new) {
        return Err(refused(OPERATOR_IN_THE_WAY, IN_THE_WAY));
    }
    if config.scheduler_max_waiting_operator == Some(0) {
        return Err(refused("scheduler_max_waiting_operator_zero", IN_THE_WAY));
    }
    Ok(
        running.map_or(Verdict::WouldProceed, |running| Verdict::WouldDisplace {
            displaced: running.operator.raw.clone(),
        }),
    )
}

/// PD's code when the operator on a region does not give way.
pub(crate) const OPERATOR_IN_THE_WAY: &str = "PD:operator:ErrAddOperator";
