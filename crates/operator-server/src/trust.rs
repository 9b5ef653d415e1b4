//! What the gate shows and whom it believes: all of that can be replaced while it is open.

use std::fmt;

/// What the gate shows and whom it believes, as it was read from files: PEM is text here, and no path.
/// All of it is replaced together, or none of it.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trust {
    /// What it shows. Without, it is served as plain HTTP.
    pub identity: Option<ServerIdentity>,
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
    /// An open gate has TLS, or it has not.
    #[error("a gate that is open neither begins nor stops speaking TLS: start it again")]
    Scheme,
}

/// No key is shown.
impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("has_identity", &self.identity.is_some())
            .finish_non_exhaustive()
    }
}

/// No key is shown.
impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity").finish_non_exhaustive()
    }
}
