//! What went wrong between us and PD, and what a caller can do about it.

use action_core::{FailureKind, NotPermitted, SubjectError};
use pd_client::ErrorClass;

/// A call to PD that did not give its result, and whether it could have changed anything.
///
/// Displays what PD said, and nothing else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// While reading.
    #[error(transparent)]
    Read(pd_client::Error),

    /// While sending a mutation.
    #[error(transparent)]
    Send(pd_client::Error),

    /// While sending a mutation of several things: PD refused some of it, and did the rest.
    #[error(transparent)]
    RefusedForSome(pd_client::Error),

    /// As the cluster is, what was asked for is not to be done. Nothing was sent.
    #[error("{text}")]
    NotApplicable {
        /// A stable code for why.
        code: &'static str,
        /// Why.
        text: String,
    },

    /// What was asked about is not there. Nothing was sent.
    #[error("{text}")]
    NoSuch {
        /// A stable code for what.
        code: &'static str,
        /// What is not there, and what is.
        text: String,
    },

    /// PD answered, and does not know what was asked for yet. Nothing was sent.
    #[error("{text}")]
    NotKnownYet {
        /// What is not known, and when it will be.
        text: &'static str,
    },
}

impl SubjectError for Error {
    fn kind(&self) -> FailureKind {
        let cause = match self {
            Self::Read(cause) | Self::Send(cause) => cause,
            Self::RefusedForSome(_) => return FailureKind::Unknown,
            Self::NotApplicable { .. } => return FailureKind::Refused,
            Self::NoSuch { .. } => return FailureKind::InvalidInput,
            Self::NotKnownYet { .. } => return FailureKind::Unavailable,
        };
        let said = |question: fn(&pd_client::PdError) -> bool| cause.answer().is_some_and(question);
        match (self, cause.class()) {
            (_, ErrorClass::Input) => FailureKind::InvalidInput,
            (_, ErrorClass::NotSent) => FailureKind::Unavailable,
            (_, ErrorClass::Refused) => {
                if self.is_read_from_elsewhere() || said(pd_client::PdError::is_not_served) {
                    FailureKind::Unavailable
                } else if said(|refusal| {
                    refusal.is_operator_in_the_way() || refusal.is_rate_limited()
                }) {
                    FailureKind::Busy
                } else {
                    FailureKind::Refused
                }
            }
            // PD accepted what it answered with success, readable or not.
            (Self::Send(_), _) => FailureKind::Unknown,
            _ => FailureKind::Unavailable,
        }
    }

    fn code(&self) -> Option<String> {
        let cause = match self {
            Self::Read(cause) | Self::Send(cause) | Self::RefusedForSome(cause) => cause,
            Self::NotApplicable { code, .. } | Self::NoSuch { code, .. } => {
                return Some((*code).to_owned());
            }
            Self::NotKnownYet { .. } => return Some("not_known_yet".to_owned()),
        };
        if let pd_client::Error::NotPermitted { source, .. } = cause
            && let Some(refused) = source.downcast_ref::<NotPermitted>()
        {
            return Some(refused.code.clone());
        }
        if let pd_client::Error::WrongCluster { .. } = cause {
            return Some("other_system".to_owned());
        }
        if let Some(code) = cause.answer().and_then(|answer| answer.code.clone()) {
            return Some(code);
        }
        if cause
            .answer()
            .is_some_and(pd_client::PdError::is_overridden)
        {
            return Some("overridden_for_a_time".to_owned());
        }
        let is_pds = cause
            .answer()
            .is_some_and(pd_client::PdError::is_in_a_form_of_pd);
        let code = match cause.class() {
            _ if self.is_read_from_elsewhere() => "unreadable_answer",
            ErrorClass::Unanswered if is_pds => "no_decision",
            ErrorClass::Input => "invalid_input",
            ErrorClass::NotSent => "not_sent",
            ErrorClass::Refused if cause.is_not_found() => "not_found",
            ErrorClass::Refused => "refused",
            ErrorClass::Unreadable => "unreadable_answer",
            _ => "no_answer",
        };
        Some(code.to_owned())
    }
}

impl Error {
    /// Whether something else than PD refused a read, such as a proxy that wants somebody to sign in.
    /// Of what is read every PD that is known has the path, or it is asked for otherwise.
    fn is_read_from_elsewhere(&self) -> bool {
        match self {
            Self::Read(pd_client::Error::Pd(said)) => {
                said.is_unknown_path() || !said.is_in_a_form_of_pd()
            }
            _ => false,
        }
    }
}
