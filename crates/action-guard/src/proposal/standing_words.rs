//! How a mutation stands, in words.

use std::fmt;

use action_core::Verdict;

use crate::proposal::drift::list;
use crate::proposal::report::Report;
use crate::proposal::standing::{OutdatedBy, Standing, Waits};

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(refusal) = self.refusal() {
            return write!(f, "not sent: {refusal}");
        }
        match self {
            Self::Allowed(proposal) => {
                write!(f, "proposal `{}` is allowed; nothing was sent", proposal.id)
            }
            Self::Waits(waits) => write!(f, "not sent: {waits}"),
            Self::RefusedByPlan { verdict, .. } => write!(f, "not sent: {}", words(verdict)),
            Self::InProgress(proposal) => write!(f, "proposal `{}` is in progress", proposal.id),
            Self::Cancelled {
                proposal,
                by,
                reason,
                rejected,
            } => {
                let how = if *rejected { "rejected" } else { "cancelled" };
                let by = by.as_ref();
                let by = by.map_or_else(String::new, |by| format!(" by `{by}`"));
                let id = &proposal.id;
                write!(f, "not sent: proposal `{id}` was {how}{by}: {reason}")
            }
            Self::Outdated { by, .. } => {
                f.write_str("not sent: the state changed since it was planned")?;
                match by {
                    OutdatedBy::Facts(changes) => write!(f, ": {}", list(changes)),
                    _ => Ok(()),
                }
            }
            Self::Applied(report) => write!(f, "applied: {}", report.outcome.summary),
            Self::Reversed(report) => reversed(report, f),
            Self::NotApplied(report) => write!(f, "not applied: {}", report.outcome.summary),
            Self::Unknown(report) => {
                let outcome = &report.outcome;
                write!(f, "outcome unknown: {}", outcome.summary)?;
                match &outcome.next {
                    Some(next) => write!(f, "; {next}"),
                    None => Ok(()),
                }
            }
            Self::TakenBack { report, by } => {
                let summary = &report.outcome.summary;
                write!(f, "taken back by proposal `{by}`: {summary}")
            }
            // Told above.
            Self::Denied { .. } => Ok(()),
        }
    }
}

fn reversed(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let settled = report.outcome.settled.as_ref();
    let cause = settled.and_then(|settled| settled.cause.as_ref());
    let cause = cause.map_or("something changed it", |cause| &cause.text);
    let summary = &report.outcome.summary;
    write!(f, "applied, then reversed: {summary}; {cause}")
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by.is_empty() {
            true => "any person".to_owned(),
            false => self.by.join(", "),
        };
        let s = if self.missing == 1 { "" } else { "s" };
        let (id, missing, rule) = (&self.proposal.id, self.missing, &self.rule);
        let signed = if self.signed { ", signed" } else { "" };
        write!(
            f,
            "proposal `{id}` needs {missing} more approval{s} from {by}{signed} (rule `{rule}`)"
        )
    }
}

/// What a plan says that is not to be sent.
pub(crate) fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::WouldReject { text, .. } => format!("it would be rejected: {text}"),
        Verdict::NotAskedFor { text, .. } => format!("blocked by a safety check: {text}"),
        Verdict::NoOp { already } => format!("nothing to do: {already}"),
        Verdict::AcceptedButWillNotProgress { causes } => {
            let causes: Vec<_> = causes.iter().map(|cause| cause.text.as_str()).collect();
            format!(
                "it would be accepted, but nothing would happen: {}",
                causes.join("; ")
            )
        }
        _ => "its plan does not say that it would proceed".to_owned(),
    }
}
