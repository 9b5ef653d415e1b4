//! A mutation that is planned and shown before it is proposed.

use std::str::FromStr as _;

use jiff::Timestamp;

use crate::guard::Guard;
use crate::guard::error::GuardError;
use crate::guard::planned::Planned;
use crate::identity::Actor;
use crate::proposal::{Proposal, Request, Ruling, Standing};
use crate::records::Record;

/// A mutation that is planned and not proposed.
///
/// Nothing of it is in the journal, so nobody can carry it out. Who asks a person first shows them a
/// draft and then proposes that, with the plan that they saw: whatever ends the process at the
/// question leaves nothing behind.
#[derive(Debug, Clone)]
pub struct Draft {
    planned: Planned,
    ruling: Ruling,
    /// What it takes back by its id.
    undoes: Option<String>,
    /// Whether who asks has named that.
    is_named: bool,
}

impl Draft {
    /// What would be proposed.
    #[must_use]
    pub fn proposal(&self) -> &Proposal {
        &self.planned.proposal
    }

    /// What the rules would say of it now. They are asked again when it is proposed.
    #[must_use]
    pub fn ruling(&self) -> &Ruling {
        &self.ruling
    }
}

impl Guard {
    /// Plans a mutation and asks the rules, and writes nothing down.
    ///
    /// # Errors
    /// As [`propose`](Self::propose), but for a denial, which is in the draft.
    pub async fn draft(&self, request: Request) -> Result<Draft, GuardError> {
        let planned = self.planned(request, None).await?;
        self.is_ours_or_for_people(&planned.proposal, &planned.proposal.plan)
            .await?;
        self.drafted(planned, None).await
    }

    /// The same of what takes a mutation back.
    ///
    /// # Errors
    /// As [`propose_undo`](Self::propose_undo), but for a denial, which is in the draft.
    pub async fn draft_undo(
        &self,
        id: &str,
        actor: &Actor,
        reason: &str,
    ) -> Result<Draft, GuardError> {
        let planned = self.planned_undo(id, actor, reason).await?;
        self.drafted(planned, Some(id.to_owned())).await
    }

    /// The same draft, planned anew.
    ///
    /// # Errors
    /// As what it was made by.
    pub async fn draft_again(&self, draft: Draft) -> Result<Draft, GuardError> {
        let request = draft.planned.proposal.request;
        let Some(first) = draft.undoes else {
            return self.draft(request).await;
        };
        let (by, reason) = (Actor::from_str(&request.actor)?, request.reason);
        let reason = reason.unwrap_or_default();
        match draft.is_named {
            true => self.draft_undo(&first, &by, &reason).await,
            false => self.draft_undo_of_ours(&first, &by, &reason).await,
        }
    }

    /// The same for who does not name what they take back: what may be another's, because its request
    /// was not answered, is refused to a person too.
    ///
    /// # Errors
    /// As [`draft_undo`](Self::draft_undo).
    pub async fn draft_undo_of_ours(
        &self,
        id: &str,
        actor: &Actor,
        reason: &str,
    ) -> Result<Draft, GuardError> {
        let planned = self.planned_undo(id, actor, reason).await?;
        self.is_surely_ours(&planned.proposal, &planned.proposal.plan)
            .await?;
        let draft = self.drafted(planned, Some(id.to_owned())).await?;
        Ok(Draft {
            is_named: false,
            ..draft
        })
    }

    /// Proposes a draft as it is, and gives what [`propose`](Self::propose) does.
    /// [`execute`](Self::execute) finds out when its plan has changed since.
    ///
    /// # Errors
    /// As [`propose`](Self::propose). That its plan is outdated when it says that nothing is to be
    /// done, and something of ours was done since: [`draft_again`](Self::draft_again) plans it anew.
    pub async fn propose_draft(&self, draft: Draft) -> Result<Standing, GuardError> {
        self.record_proposal(draft.planned).await
    }

    async fn drafted(&self, planned: Planned, undoes: Option<String>) -> Result<Draft, GuardError> {
        let decide = self.proposing(&planned, planned.proposal.requester()?)?;
        let (state, now) = (self.state().await?, Timestamp::now());
        let records = decide(&state, now)?;
        state.may_be_proposed(&planned.proposal, now)?;
        let ruling = records.into_iter().find_map(|record| match record {
            Record::Proposed { ruling, .. } => Some(ruling),
            _ => None,
        });
        let ruling = ruling.ok_or(GuardError::Abandoned)?;
        Ok(Draft {
            planned,
            ruling,
            undoes,
            is_named: true,
        })
    }
}
