//! What the end of a workflow, or where it stopped, comes to.

use action_guard::{Ending, FlowRun, StopCode};

use crate::terminal::exit_code::Exit;

pub(crate) fn exit(run: &FlowRun) -> Exit {
    match (&run.next_steps.ended, &run.next_steps.stopped) {
        (Some(Ending::Completed | Ending::Cancelled | Ending::Compensated), _) => Exit::Done,
        (_, Some(stopped)) => match stopped.code {
            StopCode::Unknown => Exit::Unknown,
            StopCode::Failed if !was_refused(run) => Exit::Failed,
            _ => Exit::Refused,
        },
        _ => Exit::Waiting,
    }
}

/// Whether the step that stopped it was refused, as by `run`, and nothing was sent.
fn was_refused(run: &FlowRun) -> bool {
    let refused = [
        "denied",
        "killed",
        "not_asked_for",
        "observing",
        "rejected",
        "would_reject",
    ];
    let failed = run.flow.failed();
    failed.is_some_and(|(_, failure)| refused.contains(&failure.code.as_str()))
}
