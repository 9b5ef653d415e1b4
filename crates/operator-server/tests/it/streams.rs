//! Streams of events, for as long as who opened them is proven.

use std::time::Duration;

use action_core::Risk;
use operator_mcp::Ceiling;
use operator_server::{
    Algorithm, CertificateName, Client as Listed, Issuer, Kind, Known, Options, Subject, Trust,
};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ALL_VERSIONS;

use crate::certificates::{Authority, Client, dns, named};
use crate::client::{Answer, ask};
use crate::house::{House, actor};
use crate::provider::{Pair, Provider, now};

const HELLO: &str = r#"{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
    "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a host", "version": "1"}}}"#;

fn often() -> Options {
    let mut options = Options::default();
    options.proof_again_every = Duration::from_millis(5);
    options
}

fn known(who: &str) -> Known {
    Known {
        actor: actor(who),
        clusters: vec!["prod".to_owned()],
        up_to: Ceiling::UpTo(Risk::Low),
        owner: None,
    }
}

/// What a session is begun with.
fn hello(token: &str) -> [String; 3] {
    [
        token.to_owned(),
        "Content-Type: application/json".to_owned(),
        "Accept: application/json, text/event-stream".to_owned(),
    ]
}

#[track_caller]
fn session(begun: &Answer) -> String {
    assert_eq!(begun.status, 200, "{begun:?}");
    let mut lines = begun.head.lines();
    let id = lines.find_map(|line| line.strip_prefix("mcp-session-id: "));
    format!("Mcp-Session-Id: {}", id.unwrap())
}

/// The stream of a session, whose head has come.
async fn opened<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, head: &[&str]) -> S {
    let head = head.join("\r\n");
    let request = format!(
        "GET /mcp/prod HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{head}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut begin = String::new();
    while !begin.contains("\r\n\r\n") {
        let mut one = [0];
        stream.read_exact(&mut one).await.unwrap();
        begin.push(char::from(one[0]));
    }
    assert!(begin.starts_with("HTTP/1.1 200"), "{begin}");
    assert!(begin.contains("text/event-stream"), "{begin}");
    stream
}

/// Reads it to its end, which is a regular one.
async fn ends(mut stream: impl AsyncRead + Unpin) {
    let mut rest = Vec::new();
    let mut some = [0; 1_024];
    while !rest.ends_with(b"0\r\n\r\n") {
        let read = stream.read(&mut some).await.unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&rest));
        rest.extend_from_slice(&some[..read]);
    }
}

/// A session and its stream, for who sends this line.
async fn streaming(house: &House, token: &str) -> TcpStream {
    let head = hello(token);
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let begun = ask(house.at, "POST", "/mcp/prod", &head, HELLO).await;
    let stream = TcpStream::connect(house.at).await.unwrap();
    opened(stream, &[token, &session(&begun)]).await
}

fn bearer(secret: &str) -> String {
    format!("Authorization: Bearer {secret}")
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_opened_it_and_no_other_does() {
    let house = House::with(often()).await;
    let (night, secret) = house.token("agent:night").await;
    let (day, other) = house.token("agent:day").await;
    let of_night = streaming(&house, &bearer(&secret)).await;
    let mut of_day = streaming(&house, &bearer(&other)).await;
    let (controls, ana) = (house.controls(), actor("user:ana"));
    controls.revoke_token(&night, &ana, "leaked").await.unwrap();
    ends(of_night).await;
    let mut rest = [0; 64];
    let still = tokio::time::timeout(Duration::ZERO, of_day.read(&mut rest)).await;
    let is_over = |read: &usize| rest[..*read].ends_with(b"0\r\n\r\n") || *read == 0;
    assert!(!still.is_ok_and(|read| is_over(&read.unwrap())));
    controls.revoke_token(&day, &ana, "leaked").await.unwrap();
    ends(of_day).await;
}

#[tokio::test]
async fn a_stream_ends_with_the_jwt_or_the_row_that_opened_it() {
    let pair = Pair::es256();
    let provider = Provider::new(&[pair.public("k1")]).await;
    let mut trust = Trust::default();
    trust.url = Some("https://gate".to_owned());
    trust.issuers = vec![Issuer {
        name: "agents".to_owned(),
        issuer: "https://agents".to_owned(),
        jwks_uri: provider.uri(),
        ca: None,
        kind: Kind::Agent,
        algorithms: vec![Algorithm::Es256],
        max_lifetime: Issuer::MAX_LIFETIME,
        subjects: vec![Subject {
            sub: "1".to_owned(),
            known: known("agent:night"),
        }],
    }];
    let house = House::trusting(often(), &trust).await;
    let token = |end: i64| {
        let claims: Value = json!({
            "iss": "https://agents", "sub": "1", "aud": "https://gate/mcp/prod", "exp": end,
            "iat": now() - 60,
        });
        bearer(&pair.sign(&pair.header("k1").to_string(), &claims.to_string()))
    };
    // The clocks may be 30 s apart: it is over in a moment.
    let expires = streaming(&house, &token(now() - 20)).await;
    let stays = streaming(&house, &token(now() + 300)).await;
    ends(expires).await;
    trust.issuers[0].subjects.clear();
    house.gate.trust(&trust).unwrap();
    ends(stays).await;
}

#[tokio::test]
async fn a_stream_ends_with_the_row_of_the_certificate_that_opened_it() {
    let (gates, clients) = (Authority::new(), Authority::new());
    let mut trust = gates.trust();
    trust.client_ca = Some(clients.pem());
    trust.clients = vec![Listed {
        name: CertificateName::Dns("night".to_owned()),
        known: known("agent:night"),
    }];
    let house = House::trusting(often(), &trust).await;
    let own = clients.issue(&named(&[dns("night")]));
    let client = Client::showing(&gates, &own, ALL_VERSIONS);
    let head = hello("X: y");
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let begun = client
        .ask(house.at, "POST", "/mcp/prod", &head, HELLO)
        .await;
    let stream = client.connect(house.at).await.unwrap();
    let stream = opened(stream, &[&session(&begun)]).await;
    trust.clients.clear();
    house.gate.trust(&trust).unwrap();
    ends(stream).await;
}
