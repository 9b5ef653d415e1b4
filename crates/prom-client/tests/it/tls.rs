//! Whom it trusts.

use std::sync::Arc;

use prom_client::{Client, Error};
use rcgen::generate_simple_self_signed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A Prometheus with a certificate of its own, which answers with no series. Gives its address and
/// its certificate.
async fn https() -> (String, String) {
    let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 4_096]).await;
            let body = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (format!("https://localhost:{port}"), made.cert.pem())
}

#[tokio::test]
async fn a_certificate_that_is_given_is_trusted_and_no_other() {
    let (address, pem) = https().await;
    let with = |pem: &str| Client::builder(&address).ca_pem(pem).build().unwrap();
    assert_eq!(with(&pem).query("up").await.unwrap(), []);
    let (_, other) = https().await;
    for client in [with(&other), Client::new(&address).unwrap()] {
        let error = client.query("up").await.unwrap_err();
        assert!(matches!(error, Error::Unanswered { .. }), "{error:?}");
    }
}
