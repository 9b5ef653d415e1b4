//! Authorities, what they issue, and who connects with that.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use operator_server::{ServerIdentity, Trust};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WantsClientCert;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{
    ALL_VERSIONS, ClientConfig, ConfigBuilder, RootCertStore, ServerConfig,
    SupportedProtocolVersion,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::client::{Answer, ask_over};

/// A certificate with its key.
pub(crate) struct Issued {
    pub(crate) pem: String,
    key: KeyPair,
}

impl Issued {
    /// As the gate shows it.
    pub(crate) fn identity(&self) -> ServerIdentity {
        ServerIdentity {
            certificates: self.pem.clone().into_bytes(),
            key: self.key.serialize_pem().into_bytes(),
        }
    }
}

/// An authority of a name of its own: one that shares it would be taken for the right one.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let mut params = CertificateParams::default();
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::SeqCst));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    pub(crate) fn issue(&self, params: &CertificateParams) -> Issued {
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.0).unwrap();
        Issued {
            pem: made.pem(),
            key,
        }
    }

    /// What a gate on this machine shows.
    pub(crate) fn server(&self) -> Issued {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params)
    }

    /// Somebody else who shows a certificate of it.
    pub(crate) async fn listen(&self) -> (TcpListener, TlsAcceptor) {
        let own = self.server();
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let chain = CertificateDer::pem_slice_iter(own.pem.as_bytes());
        let chain = chain.collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (listener, TlsAcceptor::from(Arc::new(config.unwrap())))
    }

    /// A gate that shows a certificate of this authority.
    pub(crate) fn trust(&self) -> Trust {
        let mut trust = Trust::default();
        trust.identity = Some(self.server().identity());
        trust
    }
}

/// Who trusts an authority, and what else they bring along.
#[derive(Clone)]
pub(crate) struct Client(ClientConfig);

impl Client {
    pub(crate) fn of(authority: &Authority) -> Self {
        Self::speaking(authority, ALL_VERSIONS)
    }

    pub(crate) fn speaking(
        authority: &Authority,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        Self(trusting(authority, versions).with_no_client_auth())
    }

    /// The same with a certificate of its own.
    pub(crate) fn showing(
        authority: &Authority,
        own: &Issued,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let chain = CertificateDer::pem_slice_iter(own.pem.as_bytes());
        let chain = chain.collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
        let builder = trusting(authority, versions);
        Self(builder.with_client_auth_cert(chain, key).unwrap())
    }

    /// The same, which offers these protocols.
    pub(crate) fn offering(mut self, protocols: &[&str]) -> Self {
        let protocols = protocols.iter().map(|name| name.as_bytes().to_vec());
        self.0.alpn_protocols = protocols.collect();
        self
    }

    pub(crate) async fn connect(&self, to: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::new(self.0.clone()));
        let stream = TcpStream::connect(to).await?;
        let name = ServerName::try_from("localhost").unwrap();
        connector.connect(name, stream).await
    }

    /// Asks over a connection of its own; status 0 where there is no session.
    pub(crate) async fn ask(
        &self,
        to: SocketAddr,
        method: &str,
        path: &str,
        head: &[&str],
        body: &str,
    ) -> Answer {
        match self.connect(to).await {
            Ok(stream) => ask_over(stream, "localhost", method, path, head, body).await,
            Err(error) => Answer {
                status: 0,
                head: String::new(),
                body: error.to_string(),
            },
        }
    }
}

fn trusting(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_protocol_versions(versions).unwrap();
    builder.with_root_certificates(roots)
}

/// What an agent or a person shows, for these names.
pub(crate) fn named(names: &[SanType]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.to_vec();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

pub(crate) fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

pub(crate) fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

/// What is signed by nobody but itself.
pub(crate) fn self_signed(params: CertificateParams) -> Issued {
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Issued { pem, key }
}
