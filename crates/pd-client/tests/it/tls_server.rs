//! A PD behind TLS, with certificates made at test time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::fault_server::{BEFORE_WRITES, ok, read_request};

/// An authority of certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// An authority of its own name: one that shares it would be taken for the right one.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let mut params = CertificateParams::default();
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::SeqCst));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for this name, and its key.
    pub(crate) fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    pub(crate) fn identity_pem(&self) -> String {
        let (certificate, key) = self.issue("client");
        certificate.pem() + &key.serialize_pem()
    }
}

/// A PD behind TLS that says yes to everything.
pub(crate) struct TlsServer {
    pub(crate) url: String,
    requests: Arc<AtomicUsize>,
    acceptor: Arc<Mutex<TlsAcceptor>>,
    task: JoinHandle<()>,
}

impl TlsServer {
    pub(crate) async fn start(
        authority: &Authority,
        name: &str,
        clients: Option<&Authority>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = Arc::new(Mutex::new(acceptor(authority, name, clients)));
        let requests = Arc::new(AtomicUsize::new(0));
        let serving = serve(listener, Arc::clone(&acceptor), Arc::clone(&requests));
        let task = tokio::spawn(serving);
        Self {
            url: format!("https://localhost:{port}"),
            requests,
            acceptor,
            task,
        }
    }

    /// Shows another certificate, and wants others, on connections made from now on.
    pub(crate) fn change(&self, authority: &Authority, name: &str, clients: Option<&Authority>) {
        *self.acceptor.lock().unwrap() = acceptor(authority, name, clients);
    }

    /// Requests that were read, but for those that come before a write.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(authority: &Authority, name: &str, clients: Option<&Authority>) -> TlsAcceptor {
    let (certificate, key) = authority.issue(name);
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.0.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_single_cert(vec![certificate.der().clone()], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

async fn serve(
    listener: TcpListener,
    acceptor: Arc<Mutex<TlsAcceptor>>,
    requests: Arc<AtomicUsize>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.lock().unwrap().clone();
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            while let Some(request) = read_request(&mut stream).await {
                let mut before = BEFORE_WRITES.iter();
                let before = before.find(|(asked, _)| request.starts_with(asked));
                let answer = before.map_or_else(
                    || {
                        requests.fetch_add(1, Ordering::SeqCst);
                        ok("\"The operator is created.\"")
                    },
                    |(_, answer)| (*answer).to_owned(),
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
    }
}
