//! What can go wrong, by what it says about the request.

use system_http::{BoxError, SetupError};

use crate::ids::{ClusterId, IdError};
use crate::refusal::PdError;

/// A call to PD that did not give its result.
///
/// For a write the variants differ in what is known of its effect, which [`class`](Self::class)
/// sums up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input was wrong; nothing was sent.
    #[error(transparent)]
    Input(#[from] InputError),

    /// No byte of the request can have reached PD: no connection, no TLS session, or no request.
    #[error("could not reach PD at `{endpoint}` for `{call}`")]
    NotSent {
        /// The endpoint that was tried.
        endpoint: String,
        /// Method and path of the call.
        call: String,
        /// Why it could not be reached.
        #[source]
        source: BoxError,
    },

    /// A write was not sent, because its connection leads to another cluster.
    #[error("`{call}` was not sent: PD at `{endpoint}` serves cluster {found}, not {expected}")]
    WrongCluster {
        /// The endpoint that was tried.
        endpoint: String,
        /// Method and path of the call.
        call: String,
        /// The cluster that the client holds to.
        expected: ClusterId,
        /// The cluster that PD says it is of.
        found: ClusterId,
    },

    /// A write was not sent, because PD did not say which cluster it is of.
    #[error("`{call}` was not sent: PD at `{endpoint}` did not report its cluster id")]
    ClusterUnknown {
        /// The endpoint that was tried.
        endpoint: String,
        /// Method and path of the call.
        call: String,
        /// What it said instead, if anything.
        #[source]
        source: BoxError,
    },

    /// A write was not sent, because its [`SendPermit`](crate::SendPermit) was refused.
    #[error("`{call}` was not sent to PD at `{endpoint}`: it was not permitted")]
    NotPermitted {
        /// The endpoint it was for.
        endpoint: String,
        /// Method and path of the call.
        call: String,
        /// The permit's reason.
        #[source]
        source: BoxError,
    },

    /// The request may have reached PD; its effect is unknown.
    ///
    /// Also when something did come back that is no decision: `redirect failed` of a follower, a
    /// `PANIC:`, anything that is not in one of PD's forms, such as a proxy's page. Then the cause is a [`PdError`] that holds the answer.
    #[error("no conclusive answer to `{call}` from PD at `{endpoint}`")]
    Unanswered {
        /// The endpoint that was tried.
        endpoint: String,
        /// Method and path of the call.
        call: String,
        /// Why there is no answer, or the answer that decides nothing.
        #[source]
        source: BoxError,
    },

    /// PD answered, and refused.
    #[error(transparent)]
    Pd(PdError),

    /// PD, or something before it, sent us elsewhere. Redirects are never followed. PD has none for
    /// a write, so that who answers one with a redirect may have passed it on: its effect is
    /// unknown.
    #[error(
        "PD at `{endpoint}` answered `{call}` with {status}, a redirect to `{}`, which is not followed",
        location.as_deref().unwrap_or("nowhere")
    )]
    Redirected {
        /// The endpoint that answered.
        endpoint: String,
        /// Method and path of the call.
        call: String,
        /// The HTTP status, 300 to 399.
        status: u16,
        /// Where to.
        location: Option<String>,
    },

    /// PD answered with success, and the rest of the answer could not be understood.
    ///
    /// A write that ends like this *was* accepted.
    #[error("cannot read the answer to `{call}` from PD at `{endpoint}`")]
    Decode {
        /// The endpoint that answered.
        endpoint: String,
        /// Method and path of the call.
        call: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },

    /// PD answered with success, and more bytes than the client takes.
    #[error("the answer to `{call}` from PD at `{endpoint}` is larger than {limit} bytes")]
    TooLarge {
        /// The endpoint that answered.
        endpoint: String,
        /// Method and path of the call.
        call: String,
        /// The largest answer taken: 64 KiB for a write, and else see
        /// [`ClientBuilder::body_cap`](crate::ClientBuilder::body_cap).
        limit: usize,
    },
}

impl From<IdError> for Error {
    fn from(error: IdError) -> Self {
        Self::Input(InputError::Id(error))
    }
}

