//! What keeps a command from its result.

use std::borrow::Cow;

use action_core::{ActionError, Problem, RegistryError, printable, redacted};
use action_guard::policy::PolicyProblem;
use action_guard::{CommitError, GuardError, JournalError, ModeError};
use serde_json::{Value, json};

use crate::terminal::exit_code::Exit;
use crate::terminal::list_values::list_hint;
use crate::terminal::output::Output;
use crate::terminal::style::{Tone, toned};

/// The journal can take no more.
const JOURNAL_FULL: &str = "journal_full";

/// What keeps a command from its result.
#[derive(Debug)]
pub struct Failure {
    pub(crate) exit: Exit,
    /// Stable.
    code: String,
    message: String,
    problems: Vec<Problem>,
    /// More of what is wrong, one on a line.
    lines: Box<[String]>,
    /// What to do next.
    next: Option<Box<Next>>,
}

/// What to do next.
#[derive(Debug)]
enum Next {
    Text(String),
    /// A command without the flags that lead to the same place, and what it does.
    Command(Cow<'static, str>, &'static str),
}

impl Next {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Command(line, does) => format!("`operator {line}` {does}"),
        }
    }
}

impl Failure {
    /// The stable code of what is wrong.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Whether it says what to do next.
    pub(crate) fn has_next(&self) -> bool {
        self.next.is_some()
    }

    /// What is wrong.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What is wrong, with the code that programs know it by.
    pub fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.to_owned(),
            message: message.into(),
            problems: Vec::new(),
            lines: Box::default(),
            next: None,
        }
    }

    /// Whether the journal can take no more.
    pub(crate) fn is_full_journal(&self) -> bool {
        self.code == JOURNAL_FULL
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// What is wrong, with all that is said of it, on one line.
    #[cfg(feature = "serve")]
    pub(crate) fn in_one_line(&self) -> String {
        let lines = self.lines.iter().map(String::as_str);
        let said: Vec<&str> = std::iter::once(&*self.message).chain(lines).collect();
        said.join(": ")
    }

    /// Nothing is sent, for this reason.
    pub(crate) fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, code, message)
    }

    /// Ctrl-C.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::new(Exit::Interrupted, "interrupted", message)
    }

    /// More of it, one on a line.
    pub(crate) fn lines(mut self, lines: Vec<String>) -> Self {
        self.lines = lines.into();
        self
    }

    /// And this is what to do.
    #[must_use]
    pub fn next(mut self, what: impl Into<String>) -> Self {
        self.next = Some(Box::new(Next::Text(what.into())));
        self
    }

    /// And this command, which does that.
    pub(crate) fn command(
        mut self,
        line: impl Into<Cow<'static, str>>,
        does: &'static str,
    ) -> Self {
        self.next = Some(Box::new(Next::Command(line.into(), does)));
        self
    }

    /// The same, with its command as somebody can copy it.
    pub(crate) fn leading_to(self, command: impl FnOnce(&[&str]) -> String) -> Self {
        let Some(Next::Command(line, does)) = self.next.as_deref() else {
            return self;
        };
        let words: Vec<&str> = line.split(' ').collect();
        let text = format!("`{}` {does}", command(&words));
        self.next(text)
    }

    /// Tells people on stderr and, where JSON is wanted, programs on stdout.
    pub(crate) fn print(&self, output: &mut Output) {
        const FILES: &str = "too many open files: raise the limit with `ulimit -n`; 256 is enough";
        let too_few = Next::Text(FILES.to_owned());
        let is_files = self.message.contains("Too many open files");
        let next = if is_files {
            Some(&too_few)
        } else {
            self.next.as_deref()
        };
        // A secret is told by what stands there, not by how that is shown.
        let shown = |text: &str| printable(&redacted(text)).into_owned();
        let error = toned(Tone::Bad, "error:");
        let mut lines = vec![format!("{error} {}", shown(&self.message))];
        let problems = self.problems.iter().map(ToString::to_string);
        let more = problems.chain(self.lines.iter().cloned());
        let more = more.chain(next.map(Next::text));
        lines.extend(more.map(|line| format!("  {}", shown(&line))));
        // Whatever it is made of, an address or a line of a file, no secret of it is shown.
        output.note(&redacted(&lines.join("\n")));
        output.for_programs(&self.json());
    }

    fn json(&self) -> Value {
        let mut error = json!({"code": self.code, "message": redacted(&self.message)});
        if !self.problems.is_empty() {
            error["problems"] = json!(self.problems);
        }
        if !self.lines.is_empty() {
            let lines: Vec<_> = self.lines.iter().map(|line| redacted(line)).collect();
            error["details"] = json!(lines);
        }
        if let Some(next) = &self.next {
            error["next"] = json!(next.text());
        }
        json!({"error": error})
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        if let ActionError::InvalidParameters { action, problems } = error {
            return Self::parameters(&action, problems);
        }
        Self::new(Exit::of_failure(error.kind()), error.code(), error.report())
    }
}

