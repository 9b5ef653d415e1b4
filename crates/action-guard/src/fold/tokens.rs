//! Tokens that people make and revoke.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::fold::refuse::{cancel, invalid_record, person};
use crate::identity::{Actor, AgentToken};
use crate::proposal::Refusal;
use crate::state::{State, TokenStatus};

/// No token lasts longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// How long a token that is over is kept at hand; the journal has all.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

impl State {
    pub(super) fn token_made(&mut self, made: &AgentToken, at: Timestamp) -> Result<(), Refusal> {
        person(&made.by, "create a token")?;
        let grant = &made.grant;
        let wrong = if !grant.actor.as_str().starts_with("agent:") {
            "a token for an actor that is not an agent"
        } else if grant.clusters.is_empty() || grant.clusters.iter().any(String::is_empty) {
            "a token that names no cluster"
        } else if grant.expires_at <= at {
            "a token that has expired"
        } else if grant.expires_at.duration_since(at) > LONGEST {
            "a token that lasts for more than 366 days"
        } else if made.id != AgentToken::id_of(&made.hash) || self.tokens.contains_key(&made.id) {
            "a token that belongs to another agent"
        } else {
            self.forget_tokens(at);
            let status = TokenStatus {
                made: made.clone(),
                made_at: at,
                revoked: None,
            };
            self.tokens.insert(made.id.clone(), Arc::new(status));
            return Ok(());
        };
        Err(invalid_record(wrong))
    }

    /// Who made it may revoke it, and any other person.
    pub(super) fn token_revoked(
        &mut self,
        id: &str,
        by: &Actor,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        person(by, "revoke a token")?;
        let id = id.to_owned();
        let Some(status) = self.tokens.get_mut(&id) else {
            return Err(Refusal::Token {
                id,
                why: "unknown token".to_owned(),
            });
        };
        if status.revoked.is_some() {
            return Err(Refusal::Token {
                id,
                why: "it is already revoked".to_owned(),
            });
        }
        Arc::make_mut(status).revoked = Some(cancel(by, reason, at));
        Ok(())
    }

    fn forget_tokens(&mut self, at: Timestamp) {
        let is_kept = |status: &TokenStatus| {
            let over = status.over_since(at);
            over.is_none_or(|over| at.duration_since(over) <= KEPT)
        };
        self.tokens.retain(|_, status| is_kept(status));
    }
}
