//! Agreeing to a proposal.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::guard::authority::rules_now;
use crate::guard::controls::decider::Decider;
use crate::guard::controls::{Controls, unknown};
use crate::guard::trust::{Trust, not_proven};
use crate::identity::{BrowserSession, PrivateKey};
use crate::journal::CommitError;
use crate::proposal::{Approval, PlanHash, Refusal, Ruling, time};
use crate::records::Record;
use crate::state::ProposalStatus;

impl Controls {
    /// Agrees to a proposal, by the hash of the plan that was seen. Enough agreements make it
    /// approved; nothing is sent by that.
    ///
    /// # Errors
    /// When it waits for no such agreement, when its plan is another than the one that was seen,
    /// or when who agrees may not, or is not proven.
    pub async fn approve(
        &self,
        id: &str,
        seen: &PlanHash,
        by: Decider<'_>,
        reason: Option<String>,
    ) -> Result<Arc<ProposalStatus>, CommitError> {
        let state = self.journal.state().await?;
        let status = state.proposal_status(id).ok_or_else(|| unknown(id))?;
        let mut approval = Approval::new(by.actor.clone(), seen.clone(), until(status));
        // What is signed is what is written.
        approval.reason = reason.map(|reason| self.redactor.text_without(reason));
        if let Some(key) = by.key {
            approval = approval.signed(id, key);
        }
        self.write_approval(id, approval).await
    }

    /// The same by an agreement that was [signed](Approval::signed) elsewhere, where the key is.
    ///
    /// # Errors
    /// As [`approve`](Self::approve), and when it is good for longer than the rules let it be.
    pub async fn approve_as_signed(
        &self,
        id: &str,
        approval: Approval,
    ) -> Result<Arc<ProposalStatus>, CommitError> {
        let state = self.journal.state().await?;
        let status = state.proposal_status(id).ok_or_else(|| unknown(id))?;
        if approval.expires_at > until(status) {
            let what = "the approval is valid for longer than its rule allows";
            let what = what.to_owned();
            return Err(CommitError::Refused(Refusal::InvalidRecord { what }));
        }
        if !approval.is_signed() {
            return Err(CommitError::Refused(not_proven(approval.by)));
        }
        self.write_approval(id, approval).await
    }

    /// The same by a person in a browser: this gate says with its key that the agreement is from their
    /// session. It counts where the rule names how they logged in.
    ///
    /// # Errors
    /// As [`approve`](Self::approve).
    pub async fn approve_by_session(
        &self,
        id: &str,
        seen: &PlanHash,
        session: &BrowserSession,
        key: &PrivateKey,
        reason: Option<String>,
    ) -> Result<Arc<ProposalStatus>, CommitError> {
        let state = self.journal.state().await?;
        let status = state.proposal_status(id).ok_or_else(|| unknown(id))?;
        let mut approval = Approval::new(session.actor.clone(), seen.clone(), until(status));
        approval.reason = reason.map(|reason| self.redactor.text_without(reason));
        let approval = approval.attested(id, session, time::clock(), key);
        let (rules, own, of) = (Arc::clone(&self.rules), id.to_owned(), session.id.clone());
        self.write(id, move |state, _| {
            if !state.sessions.contains_key(&of) {
                return Err(not_proven(approval.by));
            }
            rules_now(&rules).vouch_for_approval(&own, &approval)?;
            Ok(Record::Approved { id: own, approval })
        })
        .await
    }

    /// Whether an agreement is by whom it says, as the rules are now. Nothing is said of its proposal.
    ///
    /// # Errors
    /// What is missing, or does not fit.
    pub fn vouches_for(&self, id: &str, approval: &Approval) -> Result<(), Refusal> {
        match approval.is_signed() {
            true => rules_now(&self.rules).vouch_for_approval(id, approval),
            false => Err(not_proven(approval.by.clone())),
        }
    }

    async fn write_approval(
        &self,
        id: &str,
        approval: Approval,
    ) -> Result<Arc<ProposalStatus>, CommitError> {
        let (rules, own, trust) = (Arc::clone(&self.rules), id.to_owned(), self.trust);
        self.write(id, move |_, _| {
            if trust == Trust::OnlyProven && !approval.is_signed() {
                return Err(not_proven(approval.by));
            }
            rules.vouch_for_approval(&own, &approval)?;
            Ok(Record::Approved { id: own, approval })
        })
        .await
    }
}

/// When an agreement that is made now is over: never after its proposal.
fn until(status: &ProposalStatus) -> Timestamp {
    let whole = status.proposal.expires_at;
    let Ruling::Approve { ttl_ms, .. } = &status.ruling else {
        return whole;
    };
    let ttl = SignedDuration::from_millis(i64::try_from(*ttl_ms).unwrap_or(i64::MAX));
    time::clock()
        .checked_add(ttl)
        .map_or(whole, |until| until.min(whole))
}