impl Error {
    /// What is known of the request's effect.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Input(_) => ErrorClass::Input,
            Self::NotSent { .. }
            | Self::WrongCluster { .. }
            | Self::ClusterUnknown { .. }
            | Self::NotPermitted { .. } => ErrorClass::NotSent,
            Self::Unanswered { .. } | Self::Redirected { .. } => ErrorClass::Unanswered,
            Self::Pd(_) => ErrorClass::Refused,
            Self::Decode { .. } | Self::TooLarge { .. } => ErrorClass::Unreadable,
        }
    }

    /// What PD said, when it refused, when its answer decides nothing, or when it did not say which
    /// cluster it is of.
    #[must_use]
    pub fn answer(&self) -> Option<&PdError> {
        match self {
            Self::Pd(refusal) => Some(refusal),
            Self::Unanswered { source, .. } | Self::ClusterUnknown { source, .. } => {
                source.downcast_ref()
            }
            _ => None,
        }
    }

    /// Whether PD says that what was asked for does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Pd(refusal) if refusal.is_not_found())
    }

    /// The message and its causes, each once, on one line.
    #[must_use]
    pub fn report(&self) -> String {
        system_http::report(self)
    }
}

/// What is known of a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// It never left us: trying again, elsewhere or later, is safe.
    NotSent,
    /// It may have been carried out: look before trying again.
    Unanswered,
    /// It was not carried out, and PD said why.
    Refused,
    /// It was carried out, and what PD said about it is lost.
    Unreadable,
    /// It was never made: the input is wrong.
    Input,
}

impl InputError {
    /// An argument that cannot be sent.
    pub(crate) fn argument(what: &'static str, given: &str, problem: &'static str) -> Self {
        Self::Argument {
            what,
            given: given.chars().take(80).collect(),
            problem,
        }
    }
}

/// Input that no request can be made from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// No endpoint was given.
    #[error("no PD endpoint given: use at least one, such as `http://127.0.0.1:2379`")]
    NoEndpoint,

    /// An endpoint is not one.
    #[error("invalid PD endpoint `{given}`: {problem}")]
    Endpoint {
        /// What was given, where it can hold no secret.
        given: String,
        /// What is wrong, and what is right.
        problem: &'static str,
    },

    /// A caller id cannot be sent.
    #[error("invalid caller id {given:?}: {problem}")]
    CallerId {
        /// The beginning of what was given.
        given: String,
        /// What is wrong, and what is right.
        problem: &'static str,
    },

    /// A client whose transport only reads cannot change anything.
    #[error("this client is read-only: its HTTP transport opens no connections for writes")]
    ReadOnlyTransport,

    /// Certificates or a key cannot be used, or the HTTP client cannot be built.
    #[error(transparent)]
    Setup(#[from] SetupError),

    /// Time-outs contradict each other.
    #[error(
        "the connect timeout {connect:?} must be above zero and shorter than the {what} timeout {total:?}"
    )]
    Timeouts {
        /// Which time-out it was compared to.
        what: &'static str,
        /// Time allowed to connect.
        connect: std::time::Duration,
        /// Time allowed for the whole request.
        total: std::time::Duration,
    },

    /// An id is not one.
    #[error(transparent)]
    Id(#[from] IdError),

    /// A key is not hexadecimal.
    #[error(
        "invalid key `{given}`: use pairs of hexadecimal digits, such as `7480000000000000FF5F`"
    )]
    Key {
        /// The beginning of what was given.
        given: String,
    },

    /// A name or a value that PD would refuse, ignore, or take for another.
    #[error("invalid {what} {given:?}: {problem}")]
    Argument {
        /// What it was given as.
        what: &'static str,
        /// The beginning of what was given.
        given: String,
        /// What is wrong, and what is right.
        problem: &'static str,
    },

    /// A request body could not be written.
    #[error("cannot write the body of `{call}`")]
    Body {
        /// Method and path of the call.
        call: String,
        /// Why.
        #[source]
        source: BoxError,
    },
}
