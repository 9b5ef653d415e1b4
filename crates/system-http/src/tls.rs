//! TLS as rustls does it: what is trusted, what is shown, and what its errors mean.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, InconsistentKeys, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::certificates::{Loaded, Named};
use crate::connection::Stream;
use crate::error::{BoxError, SetupError};

pub(crate) use advice::refused_handshake;

mod advice;

/// How TLS sessions are made.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Whether this build speaks `https`.
    pub(crate) const IS_THERE: bool = true;

    /// With these certificates. The system's are trusted when there are no others and there is
    /// `https` to speak.
    pub(crate) fn new(loaded: &Loaded, https: bool) -> Result<Self, SetupError> {
        Ok(Self(Arc::new(config(loaded, https)?)))
    }

    /// Makes a session with this host over a connection to it.
    pub(crate) async fn handshake(
        &self,
        host: String,
        stream: TcpStream,
    ) -> Result<Box<dyn Stream>, BoxError> {
        let name = ServerName::try_from(host)?;
        let connector = TlsConnector::from(Arc::clone(&self.0));
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(refused_handshake(error, true).map_or_else(Into::into, Into::into)),
        }
    }
}

/// Reading the system's certificates takes time, and fails where there are none.
fn config(loaded: &Loaded, https: bool) -> Result<ClientConfig, SetupError> {
    let setup = |error: rustls::Error| SetupError::Client {
        source: error.into(),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(setup)?;
    let builder = match &loaded.ca {
        Some(ca) => trusting(builder, ca)?,
        None if https => builder.with_platform_verifier().map_err(setup)?,
        None => builder.with_root_certificates(RootCertStore::empty()),
    };
    match &loaded.identity {
        Some((certificate, key)) => showing(builder, certificate, key),
        None => Ok(builder.with_no_client_auth()),
    }
}

#[cfg(feature = "tls-aws-lc")]
fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(not(feature = "tls-aws-lc"))]
fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

fn trusting(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    ca: &Named,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, SetupError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca, "cannot read a certificate in it")? {
        roots
            .add(certificate)
            .map_err(|error| ca.refuse("it contains an invalid certificate", Some(error.into())))?;
    }
    Ok(builder.with_root_certificates(roots))
}

fn showing(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    certificate: &Named,
    key: &Named,
) -> Result<ClientConfig, SetupError> {
    const UNREADABLE: &str = "cannot read its certificate or key";
    let chain = certificates(certificate, UNREADABLE)?;
    let text = String::from_utf8_lossy(&key.pem);
    if text.contains("ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(key.refuse("its key is encrypted: store it without a passphrase", None));
    }
    if !text.contains("PRIVATE KEY-----") {
        let problem = "it has no `PRIVATE KEY`: append the key to the certificate";
        return Err(key.refuse(problem, None));
    }
    let secret = PrivateKeyDer::from_pem_slice(&key.pem)
        .map_err(|error| key.refuse(UNREADABLE, Some(pem_problem(&error).into())))?;
    builder
        .with_client_auth_cert(chain, secret)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                key.refuse("the key does not match the certificate", Some(error.into()))
            }
            error => certificate.refuse(UNREADABLE, Some(error.into())),
        })
}

/// The certificates of a text, at least one.
fn certificates(
    named: &Named,
    unreadable: &'static str,
) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let certificates = CertificateDer::pem_slice_iter(&named.pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| named.refuse(unreadable, Some(pem_problem(&error).into())))?;
    if certificates.is_empty() {
        // Taken as it is, it would trust nothing and say so only at the first request.
        return Err(named.refuse("it has no `BEGIN CERTIFICATE`: use PEM", None));
    }
    Ok(certificates)
}

/// What is wrong with a text of PEM, in words. The error itself shows its bytes as numbers.
#[must_use]
pub fn pem_problem(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            let end = String::from_utf8_lossy(end_marker);
            let end = end.trim_end().trim_matches('-');
            let end = end.strip_prefix("END ").unwrap_or(end);
            format!("it is cut off: there is no line `-----END {end}-----`")
        }
        pem::Error::IllegalSectionStart { .. } => {
            "a line that begins with `-----BEGIN` does not end with `-----`".to_owned()
        }
        pem::Error::Base64Decode(_) => "what stands between its marks is not base64".to_owned(),
        other => other.to_string(),
    }
}

impl Named {
    fn refuse(&self, problem: &'static str, source: Option<BoxError>) -> SetupError {
        SetupError::Pem {
            what: self.name.clone(),
            problem,
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn told(text: &str) -> String {
        let found = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
        pem_problem(&found.unwrap_err())
    }

    #[test]
    fn what_is_wrong_with_pem_is_said_in_words() {
        let cut = told("-----BEGIN CERTIFICATE-----\nAAAA\n");
        assert_eq!(
            cut,
            "it is cut off: there is no line `-----END CERTIFICATE-----`"
        );
        let begun = told("-----BEGIN CERTIFICATE\nAAAA\n");
        assert!(begun.contains("does not end with `-----`"), "{begun}");
        let other = told("-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n");
        assert!(other.contains("not base64"), "{other}");
    }
}
