//! TLS as rustls does it: what the gate shows, and what is wrong with that.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{InconsistentKeys, RootCertStore, ServerConfig};

use system_http::pem_problem;

use crate::trust::{ServerIdentity, TrustError};

const CERTIFICATE: &str = "certificate";
const KEY: &str = "key";
const CLIENT_CA: &str = "authorities of clients";

/// How sessions are made with who connects. Whose certificate is looked at begins each one anew: what is
/// resumed would not be looked at again.
pub(crate) fn config(
    identity: &ServerIdentity,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<ServerConfig, TrustError> {
    let chain = certificates(CERTIFICATE, &identity.certificates)?;
    let key = key(&identity.key)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(CERTIFICATE, "it supports no version of TLS", error))?;
    let is_resumed = clients.is_none();
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let made = builder.with_single_cert(chain, key);
    let mut config = made.map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            let problem = "the key does not match the certificate";
            wrong(KEY, problem, error)
        }
        error => wrong(CERTIFICATE, "cannot read it or its key", error),
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if !is_resumed {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// Believes certificates of these authorities; who has none is let through without.
pub(crate) fn clients(authorities: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, TrustError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(CLIENT_CA, authorities)? {
        let added = roots.add(authority);
        added.map_err(|error| wrong(CLIENT_CA, "cannot read a certificate in it", error))?;
    }
    let provider = Arc::new(default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let built = builder.allow_unauthenticated().build();
    built.map_err(|error| wrong(CLIENT_CA, "it cannot be read", error))
}

/// The certificates of a text, at least one.
fn certificates(
    what: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| not_pem(what, &error))?;
    match found.is_empty() {
        true => Err(lacking(what, "it has no `BEGIN CERTIFICATE`: use PEM")),
        false => Ok(found),
    }
}

fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TrustError> {
    let text = String::from_utf8_lossy(pem);
    if text.contains("ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        let problem = "it is encrypted: write it without a passphrase";
        return Err(lacking(KEY, problem));
    }
    if !text.contains("PRIVATE KEY-----") {
        return Err(lacking(KEY, "it has no `PRIVATE KEY`: use PEM"));
    }
    let key = PrivateKeyDer::from_pem_slice(pem);
    key.map_err(|error| not_pem(KEY, &error))
}

fn not_pem(what: &'static str, error: &pem::Error) -> TrustError {
    TrustError::Pem {
        what,
        problem: "it is not PEM",
        source: Some(pem_problem(error).into()),
    }
}

fn lacking(what: &'static str, problem: &'static str) -> TrustError {
    TrustError::Pem {
        what,
        problem,
        source: None,
    }
}

fn wrong(
    what: &'static str,
    problem: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> TrustError {
    TrustError::Pem {
        what,
        problem,
        source: Some(Box::new(source)),
    }
}
