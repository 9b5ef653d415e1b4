//! Where certificates and keys come from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::InputError;

/// What is trusted and shown, as it was given.
#[derive(Clone)]
pub(crate) struct Certificates {
    pub(crate) ca: Option<Pem>,
    pub(crate) identity: Option<Identity>,
    /// How often files are looked at.
    pub(crate) look_every: Duration,
}

/// One or more certificates.
#[derive(Clone)]
pub(crate) enum Pem {
    Given(Vec<u8>),
    File(PathBuf),
}

/// A certificate and its key.
#[derive(Clone)]
pub(crate) enum Identity {
    /// Both in one text.
    Given(Vec<u8>),
    Files {
        certificate: PathBuf,
        key: PathBuf,
    },
}

/// What is trusted and shown, as text.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(super) ca: Option<Named>,
    pub(super) identity: Option<(Named, Named)>,
}

/// A text, and what errors call it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) pem: Vec<u8>,
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
    pub(super) fn are_files(&self) -> bool {
        matches!(self.ca, Some(Pem::File(_)))
            || matches!(self.identity, Some(Identity::Files { .. }))
    }

    pub(super) fn are_none(&self) -> bool {
        self.ca.is_none() && self.identity.is_none()
    }

    /// What they say now.
    pub(super) fn load(&self) -> Result<Loaded, InputError> {
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

    fn read(what: &'static str, path: &Path) -> Result<Self, InputError> {
        let pem = std::fs::read(path).map_err(|source| InputError::File {
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
