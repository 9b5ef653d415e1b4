//! How a mutation stands: all that a loop has to tell apart.

use action_core::Verdict;
use serde::{Deserialize, Deserializer, Serialize};

use crate::identity::Actor;
use crate::proposal::Proposal;
use crate::proposal::drift::Drift;
use crate::proposal::refusal::Refusal;
use crate::proposal::report::Report;
use crate::proposal::ruling::Ruling;

/// How a mutation stands: all that a loop has to tell apart, and what [`Guard::propose`](crate::Guard::propose),
/// [`Guard::execute`](crate::Guard::execute) and [`Guard::standing`](crate::Guard::standing) answer.
///
/// `Display` is what a model is told: what happened and why. It can hold words of the system, which
/// front ends escape. What is not in here is a failure, a [`GuardError`](crate::GuardError).
///
/// Exhaustive on purpose: a loop that does not know a new state should not compile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The rules allow it, and nothing was sent yet.
    ///
    /// Calls `execute`.
    ///
    /// The plan, and that it is carried out next.
    Allowed(Proposal),

    /// The rules want people to agree first; nothing was sent.
    ///
    /// Keeps the proposal's id, goes on with other work, and calls `execute` again when people have
    /// decided; until then the answer is the same.
    ///
    /// Whose approval it waits for, and that asking again does not help.
    Waits(Waits),

    /// The rules say no; nothing was sent, and nothing will be.
    ///
    /// Does not propose the same again.
    ///
    /// The rule and its reason.
    Denied {
        /// What was asked for.
        proposal: Proposal,
        /// The rule that says so.
        rule: String,
        /// Why.
        reason: String,
    },

    /// By its plan it would not do what was asked for: there is nothing to do, the system would
    /// refuse it, or it would not get done. Nothing was sent, and the proposal is closed.
    ///
    /// Goes on if there is nothing to do; else lets the model look at the cause.
    ///
    /// What the plan says, in the system's words.
    RefusedByPlan {
        /// What was asked for.
        proposal: Proposal,
        /// What its plan says.
        verdict: Verdict,
    },

    /// What it was planned for is not so any more, or it is too old. Nothing was sent, and the
    /// proposal is closed.
    ///
    /// Proposes it again, if it is still wanted.
    ///
    /// What changed.
    Outdated {
        /// What was asked for.
        proposal: Proposal,
        /// By what.
        by: OutdatedBy,
    },

    /// It is being sent or followed, by this process or another.
    ///
    /// Waits for whoever carries it out; `recover` finishes what a dead process left.
    ///
    /// That it is in progress, and not to ask for it again.
    InProgress(Proposal),

    /// A person rejected it, or somebody cancelled it; nothing was sent.
    ///
    /// Does not propose the same again by itself.
    ///
    /// Who, and why.
    Cancelled {
        /// What was asked for.
        proposal: Proposal,
        /// Who said so.
        by: Option<Actor>,
        /// Why.
        reason: String,
        /// Whether it waited for approval and was rejected.
        rejected: bool,
    },

    /// It happened, and the evidence shows it.
    ///
    /// Goes on.
    ///
    /// What was done, and that it can be taken back where it can.
    Applied(Report),

    /// It happened, and something has changed it since.
    ///
    /// Does not repeat it before it is known who or what changed it.
    ///
    /// What was done, and what changed it.
    Reversed(Report),

    /// It did not happen, and no longer can.
    ///
    /// Proposes it again when `report.outcome.retryable` says so; else lets the model look.
    ///
    /// Why not, in the system's words.
    NotApplied(Report),

    /// It may have happened, or may still happen. Nothing is sent again.
    ///
    /// Calls `recover` later, or asks a person to resolve it. Proposes nothing about the same things
    /// before that.
    ///
    /// That it is not known, and what is done next.
    Unknown(Report),

    /// An undo took it back, or is taking it back.
    ///
    /// Looks at the undo, which says how both ended.
    ///
    /// Which proposal takes it back.
    TakenBack {
        /// What became of it, as far as is known.
        report: Report,
        /// The undo's proposal.
        by: String,
    },
}

/// What makes a proposal outdated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutdatedBy {
    /// Facts that its plan relies on, which have changed.
    Facts(Vec<Drift>),
    /// The proposal with this id, which has changed the same since, or takes back the same.
    Proposal(String),
    /// Time: what is too old, the plan or an approval.
    #[serde(deserialize_with = "too_old")]
    Time(What),
}

/// A word of this program. By this name, what is read into it is not borrowed from there.
type What = &'static str;

/// What can be too old.
const TOO_OLD: [&str; 3] = ["the plan", "the approval", "an approval"];

