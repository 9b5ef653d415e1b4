//! TLS and what is known of a request when it fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pd_client::{ClientBuilder, Error, ErrorClass};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::fault_server::{FaultServer, ok, read_request};
use crate::{quick, region, store};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// An authority of its own name: one that shares it would be taken for the right one.
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let mut params = CertificateParams::default();
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::SeqCst));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for this name, and its key.
    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    fn identity_pem(&self) -> String {
        let (certificate, key) = self.issue("client");
        certificate.pem() + &key.serialize_pem()
    }
}

/// A PD behind TLS that says yes to everything.
struct TlsServer {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl TlsServer {
    async fn start(authority: &Authority, name: &str, clients: Option<&Authority>) -> Self {
        let (certificate, key) = authority.issue(name);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.0.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = config
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let requests = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, counting) = (acceptor.clone(), Arc::clone(&counting));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    while let Some(request) = read_request(&mut stream).await {
                        if !request.contains("/members ") {
                            counting.fetch_add(1, Ordering::SeqCst);
                        }
                        let answer = ok("\"The operator is created.\"");
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn write(builder: ClientBuilder, url: &str) -> Result<pd_client::Accepted, Error> {
    builder
        .endpoints(url)
        .build()?
        .add_transfer_leader_operator(region(12), store(4))
        .await
}

#[tokio::test]
async fn a_private_authority_and_a_client_certificate_work() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let server = TlsServer::start(&servers, "localhost", Some(&clients)).await;
    let builder = quick()
        .ca_pem(servers.pem())
        .client_identity_pem(clients.identity_pem());
    assert!(write(builder, &server.url).await.is_ok());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn an_unknown_issuer_is_not_sent() {
    let server = TlsServer::start(&Authority::new(), "localhost", None).await;
    let error = write(quick().ca_pem(Authority::new().pem()), &server.url)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{}", error.report());
    assert!(
        error.report().contains("UnknownIssuer"),
        "{}",
        error.report()
    );
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn another_name_is_not_sent() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, "elsewhere.example", None).await;
    let error = write(quick().ca_pem(authority.pem()), &server.url)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{}", error.report());
    assert!(
        error.report().contains("not valid for name"),
        "{}",
        error.report()
    );
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_missing_client_certificate_is_not_sent_and_named() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let server = TlsServer::start(&servers, "localhost", Some(&clients)).await;
    let error = write(quick().ca_pem(servers.pem()), &server.url)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{}", error.report());
    assert!(
        error.report().contains("requires a client certificate"),
        "{}",
        error.report()
    );
    let stranger = Authority::new().identity_pem();
    let builder = quick().ca_pem(servers.pem()).client_identity_pem(stranger);
    let error = write(builder, &server.url).await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{}", error.report());
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn https_to_a_plain_server_is_not_sent() {
    let server = FaultServer::healthy().await;
    let url = server
        .url()
        .replace("http://127.0.0.1", "https://localhost");
    let error = write(quick().ca_pem(Authority::new().pem()), &url)
        .await
        .unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent, "{}", error.report());
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn http_to_a_tls_server_is_never_accepted() {
    let server = TlsServer::start(&Authority::new(), "localhost", None).await;
    let url = server.url.replace("https://", "http://");
    let error = write(quick(), &url).await.unwrap_err();
    // The bytes did leave; that they are worth nothing there is not proved.
    assert_eq!(error.class(), ErrorClass::Unanswered, "{}", error.report());
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let error = write(quick().ca_pem(Authority::new().pem()), &url)
        .await
        .unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent, "{}", error.report());
}

#[tokio::test]
async fn unusable_certificates_are_refused_by_name() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("client");
    let garbled = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    for (builder, words) in [
        (quick().ca_pem(""), "the CA bundle: it holds no"),
        (quick().ca_pem("garbage"), "the CA bundle: it holds no"),
        (
            quick().ca_pem(key.serialize_pem()),
            "the CA bundle: it holds no",
        ),
        (
            quick().ca_pem(garbled),
            "the CA bundle: a certificate in it cannot be read",
        ),
        (
            quick().client_identity_pem(""),
            "the client identity: it holds no `BEGIN CERTIFICATE`",
        ),
        (
            quick().client_identity_pem(certificate.pem()),
            "the client identity: it holds no `PRIVATE KEY`",
        ),
        (
            quick().client_identity_pem(garbled.to_owned() + &key.serialize_pem()),
            "the client identity: its certificate or key cannot be read",
        ),
    ] {
        let error = builder
            .endpoints("https://localhost:2379")
            .build()
            .unwrap_err();
        assert_eq!(error.class(), ErrorClass::Input);
        assert!(error.to_string().starts_with(words), "{error}");
    }
}
