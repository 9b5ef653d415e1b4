//! How the command ends, as a number that scripts can rely on.

use std::process::ExitCode;

use action_core::{FailureKind, OutcomeKind, Verdict};

/// How the command ended. The numbers are a stable contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, and proven where there was something to prove.
    Done = 0,
    /// Sent and not applied, or something that should not happen.
    Failed = 1,
    /// The command line or the parameters are wrong.
    Usage = 2,
    /// Refused by the plan, by the system, or by the person asked.
    Refused = 3,
    /// It is not known whether it happened.
    Unknown = 4,
    /// The system could not be asked.
    Unreachable = 5,
    /// It waits for people to agree; nothing was sent.
    Waiting = 6,
    /// Something was found that is not as it should be.
    Found = 7,
}

impl Exit {
    const ALL: [(Self, &'static str); 8] = [
        (
            Self::Done,
            "done and proven, or nothing was left to do; for `plan`: it would proceed",
        ),
        (Self::Failed, "not applied, or a bug"),
        (Self::Usage, "wrong usage or parameters; nothing was sent"),
        (
            Self::Refused,
            "refused by the plan, the policy, the mode, the kill switch or PD, or not confirmed",
        ),
        (
            Self::Unknown,
            "outcome unknown; `operator recover` looks again",
        ),
        (Self::Unreachable, "PD could not be reached"),
        (Self::Waiting, "waits for approval; nothing was sent"),
        (Self::Found, "something was found; for `why` and `doctor`"),
    ];

    /// All of them, as the help shows them.
    pub(crate) fn help() -> String {
        let lines = Self::ALL.map(|(exit, meaning)| format!("\n  {}  {meaning}", exit as u8));
        format!("Exit codes:{}", lines.concat())
    }

    /// What a plan comes to: nothing to do is as good as done.
    pub(crate) fn of_verdict(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::WouldProceed
            | Verdict::WouldDisplace { .. }
            | Verdict::Undecided { .. }
            | Verdict::NoOp { .. } => Self::Done,
            _ => Self::Refused,
        }
    }

    /// What an outcome comes to.
    pub(crate) fn of_outcome(result: OutcomeKind) -> Self {
        match result {
            OutcomeKind::Applied => Self::Done,
            OutcomeKind::NotApplied => Self::Failed,
            _ => Self::Unknown,
        }
    }

    /// What a failure comes to.
    pub(crate) fn of_failure(kind: FailureKind) -> Self {
        match kind {
            FailureKind::InvalidInput => Self::Usage,
            FailureKind::Refused | FailureKind::Busy => Self::Refused,
            FailureKind::Unavailable => Self::Unreachable,
            FailureKind::Unknown => Self::Unknown,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_scripts_rely_on() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| *exit as u8).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
        let help = Exit::help();
        for code in codes {
            assert!(help.contains(&format!("\n  {code}  ")), "{help}");
        }
    }

    #[test]
    fn only_what_would_do_as_asked_is_a_success() {
        let text = String::new;
        let cases = [
            (Verdict::WouldProceed, Exit::Done),
            (Verdict::WouldDisplace { displaced: text() }, Exit::Done),
            (Verdict::NoOp { already: text() }, Exit::Done),
            (Verdict::Undecided { causes: vec![] }, Exit::Done),
            (
                Verdict::WouldReject {
                    code: text(),
                    text: text(),
                },
                Exit::Refused,
            ),
            (
                Verdict::AcceptedButWillNotProgress { causes: vec![] },
                Exit::Refused,
            ),
        ];
        for (verdict, exit) in cases {
            assert_eq!(Exit::of_verdict(&verdict), exit, "{verdict:?}");
        }
    }

    #[test]
    fn outcomes_and_failures_differ_for_scripts() {
        assert_eq!(Exit::of_outcome(OutcomeKind::Applied), Exit::Done);
        assert_eq!(Exit::of_outcome(OutcomeKind::NotApplied), Exit::Failed);
        assert_eq!(Exit::of_outcome(OutcomeKind::Unknown), Exit::Unknown);
        let cases = [
            (FailureKind::InvalidInput, Exit::Usage),
            (FailureKind::Refused, Exit::Refused),
            (FailureKind::Busy, Exit::Refused),
            (FailureKind::Unavailable, Exit::Unreachable),
            (FailureKind::Unknown, Exit::Unknown),
            (FailureKind::Bug, Exit::Failed),
        ];
        for (kind, exit) in cases {
            assert_eq!(Exit::of_failure(kind), exit, "{kind:?}");
        }
    }
}
