//! Issuers of JWTs, as they are listed: whose tokens are believed, and for whom.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::known::Known;

/// Whose access tokens (RFC 9068) are believed, and whom they prove.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Issuer {
    /// What records and messages call it.
    pub name: String,
    /// What `iss` says, byte for byte.
    pub issuer: String,
    /// Where its keys are: `https://…`, or `http://…` on this machine.
    pub jwks_uri: String,
    /// The authorities of that server: PEM. Without, the system's.
    pub ca: Option<Vec<u8>>,
    /// Whether it proves agents or people. No claim says that.
    pub kind: Kind,
    /// How its tokens may be signed, and in no other way.
    pub algorithms: Vec<Algorithm>,
    /// For how long its tokens may be valid: `exp` minus `iat`. One that is valid for longer proves nobody.
    pub max_lifetime: Duration,
    /// Whom it proves. A token of another subject proves nobody.
    pub subjects: Vec<Subject>,
}

impl Issuer {
    /// For how long tokens may be valid unless it is said: the longest that common providers issue unless
    /// they are told otherwise.
    pub const MAX_LIFETIME: Duration = Duration::from_hours(24);
}

/// Whom an issuer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no others")]
pub enum Kind {
    /// Agents.
    Agent,
    /// People.
    User,
}

/// Whom a subject of an issuer is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Subject {
    /// What `sub` says, byte for byte.
    pub sub: String,
    /// Who that is.
    pub known: Known,
}

/// How a token is signed: with the key of a pair, whose other half is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names of RFC 7518 and RFC 8037")]
pub enum Algorithm {
    Es256,
    Es384,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    EdDsa,
}

/// The algorithms, by their registered names.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("EdDSA", Algorithm::EdDsa),
];

/// Text that names no algorithm by which a token may be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unsupported signature algorithm `{0}`: use ES256, ES384, RS256, RS384, RS512, PS256, PS384, PS512 or EdDSA"
)]
pub struct AlgorithmError(String);

impl FromStr for Algorithm {
    type Err = AlgorithmError;

    fn from_str(text: &str) -> Result<Self, AlgorithmError> {
        let mut known = ALGORITHMS.iter();
        let found = known.find(|(name, _)| *name == text);
        let found = found.map(|(_, algorithm)| *algorithm);
        found.ok_or_else(|| AlgorithmError(text.to_owned()))
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::ES256,
            Algorithm::Es384 => Self::ES384,
            Algorithm::Rs256 => Self::RS256,
            Algorithm::Rs384 => Self::RS384,
            Algorithm::Rs512 => Self::RS512,
            Algorithm::Ps256 => Self::PS256,
            Algorithm::Ps384 => Self::PS384,
            Algorithm::Ps512 => Self::PS512,
            Algorithm::EdDsa => Self::EdDSA,
        }
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("name", &self.name)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
