//! With what a request proves who asks: looked at when it comes, and again for as long as it is answered.

use action_guard::TokenError;

use crate::certificates::Shown;
use crate::gate::Gate;
use crate::jwks::Pace;
use crate::jwt;
use crate::who::Asker;

/// What is looked at again. Kept for as long as a request is answered, and never written down.
#[derive(Clone)]
pub(crate) enum Evidence {
    /// What a client has shown when it connected.
    Certificate(Shown),
    /// A token of an issuer, or of ours.
    Token(String),
}

/// Why nobody is proven.
pub(crate) enum Unproven {
    /// It proves nobody: why, is for whose it is.
    Nobody,
    /// The journal, which knows tokens, cannot be read.
    Unavailable,
}

impl Evidence {
    /// Whom it proves now.
    pub(crate) async fn asker(&self, gate: &Gate) -> Result<Asker, Unproven> {
        match self {
            Self::Certificate(shown) => {
                let trusted = gate.trusted();
                let known = trusted.certificates.known(shown);
                let (known, proof) = known.ok_or(Unproven::Nobody)?;
                Ok(Asker::known(known, proof))
            }
            Self::Token(token) if jwt::is_one(token) => {
                let options = gate.options();
                let pace = Pace {
                    fresh_for: options.keys_fresh_for,
                    at_most_every: options.keys_at_most_every,
                };
                let known = gate.trusted().issuers.known(token, pace).await;
                let proven = known.ok_or(Unproven::Nobody)?;
                Ok(Asker::known(&proven.known, proven.proof))
            }
            Self::Token(secret) => match gate.controls().authenticate(secret).await {
                Ok((actor, token)) => Ok(Asker::by_token(actor, &token)),
                Err(TokenError::Journal(_)) => Err(Unproven::Unavailable),
                Err(_) => Err(Unproven::Nobody),
            },
        }
    }
}
