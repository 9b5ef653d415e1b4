//! Exit codes: the one table that the command ends by, its help shows and the docs are made of.
//!
//! `cargo xtask docs` includes this file, so it uses nothing but the standard library.

use std::process::ExitCode;

/// How the command ended. The numbers are a stable contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, and proven where there was something to prove.
    Done = 0,
    /// Sent and not applied, or something on this machine does not work.
    Failed = 1,
    /// The command line, the parameters or the policy are wrong.
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
    /// It happened, and something else undid it.
    Reversed = 8,
    /// The journal is not what was written.
    JournalDamaged = 9,
    /// This should not be possible.
    Bug = 70,
    /// Ctrl-C, as shells number it.
    Interrupted = 130,
}

impl Exit {
    /// Every exit code and what it means, in the order of the numbers.
    pub(crate) const ALL: [(Self, &'static str); 12] = [
        (
            Self::Done,
            "done and proven, or nothing to do; for `plan`: it would proceed; for a safety check: it is safe",
        ),
        (
            Self::Failed,
            "not applied, or something on this machine failed",
        ),
        (
            Self::Usage,
            "wrong usage, parameters or policy; nothing was sent",
        ),
        (
            Self::Refused,
            "refused by the plan, the policy, the mode, the kill switch or the system, or not confirmed; for a safety check: it is not safe",
        ),
        (Self::Unknown, "outcome unknown; `recover` checks again"),
        (
            Self::Unreachable,
            "the system could not be reached or has no answer yet; for a safety check: not known",
        ),
        (Self::Waiting, "approval required; nothing was sent"),
        (Self::Found, "problems found, for `why` and `doctor`"),
        (Self::Reversed, "applied, then reversed by something else"),
        (
            Self::JournalDamaged,
            "the journal is damaged: records were changed or are missing",
        ),
        (Self::Bug, "a bug of this program; please report it"),
        (
            Self::Interrupted,
            "interrupted; what was already sent continues, and `recover` finds its outcome",
        ),
    ];

    /// The number.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
