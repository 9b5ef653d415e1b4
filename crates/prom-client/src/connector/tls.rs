//! TLS as rustls does it.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::error::Error;

pub(super) fn config(https: bool, ca_pem: Option<&[u8]>) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::setup)?;
    let builder = match ca_pem {
        Some(pem) => builder.with_root_certificates(roots(pem)?),
        None if https => builder.with_platform_verifier().map_err(Error::setup)?,
        // Reading the system's certificates takes time, and fails where there are none.
        None => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(Error::setup)?;
        roots.add(certificate).map_err(Error::setup)?;
    }
    if roots.is_empty() {
        return Err(Error::setup(
            "the bundle holds no `BEGIN CERTIFICATE`, write PEM",
        ));
    }
    Ok(roots)
}
