//! A token that a person made for an agent, without its secret.

use action_core::Risk;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::actor::Actor;
use crate::identity::signature::Proof;

/// What a token is for: whose it is, how long, where, and for how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenGrant {
    /// Whose it is: an `agent:…`, never a person.
    pub actor: Actor,
    /// It counts before this.
    pub expires_at: Timestamp,
    /// The clusters that it is for, by their names; at least one.
    pub clusters: Vec<String>,
    /// The highest risk of what is asked for with it.
    pub up_to: Risk,
}

impl TokenGrant {
    /// A token of one cluster.
    #[must_use]
    pub fn new(actor: Actor, expires_at: Timestamp, cluster: &str, up_to: Risk) -> Self {
        Self {
            actor,
            expires_at,
            clusters: vec![cluster.to_owned()],
            up_to,
        }
    }
}

/// A token that a person made for an agent. Its secret is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AgentToken {
    /// The beginning of its hash.
    pub id: String,
    /// The SHA-256 of its secret, as hexadecimal digits.
    pub hash: String,
    /// What it is for.
    pub grant: TokenGrant,
    /// The person who made it, and answers for it.
    pub by: Actor,
    /// That it was them.
    pub proof: Proof,
}

/// So many digits of its hash are the id of a token.
const ID_DIGITS: usize = 12;

impl AgentToken {
    /// A token by what is kept of its secret.
    #[must_use]
    pub fn new(hash: String, grant: TokenGrant, by: Actor, proof: Proof) -> Self {
        Self {
            id: Self::id_of(&hash),
            hash,
            grant,
            by,
            proof,
        }
    }

    /// The id of a token, by the hash of its secret.
    #[must_use]
    pub fn id_of(hash: &str) -> String {
        hash.chars().take(ID_DIGITS).collect()
    }
}
