//! What an operator of PD shows of itself.

use pd_client::operators::{Operator, OperatorReport, OperatorStatus};

/// Whether an operator has not ended. PD prints a number for one that is not started yet.
pub(crate) fn is_running(report: &OperatorReport) -> bool {
    matches!(
        report.status,
        OperatorStatus::Running | OperatorStatus::Other(_)
    )
}

/// Whether somebody asked for it.
pub(crate) fn is_by_request(operator: &Operator) -> bool {
    operator.kinds.iter().any(|kind| kind == "admin")
}
