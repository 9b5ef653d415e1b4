//! The gate over TLS, and what is tried there.

use std::time::Duration;

use operator_server::{Gate, GateError, LocalUser, Options, ServerIdentity, Trust, TrustError};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::browsers::known;
use crate::certificates::{Authority, Client};
use crate::client::ask;
use crate::house::{GATE, House};

#[tokio::test]
async fn an_agent_asks_over_tls_1_2_and_1_3() {
    let authority = Authority::new();
    let house = House::trusting(Options::default(), &authority.trust()).await;
    let (_, night) = house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    for version in [&TLS12, &TLS13] {
        let client = Client::speaking(&authority, &[version]);
        let answer = client
            .ask(house.at, "GET", "/api/v1/mode", &[&token], "")
            .await;
        assert_eq!(answer.is(200).json()["mode"], "execute");
        client
            .ask(house.at, "GET", "/api/v1/mode", &[], "")
            .await
            .is(401);
    }
    let spoken = Client::of(&authority).offering(&["h2", "http/1.1"]);
    let stream = spoken.connect(house.at).await.unwrap();
    let agreed = stream.get_ref().1.alpn_protocol();
    assert_eq!(agreed, Some("http/1.1".as_bytes()));
    // Who speaks nothing that is spoken here is told so.
    let other = Client::of(&authority).offering(&["h2"]);
    other.connect(house.at).await.unwrap_err();
}

#[tokio::test]
async fn without_tls_nothing_is_answered_where_tls_is_spoken() {
    let authority = Authority::new();
    let house = House::trusting(Options::default(), &authority.trust()).await;
    let (_, night) = house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    let plain = ask(house.at, "GET", "/api/v1/mode", &[&token], "").await;
    assert_eq!(plain.status, 0, "{plain:?}");
    // Who trusts another authority sends no token.
    let other = Client::of(&Authority::new());
    let refused = other
        .ask(house.at, "GET", "/api/v1/mode", &[&token], "")
        .await;
    assert_eq!(refused.status, 0, "{refused:?}");
}

/// Who begins a handshake and goes no further has a place for as long as is said, and no longer.
#[tokio::test]
async fn a_handshake_that_does_not_get_on_is_ended() {
    let authority = Authority::new();
    let mut options = Options::default();
    options.read_within = Duration::from_millis(100);
    options.most_connections = 1;
    let house = House::trusting(options, &authority.trust()).await;
    for begun in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut slow = TcpStream::connect(house.at).await.unwrap();
        slow.write_all(begun).await.unwrap();
        // The only place is taken until then.
        let client = Client::of(&authority);
        client
            .ask(house.at, "GET", "/healthz", &[], "")
            .await
            .is(200);
        let mut rest = Vec::new();
        let _ = slow.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{rest:?}");
    }
}

#[tokio::test]
async fn with_tls_it_is_served_beyond_this_machine() {
    let house = House::new().await;
    let far = "0.0.0.0:7070".parse().unwrap();
    let refused = house.gate.may_listen(&far);
    assert!(matches!(refused, Err(GateError::Plain(_))), "{refused:?}");
    let authority = Authority::new();
    let house = House::trusting(Options::default(), &authority.trust()).await;
    house.gate.may_listen(&far).unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let serving = tokio::spawn(house.gate.clone().serve(listener, std::future::pending()));
    let near = ([127, 0, 0, 1], at.port()).into();
    let client = Client::of(&authority);
    client.ask(near, "GET", "/readyz", &[], "").await.is(200);
    serving.abort();
}

#[tokio::test]
async fn certificates_are_replaced_together_and_the_last_good_ones_hold() {
    let (old, new) = (Authority::new(), Authority::new());
    let trust = old.trust();
    let house = House::trusting(Options::default(), &trust).await;
    let is_served_to = async |authority: &Authority| {
        let client = Client::of(authority);
        let answer = client.ask(house.at, "GET", "/healthz", &[], "").await;
        answer.status == 200
    };
    let with = |identity: ServerIdentity| {
        let mut trust = Trust::default();
        trust.identity = Some(identity);
        trust
    };
    let (one, other) = (new.server().identity(), new.server().identity());
    for (certificates, key, problem) in [
        (
            &*one.certificates,
            &*other.key,
            "does not match the certificate",
        ),
        (b"", &one.key, "no `BEGIN CERTIFICATE`"),
        (&one.certificates, b"", "no `PRIVATE KEY`"),
        (&one.key, &one.certificates, "no `BEGIN CERTIFICATE`"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            &one.key,
            "cannot read",
        ),
        (
            &one.certificates,
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
            "encrypted",
        ),
    ] {
        let wrong = with(ServerIdentity {
            certificates: certificates.to_vec(),
            key: key.to_vec(),
        });
        let refused = house.gate.trust(&wrong).unwrap_err();
        assert!(refused.to_string().contains(problem), "{refused}");
        assert!(!format!("{wrong:?} {refused:?}").contains("PRIVATE KEY-----"));
        assert!(is_served_to(&old).await && !is_served_to(&new).await);
    }
    let plain = house.gate.trust(&Trust::default());
    assert!(matches!(plain, Err(TrustError::Scheme)), "{plain:?}");
    // Who is connected stays so; who connects from now on sees the new one.
    let before = Client::of(&old).connect(house.at).await.unwrap();
    house.gate.trust(&with(one)).unwrap();
    assert!(is_served_to(&new).await && !is_served_to(&old).await);
    let mut before = before;
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    before.write_all(request).await.unwrap();
    let mut answer = String::new();
    before.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let plain = House::new().await;
    let begun = plain.gate.trust(&new.trust());
    assert!(matches!(begun, Err(TrustError::Scheme)), "{begun:?}");
}

/// A proxy goes by the target, a server by `Host`: both are the same, or it is refused.
#[tokio::test]
async fn a_target_with_a_host_is_the_host_that_is_asked_for() {
    let house = House::new().await;
    let (_, night) = house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    let at = house.at;
    let own = format!("http://{at}/api/v1/mode");
    ask(at, "GET", &own, &[&token], "").await.is(200);
    let evil = "Host: evil.example";
    for (target, host) in [
        ("http://evil.example/api/v1/mode".to_owned(), None),
        ("http://evil.example/api/v1/mode".to_owned(), Some(evil)),
        (own.clone(), Some(evil)),
        (own, Some("Host: localhost")),
        (format!("http://localhost:{}/api/v1/mode", at.port()), None),
        (format!("http://ana@{at}/api/v1/mode"), None),
    ] {
        let head: Vec<&str> = [Some(token.as_str()), host].into_iter().flatten().collect();
        let refused = ask(at, "GET", &target, &head, "").await;
        assert!(refused.status >= 400, "{target} {host:?}: {refused:?}");
        if refused.status == 403 {
            assert_eq!(refused.json()["code"], json!("host"), "{target}");
        }
    }
}

/// A browser would not come back to it, and take cookies that are not `Secure`.
#[tokio::test]
async fn where_tls_is_spoken_people_do_not_log_in_without() {
    let mut trust = Authority::new().trust();
    trust.url = Some("http://localhost:7070".to_owned());
    trust.session_key = Some(GATE.as_bytes().to_vec());
    trust.local_users = vec![LocalUser {
        uid: 1000,
        known: known("user:ben"),
    }];
    let refused = Gate::new(Options::default()).trusting(&trust).unwrap_err();
    assert!(refused.to_string().contains("uses TLS"), "{refused}");
}
