//! What a gate refuses, or does not answer, as what a command ends with.

use action_core::{FailureKind, Problem};
use gate_client::{Answer, AskError};
use serde_json::Value;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

/// The code of a request that may have been read, and has no answer.
pub(crate) const LOST: &str = "lost";

/// A refusal, in the words and with the code that it would have without a gate.
pub(super) fn refused(answer: &Answer) -> Failure {
    let text = |member: &str| answer.body.get(member).and_then(Value::as_str);
    let (code, detail) = (text("code").unwrap_or("refused"), text("detail"));
    let detail = detail.map_or_else(
        || format!("the gate answered {}", answer.status),
        str::to_owned,
    );
    if let Some(error) = text("error") {
        let problems = answer.body.get("problems").cloned().unwrap_or_default();
        return match (
            text("action"),
            serde_json::from_value::<Vec<Problem>>(problems),
        ) {
            (Some(action), Ok(problems)) => Failure::parameters(action, problems),
            _ => Failure::new(exit(answer.status), error, detail),
        };
    }
    match (answer.status, code) {
        (401, _) => Failure::refused(
            "unproven",
            format!("the gate did not accept the credentials ({detail})"),
        )
        .next("use a token of this gate, or a key that its policy lists"),
        (404, _) => Failure::new(
            Exit::Usage,
            code,
            "not found at the gate, or you have no access to it",
        ),
        (429, _) => Failure::refused(code, detail).next("wait a minute, then try again"),
        (503, _) => Failure::new(
            Exit::Failed,
            "journal",
            format!("nothing was sent: {detail}"),
        ),
        (403 | 409, _) => Failure::of_refused(code, detail, text("cluster")),
        _ => Failure::new(exit(answer.status), code, detail),
    }
}

/// The exit code of a failure that is of the kind which has this status.
fn exit(status: u16) -> Exit {
    Exit::of_failure(match status {
        400..=499 if [403, 409].contains(&status) => FailureKind::Refused,
        400..=499 => FailureKind::InvalidInput,
        502 | 504 => FailureKind::Unknown,
        503 => FailureKind::Unavailable,
        _ => return Exit::Failed,
    })
}

/// No answer to what only looks: nothing can come of it.
pub(super) fn unseen(error: AskError) -> Failure {
    match error {
        AskError::Lost { .. } => {
            let report = action_core::report(&error);
            Failure::new(Exit::Unreachable, LOST, report).next("this only reads, so try again")
        }
        other => unanswered(other),
    }
}

/// No answer: nothing was sent, or nothing is known.
pub(super) fn unanswered(error: AskError) -> Failure {
    let report = action_core::report(&error);
    match error {
        AskError::NotSent { .. } => Failure::new(
            Exit::Unreachable,
            "not_sent",
            format!("{report}: nothing was sent"),
        )
        .next("check the address in `--server` or OPERATOR_SERVER"),
        AskError::Lost { .. } => Failure::new(Exit::Unknown, LOST, report)
            .command("proposals list", "shows what happened"),
        _ => Failure::new(Exit::Failed, "not_understood", report),
    }
}

impl Failure {
    /// The same; where the answer was lost, this command shows what became of the request.
    pub(crate) fn or_looked_up(self, command: &'static str, shows: &'static str) -> Self {
        match self.code() {
            LOST => self.command(command, shows),
            _ => self,
        }
    }
}
