//! TLS and what is known of a request when it fails.

use pd_client::{ClientBuilder, Error, ErrorClass};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::fault_server::{FaultServer, answer};
use crate::tls_server::{Authority, TlsServer};
use crate::{quick, region, store};

#[track_caller]
fn says(error: &Error, words: &str) {
    assert!(error.report().contains(words), "{}", error.report());
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
    says(
        &error,
        "it is not issued by a trusted authority: check the CA bundle",
    );
    says(&error, "UnknownIssuer");
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
    says(
        &error,
        "it is for other host names: use one of them in the address",
    );
    says(&error, "not valid for name");
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
    says(&error, "it requires a client certificate");
    let stranger = Authority::new().identity_pem();
    let builder = quick().ca_pem(servers.pem()).client_identity_pem(stranger);
    let error = write(builder, &server.url).await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{}", error.report());
    says(&error, "it does not accept the client certificate");
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
    // A server that answers in plain text, as PD does, is recognised.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let greeting = answer("400 Bad Request", "", "");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(greeting.as_bytes()).await.unwrap();
            // Closing with bytes unread would reset what was sent.
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let error = write(quick().ca_pem(Authority::new().pem()), &url)
        .await
        .unwrap_err();
    assert_eq!(error.class(), ErrorClass::NotSent, "{}", error.report());
    says(&error, "use `http://` if the server does not use TLS");
}

#[tokio::test]
async fn http_to_a_tls_server_is_never_accepted() {
    let server = TlsServer::start(&Authority::new(), "localhost", None).await;
    let url = server.url.replace("https://", "http://");
    let error = write(quick(), &url).await.unwrap_err();
    // Only the question which cluster this is did leave.
    assert_eq!(error.class(), ErrorClass::NotSent, "{}", error.report());
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
        (quick().ca_pem(""), "the CA bundle: it has no"),
        (quick().ca_pem("garbage"), "the CA bundle: it has no"),
        (
            quick().ca_pem(key.serialize_pem()),
            "the CA bundle: it has no",
        ),
        (
            quick().ca_pem(garbled),
            "the CA bundle: cannot read a certificate in it",
        ),
        (
            quick().client_identity_pem(""),
            "the client identity: it has no `BEGIN CERTIFICATE`",
        ),
        (
            quick().client_identity_pem(certificate.pem()),
            "the client identity: it has no `PRIVATE KEY`",
        ),
        (
            quick().client_identity_pem(garbled.to_owned() + &key.serialize_pem()),
            "the client identity: cannot read its certificate or key",
        ),
        (
            quick().client_identity_pem(certificate.pem() + &Authority::new().issue("x").1.serialize_pem()),
            "the client identity: the key does not match the certificate",
        ),
        (
            quick().client_identity_pem(
                certificate.pem() + "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            ),
            "the client identity: its key is encrypted",
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
