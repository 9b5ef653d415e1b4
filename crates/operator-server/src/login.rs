//! How people log in with a browser, as it is listed.

use std::fmt;

use crate::issuer::{Algorithm, Subject};
use crate::known::Known;

/// A provider of OpenID Connect at which people log in, by the code flow.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Login {
    /// What records and messages call it.
    pub name: String,
    /// What `iss` says, byte for byte.
    pub issuer: String,
    /// Where browsers are sent: `https://…`, or `http://…` on this machine, as the two below.
    pub authorization_endpoint: String,
    /// Where codes are exchanged.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// The authorities of these servers: PEM. Without, the system's.
    pub ca: Option<Vec<u8>>,
    /// What this gate is called there.
    pub client_id: String,
    /// By what it proves that it is this gate.
    pub client_secret: String,
    /// How its ID tokens may be signed, and in no other way.
    pub algorithms: Vec<Algorithm>,
    /// The people whom it proves.
    pub subjects: Vec<Subject>,
}

/// A user of the gate's host who has links made, by which they log in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct LocalUser {
    /// As the system numbers them.
    pub uid: u32,
    /// Who that is.
    pub known: Known,
}

/// No secret is shown.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("name", &self.name)
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
