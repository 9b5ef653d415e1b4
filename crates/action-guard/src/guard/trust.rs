//! Whether the word of a process is taken for who somebody is.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::identity::{Actor, ProvenBy, Target};
use crate::proposal::{Approval, Refusal, Request};
use crate::state::ProposalStatus;

/// Why who is only claimed to be somebody is refused.
const CLAIMED: &str = "the identity is only claimed, and this gate requires proof";

/// Whether an actor is taken for whom they are said to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    /// As the process says that holds the guard.
    #[default]
    Claimed,
    /// Only where it was proven.
    OnlyProven,
}

/// Whether somebody could still approve a proposal as they did.
type Knows = dyn Fn(&ProposalStatus, &Approval) -> bool + Send + Sync;

/// Whether somebody could still prove who they are as they did, and may ask for this action there.
type AsksStill = dyn Fn(&Actor, &Target, &str) -> bool + Send + Sync;

/// Who is listed at a gate. Everybody, unless a gate says otherwise.
#[derive(Clone, Default)]
pub(crate) struct Listed {
    /// Whose approvals in a browser still count.
    pub(crate) approvers: Option<Arc<Knows>>,
    /// Who may still ask.
    pub(crate) askers: Option<Arc<AsksStill>>,
}

impl Listed {
    fn knows_approver(&self, status: &ProposalStatus, approval: &Approval) -> bool {
        let is_in_browser = approval.attested.is_some() && !approval.is_signed();
        let knows = self.approvers.as_ref().filter(|_| is_in_browser);
        knows.is_none_or(|knows| knows(status, approval))
    }

    /// Refuses somebody who could not prove any more who they are as they did, or may not ask for this.
    pub(crate) fn may_ask(&self, who: &Actor, on: &Target, action: &str) -> Result<(), Refusal> {
        let asks = self
            .askers
            .as_ref()
            .is_none_or(|asks| asks(who, on, action));
        match asks {
            true => Ok(()),
            false => Err(Refusal::NotProven {
                by: who.clone(),
                why: "the credentials with which it was requested are no longer listed, or not for this",
            }),
        }
    }

    /// The same of each of those who are at a proposal.
    fn may_all_ask(&self, status: &ProposalStatus) -> Result<(), Refusal> {
        let proposal = &status.proposal;
        for (who, proof) in proposal.request.proofs() {
            let who = named(who)?.proven(proof.clone());
            self.may_ask(&who, &proposal.target(), &proposal.request.action)?;
        }
        Ok(())
    }
}

impl Trust {
    /// What a guard does by itself.
    pub(crate) fn itself(self) -> Actor {
        match self {
            Self::Claimed => Actor::system(),
            Self::OnlyProven => Actor::system().proven(ProvenBy::Gate),
        }
    }

    /// Somebody as they are written down: where everybody is claimed, as claimed.
    ///
    /// # Errors
    /// When they must be proven, and are not.
    pub(crate) fn known(self, who: &Actor) -> Result<Actor, Refusal> {
        match self {
            Self::Claimed => Ok(who.clone().proven(ProvenBy::Claimed)),
            Self::OnlyProven if who.proven_by().is_claimed() => Err(not_proven(who.clone())),
            Self::OnlyProven => Ok(who.clone()),
        }
    }

    /// A request as it is written down.
    ///
    /// # Errors
    /// When one of those who are at it must be proven, and is not.
    pub(crate) fn known_request(self, mut request: Request) -> Result<Request, Refusal> {
        match self {
            Self::Claimed => {
                request.proven_by = ProvenBy::Claimed;
                for who in &mut request.carried_out_by {
                    *who = who.clone().proven(ProvenBy::Claimed);
                }
            }
            Self::OnlyProven => all_proven(&request)?,
        }
        Ok(request)
    }

    /// A proposal with the agreements that count here.
    ///
    /// # Errors
    /// When one of those who are at it must be proven and is not, or too few agreements are left.
    pub(crate) fn counting<'s>(
        self,
        listed: &Listed,
        status: &'s ProposalStatus,
        now: Timestamp,
    ) -> Result<Cow<'s, ProposalStatus>, Refusal> {
        if self == Self::Claimed {
            return Ok(Cow::Borrowed(status));
        }
        all_proven(&status.proposal.request)?;
        listed.may_all_ask(status)?;
        let mut counting = status.clone();
        // What is only said in a record is not enough: a signature is checked again by the rules.
        let counts = |one: &Approval| one.is_proven() && listed.knows_approver(status, one);
        counting.approvals.retain(counts);
        let left_out = status.approvals.iter().find(|one| !counts(one));
        let by = match left_out {
            Some(left_out) if !counting.is_agreed_at(now) => left_out,
            _ => return Ok(Cow::Owned(counting)),
        };
        Err(match by.is_proven() {
            true => Refusal::NotProven {
                by: by.by.clone(),
                why: "they approved in a browser, and are not listed any more as they were, or not for this",
            },
            false => not_proven(by.by.clone()),
        })
    }
}

/// Refuses a request that somebody is at who is claimed only.
fn all_proven(request: &Request) -> Result<(), Refusal> {
    let claimed = request.proofs().find(|(_, proof)| proof.is_claimed());
    let Some((who, _)) = claimed else {
        return Ok(());
    };
    Err(not_proven(named(who)?))
}

/// Somebody by their name in a record.
fn named(who: &str) -> Result<Actor, Refusal> {
    let who = who.parse::<Actor>();
    who.map_err(|error| Refusal::InvalidRecord {
        what: error.to_string(),
    })
}

/// Refuses who only claims to be one for whom it was proven when it was asked for: what was allowed to
/// them is carried out by nobody who has their name alone.
pub(crate) fn is_them(request: &Request, by: &Actor) -> Result<(), Refusal> {
    let mut proofs = request.proofs();
    let is_proven = |(who, proof): (&str, &ProvenBy)| {
        by.as_str().eq_ignore_ascii_case(who) && !proof.is_claimed()
    };
    match by.proven_by().is_claimed() && proofs.any(is_proven) {
        true => Err(not_proven(by.clone())),
        false => Ok(()),
    }
}

pub(crate) fn not_proven(by: Actor) -> Refusal {
    let why = CLAIMED;
    Refusal::NotProven { by, why }
}
