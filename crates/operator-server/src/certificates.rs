//! Clients' certificates: whom each of them proves.

use std::collections::BTreeMap;
use std::sync::Arc;

use action_guard::ProvenBy;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use sha2::{Digest as _, Sha256};
use webpki::EndEntityCert;

use crate::known::Known;
use crate::trust::{CertificateName, Client, TrustError};

/// Whom certificates prove.
#[derive(Default)]
pub(crate) struct Certificates {
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    by_name: BTreeMap<CertificateName, Known>,
}

/// What a client has shown when it connected, which the handshake has found to be its own.
#[derive(Clone)]
pub(crate) struct Shown(Arc<[CertificateDer<'static>]>);

impl Shown {
    pub(crate) fn new(chain: &[CertificateDer<'static>]) -> Self {
        Self(chain.into())
    }
}

impl Certificates {
    pub(crate) fn new(
        verifier: Option<Arc<dyn ClientCertVerifier>>,
        clients: &[Client],
    ) -> Result<Self, TrustError> {
        let mut by_name = BTreeMap::new();
        for Client { name, known } in clients {
            let refused = |problem| {
                let who = name.to_string();
                Err(TrustError::Known { who, problem })
            };
            if verifier.is_none() {
                return refused(
                    "client certificates need `client_ca`, the authorities that issue them",
                );
            }
            if !is_a_name(name) {
                return refused(
                    "not a name in a certificate, such as `night.agents.example.com` or `spiffe://example.com/night`",
                );
            }
            if by_name.insert(name.clone(), known.clone()).is_some() {
                return refused("it is listed twice");
            }
        }
        Ok(Self { verifier, by_name })
    }

    /// Whom this certificate proves now: it is looked at with each request, by the authorities and the
    /// clock of that moment. One with the names of two proves neither.
    pub(crate) fn known(&self, shown: &Shown) -> Option<(&Known, ProvenBy)> {
        let (own, between) = shown.0.split_first()?;
        let verifier = self.verifier.as_ref()?;
        let verified = verifier.verify_client_cert(own, between, UnixTime::now());
        verified.ok()?;
        let read = EndEntityCert::try_from(own).ok()?;
        let dns = read.valid_dns_names().map(str::to_owned);
        let uris = read.valid_uri_names().map(str::to_owned);
        let names = dns.map(CertificateName::Dns);
        let names = names.chain(uris.map(CertificateName::Uri));
        let mut known = names.filter_map(|name| self.by_name.get(&name));
        let one = known.next()?;
        let hash = Sha256::digest(own);
        let certificate = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let owner = one.owner();
        known
            .all(|other| other == one)
            .then_some((one, ProvenBy::Mtls { certificate, owner }))
    }

    /// Whether a certificate can still prove this one.
    pub(crate) fn may_prove(&self, who: &str) -> bool {
        self.of(who).next().is_some()
    }

    /// The rows of this one.
    pub(crate) fn of<'a>(&'a self, who: &'a str) -> impl Iterator<Item = &'a Known> {
        let known = self.by_name.values();
        known.filter(move |known| known.actor.as_str().eq_ignore_ascii_case(who))
    }
}

/// Whether a certificate can be for this name and no other.
fn is_a_name(name: &CertificateName) -> bool {
    let is_shown = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    match name {
        CertificateName::Dns(name) => {
            is_shown(name) && !name.is_empty() && !name.contains(['*', ':', '/', '@'])
        }
        CertificateName::Uri(uri) => is_shown(uri) && uri.contains("://"),
    }
}
