//! What tokens allow: asked when something is proposed, with its intent, and once more before it is
//! sent.

use std::borrow::Cow;

use action_core::{ActionDefinition, Risk};
use jiff::Timestamp;

use crate::guard::trust::is_them;
use crate::identity::{Actor, ProvenBy};
use crate::policy::Rules;
use crate::proposal::{Approval, Proposal, Refusal};
use crate::state::{ProposalStatus, State, TokenStatus};

impl TokenStatus {
    /// Refuses a token that is over, or that nobody vouches for any more.
    pub(crate) fn counts(&self, rules: &dyn Rules, now: Timestamp) -> Result<(), Refusal> {
        let made = &self.made;
        let refused = |why: String| Refusal::Token {
            id: made.id.clone(),
            why,
        };
        if let Some(why) = self.over(now) {
            return Err(refused(why.to_owned()));
        }
        let vouched = rules.vouch_for_token(made);
        vouched.map_err(|refusal| refused(refusal.to_string()))
    }
}

/// Refuses a proposal that a token of those who are at it does not allow.
pub(crate) fn tokens_allow(
    rules: &dyn Rules,
    proposal: &Proposal,
    definition: &ActionDefinition,
    state: &State,
    now: Timestamp,
) -> Result<(), Refusal> {
    for (who, proof) in proposal.request.proofs() {
        let ProvenBy::Token { id, made_by } = proof else {
            continue;
        };
        still_counts(rules, who, proof, state, now)?;
        let refused = |why: String| {
            let id = id.clone();
            Err(Refusal::Token { id, why })
        };
        let Some(status) = state.tokens.get(id) else {
            continue;
        };
        let made = &status.made;
        let is_theirs = made.grant.actor.as_str().eq_ignore_ascii_case(who)
            && made.by.as_str().eq_ignore_ascii_case(made_by);
        if !is_theirs {
            return refused(format!("it does not belong to `{who}`"));
        }
        let named = || (state.clusters).name_of(&definition.subject, &proposal.system);
        let cluster = proposal.cluster.as_deref().or_else(named);
        let is_for = |name: &str| made.grant.clusters.iter().any(|known| known == name);
        if !cluster.is_some_and(is_for) {
            let called = cluster.unwrap_or(&proposal.system);
            return refused(format!("it is not valid for the cluster `{called}`"));
        }
        // What declares no risk may be of any.
        if definition.risk.unwrap_or(Risk::High) > made.grant.up_to {
            return refused(format!(
                "`{}` has a higher risk than it allows",
                definition.name
            ));
        }
    }
    Ok(())
}

/// Refuses a proof that is over: a token that was revoked, expired or is not vouched for any more, and a
/// signature by a key that the rules do not list any more.
pub(crate) fn still_counts(
    rules: &dyn Rules,
    who: &str,
    proof: &ProvenBy,
    state: &State,
    now: Timestamp,
) -> Result<(), Refusal> {
    match proof {
        ProvenBy::Token { id, .. } => match state.tokens.get(id) {
            Some(status) => status.counts(rules, now),
            None => Err(Refusal::Token {
                id: id.clone(),
                why: "unknown token".to_owned(),
            }),
        },
        ProvenBy::Signature => match who.parse::<Actor>() {
            Ok(by) if !rules.lists_key_of(&by) => Err(Refusal::NotProven {
                by,
                why: "the policy no longer lists the key that proved it",
            }),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// A proposal with the agreements that count where this one carries it out: who made their token answers
/// for what is done with it, and does not agree to it besides.
///
/// # Errors
/// When they only claim to be one for whom it was proven, or too few agreements are left.
pub(crate) fn carried_out_by<'s>(
    status: &'s ProposalStatus,
    by: &Actor,
    now: Timestamp,
) -> Result<Cow<'s, ProposalStatus>, Refusal> {
    is_them(&status.proposal.request, by)?;
    let Some(owner) = by.proven_by().owner() else {
        return Ok(Cow::Borrowed(status));
    };
    let is_makers = |approval: &Approval| approval.by.as_str().eq_ignore_ascii_case(owner);
    if !status.approvals.iter().any(is_makers) {
        return Ok(Cow::Borrowed(status));
    }
    let mut counting = status.clone();
    counting.approvals.retain(|approval| !is_makers(approval));
    if counting.is_agreed_at(now) {
        return Ok(Cow::Owned(counting));
    }
    let ProvenBy::Token { id, made_by } = by.proven_by() else {
        return Err(Refusal::OwnedBy {
            id: status.proposal.id.clone(),
            agent: by.to_string(),
            by: owner.parse().unwrap_or_else(|_| by.clone()),
        });
    };
    let why = format!(
        "`{made_by}` created it and also approved proposal `{}`: run it with a token created by somebody else, or propose it again",
        status.proposal.id
    );
    let id = id.clone();
    Err(Refusal::Token { id, why })
}
