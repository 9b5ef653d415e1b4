//! What the gate shows and whom it believes: all of that can be replaced while it is open.

use std::fmt;

use crate::issuer::Issuer;
use crate::known::Known;
use crate::login::{LocalUser, Login};

/// What the gate shows and whom it believes, as it was read from files: PEM is text here, and no path.
/// All of it is replaced together, or none of it.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trust {
    /// What it shows. Without, it is served as plain HTTP.
    pub identity: Option<ServerIdentity>,
    /// The authorities of clients' certificates: PEM. Without, no client is asked for one.
    pub client_ca: Option<Vec<u8>>,
    /// Whom these certificates prove. One that is not listed proves nobody.
    pub clients: Vec<Client>,
    /// Where this gate is, as who asks writes it: `https://gate.example.com:7070`. Tokens of issuers are for
    /// this address, and `/mcp/` with the name of a cluster.
    pub url: Option<String>,
    /// Whose JWTs are believed.
    pub issuers: Vec<Issuer>,
    /// The key by which this gate vouches for browser sessions: PEM, ed25519. The policy lists its public
    /// half. Without, nobody logs in with a browser.
    pub session_key: Option<Vec<u8>>,
    /// Where people log in with a browser.
    pub login: Option<Login>,
    /// The users of this host who have links made, by which they log in with a browser.
    pub local_users: Vec<LocalUser>,
}

/// Whom a client's certificate proves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Client {
    /// Which certificate it is: one that an authority of [`Trust::client_ca`] signed for this name.
    pub name: CertificateName,
    /// Who that is.
    pub known: Known,
}

/// A name in a certificate, among the alternative names of its subject, byte for byte. What else its
/// subject is called is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "made by callers")]
pub enum CertificateName {
    /// A DNS name, such as `night.agents.example.com`.
    Dns(String),
    /// A URI, such as `spiffe://example.com/agents/night`.
    Uri(String),
}

/// What the gate shows to who connects.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct ServerIdentity {
    /// Its certificate, followed by those between it and the authority: PEM.
    pub certificates: Vec<u8>,
    /// The key of the certificate, without a passphrase: PEM.
    pub key: Vec<u8>,
}

/// Why what is given is not taken. What was there before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// It is not what it should be.
    #[error("the {what} cannot be used: {problem}")]
    Pem {
        /// Which part of it.
        what: &'static str,
        /// What is wrong, and what would be right.
        problem: &'static str,
        /// What reading it said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// Somebody is not listed as they should be.
    #[error("invalid credentials of `{who}`: {problem}")]
    Known {
        /// Whom it is about: a name in a certificate, an issuer, or an actor.
        who: String,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// Certificates are shown where TLS is spoken.
    #[error("client certificates need TLS: give the gate a certificate and a key")]
    NoSession,
    /// An open gate has TLS, or it has not.
    #[error("TLS cannot be switched on or off while the gate runs: restart it")]
    Scheme,
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Uri(name) => f.write_str(name),
        }
    }
}

/// No key is shown.
impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("has_identity", &self.identity.is_some())
            .field("has_client_ca", &self.client_ca.is_some())
            .field("clients", &self.clients)
            .field("url", &self.url)
            .field("issuers", &self.issuers)
            .field("has_session_key", &self.session_key.is_some())
            .field("login", &self.login)
            .field("local_users", &self.local_users)
            .finish_non_exhaustive()
    }
}

/// No key is shown.
impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity").finish_non_exhaustive()
    }
}
