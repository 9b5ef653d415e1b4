//! How it was proven who somebody is.

use serde::{Deserialize, Serialize};

/// How it was proven who somebody is. What is not proven is claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProvenBy {
    /// Not at all: the process that wrote it says so.
    #[default]
    Claimed,
    /// They have a secret that a person gave them.
    Token {
        /// The token, by its id, which is no secret.
        id: String,
        /// The person who made it, as an [`Actor`](crate::Actor) is written.
        made_by: String,
    },
    /// They showed a certificate that a gate's authority signed, and that its table says is theirs.
    Mtls {
        /// Which one: the SHA-256 of it, as hexadecimal digits.
        certificate: String,
        /// The person who answers for them, where the table names one, as an [`Actor`](crate::Actor) is
        /// written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<String>,
    },
    /// An issuer that a gate is told to believe signed a JWT that says so.
    Oidc {
        /// Which issuer, by its name in the gate's config file.
        issuer: String,
        /// The person who answers for them, where the table names one, as an [`Actor`](crate::Actor) is
        /// written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<String>,
    },
    /// They opened a link that was made for them on a gate's host, once.
    Link {
        /// The user of that host who had it made, as the system numbers them.
        uid: u32,
    },
    /// They signed what they decided with the key that the policy lists for them.
    Signature,
    /// It is what a [gate](crate::Guard::only_proven) does by itself.
    Gate,
}

/// The words that a policy has for how it is proven who asks: nobody asks by a link.
pub(crate) const PROVEN_BY: [&str; 6] = ["claimed", "token", "mtls", "oidc", "signature", "gate"];

impl ProvenBy {
    /// Whether it is only said who they are.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        *self == Self::Claimed
    }

    /// The person who answers for who is proven so, and does not agree to what they ask for besides: who
    /// made their token, or is named as their owner.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        match self {
            Self::Token { made_by, .. } => Some(made_by),
            Self::Mtls { owner, .. } | Self::Oidc { owner, .. } => owner.as_deref(),
            _ => None,
        }
    }

    /// The word for it, as policies and people write it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Token { .. } => "token",
            Self::Mtls { .. } => "mtls",
            Self::Oidc { .. } => "oidc",
            Self::Link { .. } => "link",
            Self::Signature => "signature",
            Self::Gate => "gate",
        }
    }
}

impl std::fmt::Display for ProvenBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token { id, made_by } => {
                write!(f, "identity proven by token {id}, created by {made_by}")
            }
            Self::Mtls { certificate, owner } => {
                let beginning: String = certificate.chars().take(16).collect();
                write!(f, "identity proven by the certificate {beginning}…")?;
                owned(f, owner.as_deref())
            }
            Self::Oidc { issuer, owner } => {
                write!(f, "identity proven by the issuer {issuer}")?;
                owned(f, owner.as_deref())
            }
            Self::Link { uid } => write!(f, "identity proven by a link that uid {uid} made"),
            Self::Claimed => f.write_str("identity claimed"),
            Self::Signature => f.write_str("identity signed"),
            Self::Gate => f.write_str("by the gate itself"),
        }
    }
}

fn owned(f: &mut std::fmt::Formatter<'_>, owner: Option<&str>) -> std::fmt::Result {
    match owner {
        Some(owner) => write!(f, ", owned by {owner}"),
        None => Ok(()),
    }
}