impl Failure {
    /// A policy that is wrong.
    pub(crate) fn policy(source: &str, problems: &[PolicyProblem]) -> Self {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Self {
            lines: problems.into(),
            ..Self::new(Exit::Usage, "policy", format!("invalid policy `{source}`"))
        }
    }
}

impl Failure {
    /// The parameters of an action are wrong, in these ways.
    pub(crate) fn parameters(action: &str, problems: Vec<Problem>) -> Self {
        let text = format!("nothing was sent: invalid parameters of `{action}`");
        let hint = list_hint(&problems);
        let failure = Self {
            problems,
            ..Self::new(Exit::Usage, "invalid_parameters", text)
        };
        match hint {
            Some(hint) => failure.next(hint),
            None => failure,
        }
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            // Nothing is sent by a decision, also where it is written.
            CommitError::Journal(error) => error.into(),
            other => GuardError::from(other).into(),
        }
    }
}

impl From<ModeError> for Failure {
    fn from(error: ModeError) -> Self {
        match error {
            ModeError::Commit(error) => error.into(),
            error => Self::new(Exit::Unknown, "still_sending", error.to_string()),
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let report = action_core::report(&error);
        let code = match error {
            JournalError::NotStopped { .. } => "not_stopped",
            _ if error.is_full() => JOURNAL_FULL,
            _ => "journal",
        };
        Self::new(of_journal(&error), code, report)
    }
}

impl From<GuardError> for Failure {
    fn from(error: GuardError) -> Self {
        match error {
            GuardError::Action(error) => error.into(),
            GuardError::Workflow(error) => Self {
                lines: error.problems.iter().map(ToString::to_string).collect(),
                ..Self::new(Exit::Usage, "workflow", "invalid workflow")
            },
            GuardError::NotCarriedOut(standing) => Self::of_standing(&standing),
            GuardError::ChangedSince { .. } => Self::refused("changed_since", error.report()),
            GuardError::Refused(ref refusal) => Self::of_refusal(refusal),
            GuardError::WrongSystem { .. } => Self::refused("wrong_system", error.report()),
            GuardError::Journal(error @ JournalError::NotStopped { .. }) => error.into(),
            // The system was not asked, so it is not the one that could not be reached.
            GuardError::Journal(ref cause) => {
                let (exit, why) = (of_journal(cause), error.report());
                let code = if cause.is_full() {
                    JOURNAL_FULL
                } else {
                    "journal"
                };
                Self::new(exit, code, format!("nothing was sent: {why}"))
            }
            GuardError::Unrecorded { ref report, .. } => {
                let (summary, why) = (&report.outcome.summary, error.report());
                Self::new(
                    Exit::Unknown,
                    "unrecorded",
                    format!("{why}; its outcome: {summary}"),
                )
                .command("recover", "checks again and finishes the record")
            }
            other => Self::new(Exit::of_failure(other.kind()), "guard", other.report()),
        }
    }
}

/// A journal that is not what was written has a code of its own. One of another version of this
/// program is as it was written.
fn of_journal(error: &JournalError) -> Exit {
    match error {
        JournalError::Bad { .. } | JournalError::Cut { .. } | JournalError::Misplaced { .. } => {
            Exit::JournalDamaged
        }
        _ => Exit::Failed,
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self::new(Exit::Bug, "registry", error.to_string())
    }
}
