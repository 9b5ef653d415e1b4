//! What tokens allow: asked when something is proposed, with its intent, and once more before it is
//! sent.

use action_core::{ActionDefinition, Risk};
use jiff::Timestamp;

use crate::identity::ProvenBy;
use crate::policy::Rules;
use crate::proposal::{Proposal, Refusal};
use crate::state::{State, TokenStatus};

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
        let refused = |why: String| {
            let id = id.clone();
            Err(Refusal::Token { id, why })
        };
        let Some(status) = state.tokens.get(id) else {
            return refused("there is no such token".to_owned());
        };
        status.counts(rules, now)?;
        let made = &status.made;
        let is_theirs = made.grant.actor.as_str().eq_ignore_ascii_case(who)
            && made.by.as_str().eq_ignore_ascii_case(made_by);
        if !is_theirs {
            return refused(format!("it is not `{who}`'s"));
        }
        let named = || (state.clusters).name_of(&definition.subject, &proposal.system);
        let cluster = proposal.cluster.as_deref().or_else(named);
        let is_for = |name: &str| made.grant.clusters.iter().any(|known| known == name);
        if !cluster.is_some_and(is_for) {
            let called = cluster.unwrap_or(&proposal.system);
            return refused(format!("it is not for the cluster `{called}`"));
        }
        // What declares no risk may be of any.
        if definition.risk.unwrap_or(Risk::High) > made.grant.up_to {
            return refused(format!("`{}` is of a higher risk", definition.name));
        }
    }
    Ok(())
}
