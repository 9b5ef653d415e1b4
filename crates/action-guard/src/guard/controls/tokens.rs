//! Tokens: a person makes and revokes them, and who has one is its actor.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use crate::guard::authority::rules_now;
use crate::guard::controls::Controls;
use crate::identity::{
    Actor, AgentToken, NoRandomness, PrivateKey, ProvenBy, TokenGrant, TokenSecret,
};
use crate::journal::{CommitError, JournalError};
use crate::proposal::{Refusal, time};
use crate::records::Record;
use crate::state::TokenStatus;

/// Why a text proves nobody.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is no token, or a digit of it is wrong.
    #[error("invalid token: wrong checksum")]
    Malformed,

    /// Nobody made it, or it ended long ago.
    #[error("unknown token")]
    Unknown,

    /// It was revoked, has expired, or the key that it was signed with counts no more.
    #[error(transparent)]
    Over(Refusal),

    /// The journal cannot be read.
    #[error("the journal with the tokens cannot be read")]
    Journal(#[source] JournalError),
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeTokenError {
    /// There is nothing to make it of.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),

    /// It is not written.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Controls {
    /// Makes a token for an agent. Its secret is given to the caller and is nowhere else. Always
    /// signed: who can write the journal cannot make a token that counts.
    ///
    /// # Errors
    /// When it is for no agent, for no cluster, for more than 366 days, or not proven by a key that
    /// the policy lists.
    pub async fn make_token(
        &self,
        grant: TokenGrant,
        by: &Actor,
        key: &PrivateKey,
    ) -> Result<(AgentToken, TokenSecret), MakeTokenError> {
        let (made, secret) = AgentToken::signed(grant, by, time::clock(), key)?;
        self.add_token(made.clone()).await?;
        Ok((made, secret))
    }

    /// Writes down a token that a person has made and [signed](AgentToken::signed) where their key is: its
    /// secret never comes here.
    ///
    /// # Errors
    /// As [`make_token`](Self::make_token), and when there was such a token.
    pub async fn add_token(&self, made: AgentToken) -> Result<(), CommitError> {
        let rules = Arc::clone(&self.rules);
        self.commit(move |_, now| {
            made.is_fresh(now)?;
            rules_now(&rules).vouch_for_token(&made)?;
            let made = Box::new(made);
            Ok(Record::TokenMade { made })
        })
        .await
    }

    /// Ends a token. Also what was asked for with it and is not sent yet is not sent any more. Takes a
    /// person, and no proof: it only ends something.
    ///
    /// # Errors
    /// When there is no such token, or it was revoked before.
    pub async fn revoke_token(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<(), CommitError> {
        let record = Record::TokenRevoked {
            id: id.to_owned(),
            by: self.trust.known(by)?,
            reason: reason.to_owned(),
        };
        self.commit(|_, _| Ok(record)).await
    }

    /// Whose token a text is: its actor, for whom it is proven by that, and what it is for.
    ///
    /// # Errors
    /// When it proves nobody.
    pub async fn authenticate(&self, text: &str) -> Result<(Actor, Arc<TokenStatus>), TokenError> {
        let secret = TokenSecret::parse(text).ok_or(TokenError::Malformed)?;
        let hash = secret.hash();
        let state = self.journal.state().await.map_err(TokenError::Journal)?;
        // Who finds an id by trying has found the beginning of a hash, and no secret.
        let found = state.tokens.get(&AgentToken::id_of(&hash));
        let found = found.filter(|status| {
            let (kept, given) = (status.made.hash.as_bytes(), hash.as_bytes());
            bool::from(kept.ct_eq(given))
        });
        let status = found.ok_or(TokenError::Unknown)?;
        let now = state
            .at
            .map_or_else(time::clock, |at| at.max(time::clock()));
        let rules = rules_now(&self.rules);
        status.counts(&*rules, now).map_err(TokenError::Over)?;
        let made = &status.made;
        let actor = made.grant.actor.clone().proven(ProvenBy::Token {
            id: made.id.clone(),
            made_by: made.by.to_string(),
        });
        Ok((actor, Arc::clone(status)))
    }
}
