//! How a proposal stands by the journal, and what a caller takes of that.

use action_core::OutcomeKind;
use jiff::Timestamp;

use crate::guard::Guard;
use crate::guard::error::GuardError;
use crate::proposal::{
    Answer, OutdatedBy, Phase, Proposal, Refusal, Report, Ruling, Standing, Waits, words,
};
use crate::state::{ProposalStatus, State};

impl Standing {
    /// The proposal, when it may be carried out now or once people agree.
    ///
    /// # Errors
    /// [`GuardError::NotCarriedOut`] when it is or was anything else.
    #[expect(clippy::result_large_err, reason = "as all calls of the guard")]
    pub fn into_proposal(self) -> Result<Proposal, GuardError> {
        match self {
            Self::Allowed(proposal) | Self::Waits(Waits { proposal, .. }) => Ok(proposal),
            other => Err(GuardError::NotCarriedOut(Box::new(other))),
        }
    }

    /// The report, when something was sent and it has an outcome, whichever that is.
    ///
    /// # Errors
    /// [`GuardError::NotCarriedOut`] when nothing was sent, or it is in progress.
    #[expect(clippy::result_large_err, reason = "as all calls of the guard")]
    pub fn into_report(self) -> Result<Report, GuardError> {
        match self {
            Self::Applied(report)
            | Self::Reversed(report)
            | Self::NotApplied(report)
            | Self::Unknown(report)
            | Self::TakenBack { report, .. } => Ok(report),
            other => Err(GuardError::NotCarriedOut(Box::new(other))),
        }
    }

    /// How it ended, beside what an undo has made of it.
    fn ended(report: Report, status: Option<&ProposalStatus>, state: &State) -> Self {
        let undone_by = status.and_then(|status| {
            let taken_back = status.taken_back.as_ref().map(|undo| &undo.by);
            let is_at_it = state.is_being_taken_back(status);
            let taken_over = status.taken_over.as_ref().filter(|_| is_at_it);
            taken_back.or(taken_over.map(|undo| &undo.by)).cloned()
        });
        match (undone_by, report.outcome.result) {
            (Some(by), _) => Self::TakenBack { report, by },
            (None, OutcomeKind::Applied) if report.outcome.is_reversed() => Self::Reversed(report),
            (None, OutcomeKind::Applied) => Self::Applied(report),
            (None, OutcomeKind::NotApplied) => Self::NotApplied(report),
            (None, _) => Self::Unknown(report),
        }
    }
}

impl Guard {
    /// How a proposal stands now. Sends nothing and asks the journal only.
    ///
    /// For a loop that begins again, or a person who asks. What it gives to carry out is the recorded
    /// proposal, which holds no secrets: one with a secret in its parameters is carried out by the
    /// process that proposed it.
    ///
    /// # Errors
    /// When there is no such proposal, it ended long ago, or the journal cannot be read.
    pub async fn standing(&self, id: &str) -> Result<Standing, GuardError> {
        let state = self.state().await?;
        let status = state.proposal_status(id);
        let unknown = || Refusal::UnknownProposal { id: id.to_owned() };
        let status = status.ok_or_else(unknown)?;
        Ok(standing_in(&state, status, &status.proposal))
    }

    /// The same for who holds the proposal, secrets and all; `None` when it may be carried out.
    pub(super) async fn standing_unless_allowed(
        &self,
        proposal: &Proposal,
    ) -> Result<Option<Standing>, GuardError> {
        let state = self.state().await?;
        let id = &proposal.id;
        let unknown = || Refusal::UnknownProposal { id: id.clone() };
        let status = state.proposal_status(id).ok_or_else(unknown)?;
        let is_allowed = status.phase_at(Timestamp::now()) == Phase::Approved;
        Ok((!is_allowed).then(|| standing_in(&state, status, proposal)))
    }

    /// How it ended, by the report of who carried it out.
    pub(super) async fn standing_after(&self, report: Report) -> Standing {
        // What was sent is told, also where the journal cannot be read any more.
        let state = self.state().await.unwrap_or_default();
        let status = state.proposal_status(&report.id).cloned();
        Standing::ended(report, status.as_deref(), &state)
    }
}

fn standing_in(state: &State, status: &ProposalStatus, proposal: &Proposal) -> Standing {
    let now = Timestamp::now();
    let phase = status.phase_at(now);
    let proposal = proposal.clone();
    match phase {
        Phase::Approved => Standing::Allowed(proposal),
        Phase::NeedsApproval => {
            let given = status.approvals_at(now);
            Standing::Waits(Waits::of(proposal, &status.ruling, given))
        }
        Phase::Executing => Standing::InProgress(proposal),
        Phase::Unknown | Phase::Applied | Phase::NotApplied => match report_of(status) {
            Some(report) => Standing::ended(report, Some(status), state),
            None => Standing::InProgress(proposal),
        },
        Phase::Denied => match &status.ruling {
            Ruling::Deny { rule, reason } => Standing::Denied {
                proposal,
                rule: rule.clone(),
                reason: reason.clone(),
            },
            other => Standing::Denied {
                proposal,
                rule: other.rule().to_owned(),
                reason: String::new(),
            },
        },
        Phase::Rejected | Phase::Cancelled => {
            let verdict = &status.proposal.plan.verdict;
            let (by, reason) = match status.cancel.clone() {
                Some(cancel) => (Some(cancel.by), cancel.reason),
                None => (None, String::new()),
            };
            if !verdict.may_be_sent() && reason == words(verdict) {
                let verdict = verdict.clone();
                return Standing::RefusedByPlan { proposal, verdict };
            }
            Standing::Cancelled {
                proposal,
                by,
                reason,
                rejected: phase == Phase::Rejected,
            }
        }
        Phase::Expired => Standing::Outdated {
            proposal,
            by: OutdatedBy::Time("the plan"),
        },
    }
}

/// What became of a proposal by its records; `None` while there is no outcome.
fn report_of(status: &ProposalStatus) -> Option<Report> {
    let (intent, outcome) = (status.intent.as_ref()?, status.outcome.clone()?);
    let proposal = &status.proposal;
    let accepted = match &status.answer {
        Some(Answer::Accepted { accepted, .. }) => Some(accepted.clone()),
        _ => None,
    };
    Some(Report {
        id: proposal.id.clone(),
        action: proposal.request.action.clone(),
        parameters: proposal.request.parameters.clone(),
        attempt: intent.attempt.clone(),
        accepted,
        outcome,
        undo: proposal.undo.clone(),
    })
}
