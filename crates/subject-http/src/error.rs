//! What went wrong between us and the system, and what a caller can do about it.

use action_core::{FailureKind, NotPermitted, SubjectError};
use system_http::{BoxError, PermitRefused};

/// A call that did not give its result. Fit to be a subject's [error](action_core::Subject::Error).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// An address, a certificate or a request is wrong. Nothing was sent.
    #[error("cannot set up a client of {system}")]
    Setup {
        /// What answers, such as `etcd`.
        system: &'static str,
        /// What is wrong.
        #[source]
        source: BoxError,
    },

    /// A write was not sent.
    #[error("could not reach {system} at `{at}`")]
    NotSent {
        /// What was to answer.
        system: &'static str,
        /// Where.
        at: String,
        /// Why not.
        #[source]
        source: BoxError,
    },

    /// A write was not sent, because its permit was refused.
    #[error(transparent)]
    NotPermitted(PermitRefused),

    /// A write was not sent: at its address is another system.
    #[error("nothing was sent: {found} answers at `{at}`, not {expected}")]
    OtherSystem {
        /// Where.
        at: String,
        /// The one that it was for.
        expected: String,
        /// The one that answered.
        found: String,
    },

    /// A read was not answered.
    #[error("no answer from {system} at `{at}`")]
    NotRead {
        /// What was asked.
        system: &'static str,
        /// Where.
        at: String,
        /// Why not, or the answer that is none.
        #[source]
        source: BoxError,
    },

    /// A write was not answered, or not conclusively: its effect is unknown.
    #[error("no conclusive answer from {system} at `{at}`")]
    Unanswered {
        /// What it was sent to.
        system: &'static str,
        /// Where.
        at: String,
        /// Why there is no answer, or the answer that decides nothing.
        #[source]
        source: BoxError,
    },

    /// The system refused, or there is no point in asking it. Displays the words.
    #[error("{text}")]
    Refused {
        /// A stable code.
        code: String,
        /// The system's words.
        text: String,
    },
}

impl SubjectError for HttpError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Setup { .. } => FailureKind::InvalidInput,
            Self::Unanswered { .. } => FailureKind::Unknown,
            Self::Refused { .. } => FailureKind::Refused,
            _ => FailureKind::Unavailable,
        }
    }

    fn code(&self) -> Option<String> {
        let code = match self {
            Self::Setup { .. } => "invalid_input",
            Self::NotSent { .. } => "not_sent",
            Self::NotPermitted(refused) => {
                let reason = std::error::Error::source(refused);
                return reason
                    .and_then(|reason| reason.downcast_ref::<NotPermitted>())
                    .map(|reason| reason.code.clone());
            }
            Self::OtherSystem { .. } => "other_system",
            Self::NotRead { .. } | Self::Unanswered { .. } => "no_answer",
            Self::Refused { code, .. } => code,
        };
        Some(code.to_owned())
    }
}
