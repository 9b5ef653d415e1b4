//! Types for the [settings](crate::Connect::Settings) by which systems are reached, the same for all:
//! flags, environment and config files read them alike.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::connect::ConnectError;
use crate::redacted::shown_address;

/// The path of a file. In a config file it is taken from where that file is, or from the user's home
/// where it begins with `~/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(with = "String", extend("x-file" = true))]
pub struct FilePath(pub PathBuf);

impl FilePath {
    /// The same as a path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

/// Where something is: one address or several with commas between them. It may hold a password, and
/// is shown whole only where it is nothing but schemes, hosts and ports.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(with = "String", extend("x-address" = true))]
pub struct Addresses(pub String);

impl Addresses {
    /// As they were given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there are several.
    #[must_use]
    pub fn are_several(&self) -> bool {
        self.0.contains(',')
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Addresses")
            .field(&shown_address(&self.0))
            .finish()
    }
}

/// The files of TLS (PEM).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// Certificates to trust, and no others (PEM)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<FilePath>,
    /// Certificate to show (PEM)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<FilePath>,
    /// Private key of the certificate (PEM)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<FilePath>,
}

impl TlsFiles {
    /// The certificate to show and its key.
    ///
    /// # Errors
    /// When there is one without the other.
    pub fn identity(&self) -> Result<Option<(&FilePath, &FilePath)>, ConnectError> {
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Ok(Some((cert, key))),
            (None, None) => Ok(None),
            (Some(_), None) => {
                let problem = "it needs `tls_key` too";
                Err(ConnectError::setting("tls_cert", problem))
            }
            (None, Some(_)) => {
                let problem = "it needs `tls_cert` too";
                Err(ConnectError::setting("tls_key", problem))
            }
        }
    }
}
