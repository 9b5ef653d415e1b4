//! What went wrong between us and etcd, and what a caller can do about it.

use action_core::{FailureKind, NotPermitted, SubjectError};
use system_http::{BoxError, PermitRefused};

/// A call of etcd's that did not give its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address or a certificate is wrong. Nothing was sent.
    #[error("cannot set up a client of etcd")]
    Setup(#[source] BoxError),

    /// Nothing was sent.
    #[error("could not reach etcd at `{at}`")]
    NotSent {
        /// Where.
        at: String,
        /// Why not.
        #[source]
        source: BoxError,
    },

    /// A write was not sent, because its permit was refused.
    #[error(transparent)]
    NotPermitted(PermitRefused),

    /// A write was not sent: at its address is another cluster or member.
    #[error("nothing was sent: at `{at}` is member {found}, not {expected}")]
    OtherSystem {
        /// Where.
        at: String,
        /// Member and cluster that it was for.
        expected: String,
        /// Member and cluster that answered.
        found: String,
    },

    /// A read was not answered.
    #[error("no answer from etcd at `{at}`")]
    NotRead {
        /// Where it was asked.
        at: String,
        /// Why not, or the answer that is none of etcd's.
        #[source]
        source: BoxError,
    },

    /// A write was not answered, or not conclusively: its effect is unknown.
    #[error("no conclusive answer from etcd at `{at}`")]
    Unanswered {
        /// Where it was sent.
        at: String,
        /// Why there is no answer, or the answer that decides nothing.
        #[source]
        source: BoxError,
    },

    /// etcd refused. Displays its words.
    #[error("{0}")]
    Refused(String),

    /// As the cluster is, what was asked for is not to be done. Nothing was sent.
    #[error("{text}")]
    NotApplicable {
        /// A stable code for why.
        code: &'static str,
        /// Why.
        text: String,
    },
}

/// Refused before anything is proposed, though its code is that of a time-out.
pub(crate) const UNHEALTHY: &str = "etcdserver: unhealthy cluster";

/// A stable code for etcd's words: `etcdserver: member not found` is `member_not_found`.
pub(crate) fn code_of(words: &str) -> String {
    let words = words.strip_prefix("etcdserver: ").unwrap_or(words);
    let parts = words.split(|at: char| !at.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("_").to_ascii_lowercase()
}

impl SubjectError for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Setup(_) => FailureKind::InvalidInput,
            Self::Unanswered { .. } => FailureKind::Unknown,
            Self::Refused(_) | Self::NotApplicable { .. } => FailureKind::Refused,
            _ => FailureKind::Unavailable,
        }
    }

    fn code(&self) -> Option<String> {
        let code = match self {
            Self::Setup(_) => "invalid_input",
            Self::NotSent { .. } => "not_sent",
            Self::NotPermitted(refused) => {
                let reason = std::error::Error::source(refused);
                return reason
                    .and_then(|reason| reason.downcast_ref::<NotPermitted>())
                    .map(|reason| reason.code.clone());
            }
            Self::OtherSystem { .. } => "other_system",
            Self::NotRead { .. } | Self::Unanswered { .. } => "no_answer",
            Self::Refused(words) => return Some(code_of(words)),
            Self::NotApplicable { code, .. } => code,
        };
        Some(code.to_owned())
    }
}
