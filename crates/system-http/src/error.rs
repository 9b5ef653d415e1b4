//! What a client cannot be made from, and how errors are shown with their causes.

/// An error of any type, as a cause.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Settings that no connection can be made with. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Certificates or a key are not usable.
    #[error("{what}: {problem}")]
    Pem {
        /// Which of the inputs, with its file if it is in one.
        what: String,
        /// What is wrong, and what is right.
        problem: &'static str,
        /// The parser's reason, if it gave one.
        #[source]
        source: Option<BoxError>,
    },

    /// A file with certificates or a key cannot be read.
    #[error("cannot read the {what} `{path}`")]
    File {
        /// Which of the inputs.
        what: &'static str,
        /// Where it was looked for.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },

    /// There is no TLS in this build.
    #[error(
        "{what} needs TLS, but this build has none: enable the feature `tls-ring` or `tls-aws-lc`"
    )]
    NoTls {
        /// What was asked for.
        what: String,
    },

    /// The HTTP client could not be built.
    #[error("cannot set up the HTTP client")]
    Client {
        /// Why.
        #[source]
        source: BoxError,
    },
}

/// The message of an error and its causes, each once, on one line.
#[must_use]
pub fn report(error: &(dyn std::error::Error + 'static)) -> String {
    let mut report = error.to_string();
    let mut last = report.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Wrappers often display their source as their own message.
        if message != last && !message.is_empty() {
            report.push_str(": ");
            report.push_str(&message);
            last = message;
        }
        cause = error.source();
    }
    report
}