/// What is too old, as it was written.
fn too_old<'de, D: Deserializer<'de>>(written: D) -> Result<&'static str, D::Error> {
    let what = String::deserialize(written)?;
    let known = TOO_OLD.into_iter().find(|known| *known == what);
    Ok(known.unwrap_or("something"))
}

/// A proposal that waits for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Waits {
    /// What waits. People approve exactly this plan.
    pub proposal: Proposal,
    /// The rule that wants it.
    pub rule: String,
    /// Whose approval counts, as patterns over actor ids; empty for any person.
    pub by: Vec<String>,
    /// How many more approvals it takes.
    pub missing: usize,
    /// Whether they count only with a signature.
    pub signed: bool,
}

impl Waits {
    /// What still waits when so many have agreed.
    pub(crate) fn of(proposal: Proposal, ruling: &Ruling, given: usize) -> Self {
        let each = proposal.rulings.iter().map(|ruled| &ruled.ruling);
        let needed = each.chain([ruling]).map(Ruling::approvals_needed).max();
        let (by, signed) = match ruling {
            Ruling::Approve { by, signed, .. } => (by.clone(), *signed),
            _ => (Vec::new(), false),
        };
        Self {
            rule: ruling.rule().to_owned(),
            by,
            missing: needed.unwrap_or(0).saturating_sub(given),
            signed,
            proposal,
        }
    }
}

impl Standing {
    /// Whose standing it is: the id of the proposal.
    #[must_use]
    pub fn proposal_id(&self) -> &str {
        match self {
            Self::Allowed(proposal)
            | Self::Waits(Waits { proposal, .. })
            | Self::Denied { proposal, .. }
            | Self::RefusedByPlan { proposal, .. }
            | Self::Outdated { proposal, .. }
            | Self::InProgress(proposal)
            | Self::Cancelled { proposal, .. } => &proposal.id,
            Self::Applied(report)
            | Self::Reversed(report)
            | Self::NotApplied(report)
            | Self::Unknown(report)
            | Self::TakenBack { report, .. } => &report.id,
        }
    }

    /// What was refused, when it is that.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Denied { rule, reason, .. } => Some(Refusal::Denied {
                rule: rule.clone(),
                reason: reason.clone(),
            }),
            Self::Outdated { proposal, by } => {
                let id = proposal.id.clone();
                match by {
                    OutdatedBy::Facts(_) => None,
                    OutdatedBy::Proposal(by) => {
                        let by = by.clone();
                        Some(Refusal::PlanOutdated { id, by })
                    }
                    OutdatedBy::Time(what) => Some(Refusal::Expired { id, what }),
                }
            }
            _ => None,
        }
    }

    /// How a proposal stands of which this is refused; `None` where that is a failure.
    pub(crate) fn of_refusal(proposal: &Proposal, refusal: &Refusal) -> Option<Self> {
        let proposal = proposal.clone();
        match refusal {
            Refusal::Denied { rule, reason } => Some(Self::Denied {
                proposal,
                rule: rule.clone(),
                reason: reason.clone(),
            }),
            Refusal::Expired { what, .. } => {
                let by = OutdatedBy::Time(what);
                Some(Self::Outdated { proposal, by })
            }
            Refusal::PlanOutdated { by, .. } => {
                let by = OutdatedBy::Proposal(by.clone());
                Some(Self::Outdated { proposal, by })
            }
            _ => None,
        }
    }

    /// Whether the proposal is over by it, of which nothing was sent.
    pub(crate) fn ends_the_proposal(&self) -> bool {
        matches!(
            self,
            Self::Denied { .. } | Self::RefusedByPlan { .. } | Self::Outdated { .. }
        )
    }

    /// Whether it goes on without the caller: what waits for people or is in progress.
    pub(crate) fn may_change(&self) -> bool {
        matches!(self, Self::Waits(_) | Self::InProgress(_))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_makes_it_outdated_is_read_as_it_was_written() {
        let drift = json!([{"name": "leader", "then": 1, "now": null}]);
        let facts = serde_json::from_value(drift).unwrap();
        let times = TOO_OLD.into_iter().map(OutdatedBy::Time);
        for by in [
            OutdatedBy::Facts(facts),
            OutdatedBy::Proposal("7".to_owned()),
        ]
        .into_iter()
        .chain(times)
        {
            let written = serde_json::to_value(&by).unwrap();
            let read: OutdatedBy = serde_json::from_value(written).unwrap();
            assert_eq!(read, by);
        }
        let other = json!({"time": "the moon"});
        let other: OutdatedBy = serde_json::from_value(other).unwrap();
        assert_eq!(other, OutdatedBy::Time("something"));
    }
}
