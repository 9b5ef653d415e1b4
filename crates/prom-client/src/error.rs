//! What can go wrong when Prometheus is asked.

use system_http::BoxError;

/// A query that did not give its result. Nothing is ever changed by one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address or the certificates are wrong. Nothing was sent.
    #[error("invalid address of Prometheus {given:?}: {problem}")]
    Address {
        /// What was given, where it can hold no secret.
        given: String,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },

    /// The client could not be made from its settings.
    #[error("cannot set up the Prometheus client")]
    Setup {
        /// Why.
        #[source]
        source: BoxError,
    },

    /// No answer.
    #[error("no answer from Prometheus at `{address}`")]
    Unanswered {
        /// Where it was asked.
        address: String,
        /// Why nothing came back.
        #[source]
        source: BoxError,
    },

    /// It answered, and refused. Displays its words.
    #[error("{message}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// Prometheus' word for what is wrong, such as `bad_data` or `timeout`.
        kind: String,
        /// What it said, shortened.
        message: String,
    },

    /// It answered more than is taken.
    #[error("the answer of Prometheus is larger than {limit} bytes: request less")]
    TooLarge {
        /// How much is taken.
        limit: usize,
    },

    /// The answer is not one of Prometheus'.
    #[error("what answers at `{address}` is not Prometheus")]
    Unreadable {
        /// Where it came from.
        address: String,
        /// Why.
        #[source]
        source: BoxError,
    },
}

impl Error {
    pub(crate) fn setup(source: impl Into<BoxError>) -> Self {
        Self::Setup {
            source: source.into(),
        }
    }
}
