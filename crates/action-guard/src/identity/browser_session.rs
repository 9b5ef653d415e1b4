//! People who have logged in with a browser, and links by which they do, without the secrets of either.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::actor::Actor;
use crate::identity::agent_token::AgentToken;
use crate::identity::signature::Proof;

/// A person who has logged in with a browser. The secret of their cookie is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BrowserSession {
    /// The beginning of its hash.
    pub id: String,
    /// The SHA-256 of its secret, as hexadecimal digits.
    pub hash: String,
    /// Whose it is: a `user:…`, and how that was proven.
    pub actor: Actor,
    /// By what the gate's config file knew them, as a hash: another row of the same name is not this one.
    pub row: String,
    /// When they last proved to whom they logged in that it is them.
    pub auth_time: Timestamp,
    /// It counts before this.
    pub expires_at: Timestamp,
    /// The link that it began with, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The gate that says so.
    pub proof: Proof,
}

/// A link by which a person logs in, once. Its secret is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoginLink {
    /// The beginning of its hash.
    pub id: String,
    /// The SHA-256 of its secret, as hexadecimal digits.
    pub hash: String,
    /// Whom it logs in: a `user:…`, and who had it made.
    pub actor: Actor,
    /// By what the gate's config file knew them, as a hash.
    pub row: String,
    /// It counts before this.
    pub expires_at: Timestamp,
    /// The gate that says so.
    pub proof: Proof,
}

impl BrowserSession {
    /// The id of a session, by the hash of its secret.
    pub(crate) fn id_of(hash: &str) -> String {
        AgentToken::id_of(hash)
    }
}

impl LoginLink {
    /// The id of a link, by the hash of its secret.
    pub(crate) fn id_of(hash: &str) -> String {
        AgentToken::id_of(hash)
    }
}
