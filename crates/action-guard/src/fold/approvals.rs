//! Whether people have agreed, for everybody for whom the rules want that.

use jiff::Timestamp;

use crate::fold::refuse::{expired, person, stopped};
use crate::identity::{Actor, ProvenBy};
use crate::proposal::{Approval, Phase, Proposal, Refusal, Ruling};
use crate::state::{ProposalStatus, State};

impl State {
    pub(super) fn approved(
        &mut self,
        id: &str,
        approval: &Approval,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let open = self.open.get(id);
        let killed = open.and_then(|status| self.killed_on(&status.proposal.system));
        let killed = killed.cloned();
        let status = self.pending(id, "approved", at)?;
        let stays = |phase| Refusal::Phase {
            id: id.to_owned(),
            phase,
            wanted: "approved",
        };
        if status.phase != Phase::NeedsApproval {
            return Err(stays(status.phase));
        }
        status.is_not_theirs(&approval.by)?;
        if status
            .approvals
            .iter()
            .any(|other| other.by.is_same(&approval.by) && other.expires_at > at)
        {
            return Err(Refusal::ApprovedTwice {
                id: id.to_owned(),
                by: approval.by.to_string(),
            });
        }
        person(&approval.by, "approve")?;
        status.asks_for(approval)?;
        if approval.plan_hash != status.proposal.plan_hash {
            return Err(Refusal::OtherPlan {
                id: id.to_owned(),
                approved: approval.plan_hash.to_string(),
                found: status.proposal.plan_hash.to_string(),
            });
        }
        if approval.expires_at <= at {
            return Err(expired(id, "the approval"));
        }
        if let (Some(killed), None) = (killed, &status.proposal.undoes) {
            return Err(stopped(&killed));
        }
        status.approvals.push(approval.clone());
        if status.is_agreed_at(at) {
            status.phase = Phase::Approved;
        }
        Ok(())
    }
}

impl ProposalStatus {
    /// Whether each ruling has the agreements that it takes, at a time.
    pub(crate) fn is_agreed_at(&self, at: Timestamp) -> bool {
        let id = &self.proposal.id;
        self.rulings().all(|ruling| {
            let counts = |approval: &&Approval| {
                approval.expires_at > at && approval.fits(id, ruling).is_ok()
            };
            self.approvals.iter().filter(counts).count() >= ruling.approvals_needed()
        })
    }

    /// Refuses who asked for it, carries it out, or answers for who does.
    fn is_not_theirs(&self, by: &Actor) -> Result<(), Refusal> {
        let Proposal { id, request, .. } = &self.proposal;
        if request.may_be_carried_out_by(by) {
            return Err(Refusal::OwnProposal {
                id: id.clone(),
                by: by.to_string(),
            });
        }
        match request.owned_by(by) {
            None => Ok(()),
            Some((_, ProvenBy::Token { id: token, .. })) => Err(Refusal::Token {
                id: token.to_owned(),
                why: format!("`{by}` created it: somebody else must approve proposal `{id}`"),
            }),
            Some((agent, _)) => Err(Refusal::OwnedBy {
                id: id.clone(),
                agent: agent.to_owned(),
                by: by.clone(),
            }),
        }
    }

    /// Refuses an agreement that none of the rulings asks for.
    pub(super) fn asks_for(&self, approval: &Approval) -> Result<(), Refusal> {
        let wants = self
            .rulings()
            .filter(|ruling| matches!(ruling, Ruling::Approve { .. }));
        let mut refused = Ok(());
        for ruling in wants {
            refused = approval.fits(&self.proposal.id, ruling);
            if refused.is_ok() {
                break;
            }
        }
        refused
    }
}
