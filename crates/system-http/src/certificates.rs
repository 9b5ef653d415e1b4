//! Where certificates and keys come from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::SetupError;

/// What is trusted and shown, as it was given.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Certificates {
    /// The certificates that are trusted, and no others. Without, the system's are.
    pub ca: Option<Pem>,
    /// What is shown to the other side.
    pub identity: Option<Identity>,
    /// How often files are looked at, for what has changed in them. Ten seconds by default.
    pub look_every: Duration,
}

/// One or more certificates.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "made by callers")]
pub enum Pem {
    /// As text.
    Given(Vec<u8>),
    /// In a file that may change: new connections are made with what is in it then.
    File(PathBuf),
}

/// A certificate and its key.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "made by callers")]
pub enum Identity {
    /// Both in one text, the key appended.
    Given(Vec<u8>),
    /// In two files, or one that is named twice, that may change: new connections are made with
    /// what is in them then. While they do not fit each other, what they held before is used.
    Files {
        /// The certificate.
        certificate: PathBuf,
        /// Its key, without a passphrase.
        key: PathBuf,
    },
}

/// What is trusted and shown, as text.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) ca: Option<Named>,
    pub(crate) identity: Option<(Named, Named)>,
}

/// A text, and what errors call it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) pem: Vec<u8>,
}

const CA: &str = "CA bundle";
const CERTIFICATE: &str = "client certificate";
const KEY: &str = "client key";

impl Default for Certificates {
    fn default() -> Self {
        Self {
            ca: None,
            identity: None,
            look_every: Duration::from_secs(10),
        }
    }
}

impl Certificates {
    /// Whether what they say may change.
    pub(crate) fn are_files(&self) -> bool {
        matches!(self.ca, Some(Pem::File(_)))
            || matches!(self.identity, Some(Identity::Files { .. }))
    }

    pub(crate) fn are_none(&self) -> bool {
        self.ca.is_none() && self.identity.is_none()
    }

    /// What they say now.
    pub(crate) fn load(&self) -> Result<Loaded, SetupError> {
        let ca = match &self.ca {
            None => None,
            Some(Pem::Given(pem)) => Some(Named::given("the CA bundle", pem)),
            Some(Pem::File(path)) => Some(Named::read(CA, path)?),
        };
        let identity = match &self.identity {
            None => None,
            Some(Identity::Given(pem)) => {
                let both = Named::given("the client identity", pem);
                Some((both.clone(), both))
            }
            Some(Identity::Files { certificate, key }) => Some((
                Named::read(CERTIFICATE, certificate)?,
                Named::read(KEY, key)?,
            )),
        };
        Ok(Loaded { ca, identity })
    }
}

impl Named {
    fn given(name: &str, pem: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            pem: pem.to_vec(),
        }
    }

    fn read(what: &'static str, path: &Path) -> Result<Self, SetupError> {
        let pem = std::fs::read(path).map_err(|source| SetupError::File {
            what,
            path: path.display().to_string(),
            source,
        })?;
        Ok(Self {
            name: format!("the {what} `{}`", path.display()),
            pem,
        })
    }
}
