//! The files of settings.

use std::path::PathBuf;

use action_core::{ConnectError, FilePath, TlsFiles};
use system_http::{Certificates, Identity, Pem};

/// What the settings of TLS name. Files are read again when they change.
///
/// # Errors
/// When one cannot be read, or a certificate is without its key.
pub fn certificates(tls: &TlsFiles) -> Result<Certificates, ConnectError> {
    let mut certificates = Certificates::default();
    if let Some(path) = &tls.ca {
        certificates.ca = Some(Pem::File(readable("tls_ca", path)?));
    }
    if let Some((cert, key)) = tls.identity()? {
        certificates.identity = Some(Identity::Files {
            certificate: readable("tls_cert", cert)?,
            key: readable("tls_key", key)?,
        });
    }
    Ok(certificates)
}

/// The path of a file that can be read; it may change later.
///
/// # Errors
/// When it cannot, naming the setting.
pub fn readable(setting: &str, path: &FilePath) -> Result<PathBuf, ConnectError> {
    read(setting, path).map(|_| path.as_path().to_owned())
}

/// What is in a file.
///
/// # Errors
/// When it cannot be read, naming the setting.
pub fn read(setting: &str, path: &FilePath) -> Result<Vec<u8>, ConnectError> {
    let path = path.as_path();
    std::fs::read(path).map_err(|error| {
        let problem = format!("cannot read `{}`: {error}", path.display());
        ConnectError::setting(setting, problem)
    })
}
