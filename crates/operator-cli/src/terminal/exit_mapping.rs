//! Which exit code a verdict, an outcome and a failure come to.

use action_core::{ActionDefinition, FailureKind, Outcome, OutcomeKind, Role, Safety, Verdict};
use serde::Deserialize as _;
use serde_json::Value;

use crate::terminal::exit_code::Exit;

impl Exit {
    /// All of them, as the help shows them.
    pub(crate) fn help() -> String {
        let lines = Self::ALL.map(|(exit, meaning)| format!("\n  {:<3}  {meaning}", exit.code()));
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

    /// What was observed comes to: who asks whether something is safe can go by the code alone. A
    /// word that is not known here is not taken for yes. Nothing found while something is not known
    /// yet is not "nothing found".
    pub(crate) fn of_observation(definition: &ActionDefinition, result: &Value) -> Self {
        if definition.role != Some(Role::Safety) {
            return match is_not_known_yet(result) {
                true => Self::Unreachable,
                false => Self::Done,
            };
        }
        match result.get("answer").map(Safety::deserialize) {
            Some(Ok(Safety::Safe)) => Self::Done,
            Some(Ok(Safety::NotSafe)) => Self::Refused,
            _ => Self::Unreachable,
        }
    }

    /// What an outcome comes to.
    pub(crate) fn of_outcome(outcome: &Outcome) -> Self {
        match outcome.result {
            OutcomeKind::Applied if outcome.is_reversed() => Self::Reversed,
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
            _ => Self::Bug,
        }
    }
}

/// Whether a result lists what the system does not know yet.
pub(crate) fn is_not_known_yet(result: &Value) -> bool {
    let not_yet = result.get("not_known_yet").and_then(Value::as_array);
    not_yet.is_some_and(|not_yet| !not_yet.is_empty())
}

#[cfg(test)]
mod tests {
    use action_core::{Attribution, Settled};

    use super::*;

    #[test]
    fn codes_are_what_scripts_rely_on() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| *exit as u8).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70, 130]);
        let help = Exit::help();
        for code in codes {
            assert!(help.contains(&format!("\n  {code:<3}  ")), "{help}");
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
        let applied = Outcome::applied(Attribution::Ours, "", vec![]);
        let reversed = Settled::reversed("reversed", "", vec![]);
        assert_eq!(Exit::of_outcome(&applied), Exit::Done);
        let applied = applied.settled(reversed);
        assert_eq!(Exit::of_outcome(&applied), Exit::Reversed);
        let not_applied = Outcome::not_applied("no", "", false, vec![]);
        assert_eq!(Exit::of_outcome(&not_applied), Exit::Failed);
        let unknown = Outcome::unknown("late", "", "", vec![]);
        assert_eq!(Exit::of_outcome(&unknown), Exit::Unknown);
        let cases = [
            (FailureKind::InvalidInput, Exit::Usage),
            (FailureKind::Refused, Exit::Refused),
            (FailureKind::Busy, Exit::Refused),
            (FailureKind::Unavailable, Exit::Unreachable),
            (FailureKind::Unknown, Exit::Unknown),
            (FailureKind::Bug, Exit::Bug),
        ];
        for (kind, exit) in cases {
            assert_eq!(Exit::of_failure(kind), exit, "{kind:?}");
        }
    }
}
