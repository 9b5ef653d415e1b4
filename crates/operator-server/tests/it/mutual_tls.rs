//! Who comes with a certificate, and what is tried with one.

use action_core::Risk;
use operator_mcp::Ceiling;
use operator_server::{CertificateName, Client as Listed, Known, Options, Trust, TrustError};
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ALL_VERSIONS;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::certificates::{Authority, Client, Issued, dns, named, self_signed, uri};
use crate::client::Answer;
use crate::house::{House, actor, id};

const NIGHT: &str = "night.agents.example.com";
const ANA: &str = "spiffe://example.com/people/ana";
const PROPOSALS: &str = "/api/v1/clusters/prod/proposals";

fn known(who: &str, clusters: &[&str], up_to: Ceiling) -> Known {
    Known {
        actor: actor(who),
        clusters: clusters.iter().map(|&name| name.to_owned()).collect(),
        up_to,
        owner: None,
    }
}

fn listed(name: CertificateName, known: Known) -> Listed {
    Listed { name, known }
}

/// The authority of the gate and the one of its clients, and a gate that knows an agent and a person.
struct Place {
    gates: Authority,
    clients: Authority,
    trust: Trust,
    house: House,
}

impl Place {
    async fn new() -> Self {
        let (gates, clients) = (Authority::new(), Authority::new());
        let mut trust = gates.trust();
        trust.client_ca = Some(clients.pem());
        let night = known("agent:night", &["prod"], Ceiling::UpTo(Risk::Low));
        let spare = known("agent:spare", &["spare"], Ceiling::UpTo(Risk::High));
        let ana = known("user:ana", &[], Ceiling::UpTo(Risk::High));
        trust.clients = vec![
            listed(CertificateName::Dns(NIGHT.to_owned()), night),
            listed(CertificateName::Dns("spare.example.com".to_owned()), spare),
            listed(CertificateName::Uri(ANA.to_owned()), ana),
        ];
        let house = House::trusting(Options::default(), &trust).await;
        Self {
            gates,
            clients,
            trust,
            house,
        }
    }

    fn showing(&self, own: &Issued) -> Client {
        Client::showing(&self.gates, own, ALL_VERSIONS)
    }

    fn night(&self) -> Client {
        self.showing(&self.clients.issue(&named(&[dns(NIGHT)])))
    }

    fn ana(&self) -> Client {
        self.showing(&self.clients.issue(&named(&[uri(ANA)])))
    }

    async fn get(&self, client: &Client, path: &str) -> Answer {
        client.ask(self.house.at, "GET", path, &[], "").await
    }

    /// With a line in the head.
    async fn get_with(&self, client: &Client, line: &str) -> Answer {
        let at = self.house.at;
        client.ask(at, "GET", "/api/v1/mode", &[line], "").await
    }

    async fn post(&self, client: &Client, path: &str, body: Value) -> Answer {
        let body = body.to_string();
        client.ask(self.house.at, "POST", path, &[], &body).await
    }

    async fn propose(&self, client: &Client) -> Value {
        let parameters = json!({"lamp": 1, "lit": true});
        let body = json!({"action": "switch_lamp", "parameters": parameters});
        self.post(client, PROPOSALS, body).await.is(201).json()
    }
}

#[tokio::test]
async fn an_agent_and_a_person_are_who_their_certificates_say() {
    let place = Place::new().await;
    for version in [&TLS12, &TLS13] {
        let own = place.clients.issue(&named(&[dns(NIGHT)]));
        let client = Client::showing(&place.gates, &own, &[version]);
        place.get(&client, "/api/v1/mode").await.is(200);
    }
    let night = place.night();
    let asked = place.propose(&night).await;
    let request = &asked["proposal"]["request"];
    assert_eq!(request["actor"], "agent:night");
    assert_eq!(request["proven_by"]["kind"], "mtls");
    let certificate = request["proven_by"]["certificate"].as_str().unwrap();
    assert_eq!(certificate.len(), 64);
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    let done = place
        .post(&night, &execute, Value::Null)
        .await
        .is(200)
        .json();
    assert_eq!(done["phase"], "applied", "{done}");
    // A person sees what everybody asked for, an agent its own.
    let ana = place.ana();
    place.propose(&ana).await;
    let seen = async |client: &Client| {
        let listed = place.get(client, PROPOSALS).await.is(200).json();
        listed["proposals"].as_array().unwrap().len()
    };
    assert_eq!((seen(&night).await, seen(&ana).await), (1, 2));
    assert_eq!(place.house.sent(), [(1, true)]);
}

#[tokio::test]
async fn a_certificate_is_for_its_clusters_and_its_risk() {
    let place = Place::new().await;
    let spare = place.showing(&place.clients.issue(&named(&[dns("spare.example.com")])));
    place.get(&spare, "/api/v1/mode").await.is(200);
    place.get(&spare, PROPOSALS).await.is(404);
    let mut trust = place.trust.clone();
    trust.clients[0].known.up_to = Ceiling::ReadOnly;
    place.house.gate.trust(&trust).unwrap();
    let body = json!({"action": "switch_lamp", "parameters": {"lamp": 1, "lit": true}});
    let refused = place.post(&place.night(), PROPOSALS, body).await.is(403);
    assert_eq!(refused.json()["code"], "too_risky");
}

/// Whoever shows what no authority of clients vouches for has no session at all.
#[tokio::test]
async fn what_no_authority_vouches_for_is_refused_in_the_handshake() {
    let place = Place::new().await;
    let ours = named(&[dns(NIGHT)]);
    let mut expired = ours.clone();
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut early = ours.clone();
    early.not_before = date_time_ymd(4000, 1, 1);
    let mut of_a_server = ours.clone();
    of_a_server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for (what, own) in [
        ("another authority", Authority::new().issue(&ours)),
        ("the authority of gates", place.gates.issue(&ours)),
        ("itself", self_signed(ours.clone())),
        ("expired", place.clients.issue(&expired)),
        ("not valid yet", place.clients.issue(&early)),
        ("for servers", place.clients.issue(&of_a_server)),
    ] {
        for version in [&TLS12, &TLS13] {
            let client = Client::showing(&place.gates, &own, &[version]);
            let answer = place.get(&client, "/healthz").await;
            assert_eq!(answer.status, 0, "{what}: {answer:?}");
        }
    }
    place.get(&place.night(), "/healthz").await.is(200);
}

#[tokio::test]
async fn a_certificate_that_is_not_listed_proves_nobody() {
    let place = Place::new().await;
    let upper = NIGHT.to_uppercase();
    let below = format!("x.{NIGHT}");
    for names in [
        vec![],
        vec![dns("day.agents.example.com")],
        vec![dns(&upper)],
        vec![dns(&below)],
        vec![dns("*.agents.example.com")],
        vec![uri(NIGHT)],
        vec![dns("spiffe")],
        // Of two who are listed it is neither.
        vec![dns(NIGHT), uri(ANA)],
    ] {
        let mut params = named(&names);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, NIGHT);
        let client = place.showing(&place.clients.issue(&params));
        let refused = place.get(&client, "/api/v1/mode").await;
        assert_eq!(refused.is(401).json()["code"], "unproven", "{names:?}");
    }
    // It is in nobody's way: a token counts beside it.
    let (_, night) = place.house.token("agent:night").await;
    let token = format!("Authorization: Bearer {night}");
    let other = place.showing(&place.clients.issue(&named(&[dns("x.example.com")])));
    place.get_with(&other, &token).await.is(200);
    let none = Client::of(&place.gates);
    place.get_with(&none, &token).await.is(200);
    // A header says nothing of a certificate.
    let said = format!("X-Client-Cert: {NIGHT}\r\nX-Forwarded-Client-Cert: DNS={NIGHT}");
    place.get_with(&none, &said).await.is(401);
}

#[tokio::test]
async fn a_certificate_and_a_token_are_one_proof_too_many() {
    let place = Place::new().await;
    let (_, night) = place.house.token("agent:night").await;
    let (_, day) = place.house.token("agent:day").await;
    for secret in [night.as_str(), &day, "opgt_no"] {
        let token = format!("Authorization: Bearer {secret}");
        let refused = place.get_with(&place.night(), &token).await.is(400);
        assert_eq!(refused.json()["code"], "two_proofs");
    }
}

/// Asks over a connection that stays, and says with which status it was answered.
async fn status(stream: &mut TlsStream<TcpStream>) -> String {
    let request = b"GET /api/v1/mode HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with('}') {
        let mut some = [0; 1_024];
        let read = stream.read(&mut some).await.unwrap();
        assert!(read > 0, "{answer}");
        answer += std::str::from_utf8(&some[..read]).unwrap();
    }
    answer[9..12].to_owned()
}

/// Also on a connection that was made before.
#[tokio::test]
async fn whose_row_or_authority_is_gone_is_nobody_from_then_on() {
    let place = Place::new().await;
    let night = place.night();
    let asked = place.propose(&night).await;
    let mut stays = night.connect(place.house.at).await.unwrap();
    assert_eq!(status(&mut stays).await, "200");
    let mut trust = place.trust.clone();
    trust.clients.remove(0);
    place.house.gate.trust(&trust).unwrap();
    assert_eq!(status(&mut stays).await, "401");
    place.get(&night, "/api/v1/mode").await.is(401);
    // What was asked for with it is carried out by nobody else either.
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    let ana = place.ana();
    let refused = place.post(&ana, &execute, Value::Null).await.is(403).json();
    assert_eq!(refused["code"], "not_known");
    let mut stays = ana.connect(place.house.at).await.unwrap();
    assert_eq!(status(&mut stays).await, "200");
    trust.client_ca = Some(Authority::new().pem());
    place.house.gate.trust(&trust).unwrap();
    assert_eq!(status(&mut stays).await, "401");
    assert_eq!(place.get(&ana, "/healthz").await.status, 0);
    assert!(place.house.sent().is_empty());
}

#[tokio::test]
async fn a_row_that_would_mislead_is_refused() {
    let place = Place::new().await;
    let night = || known("agent:night", &["prod"], Ceiling::ReadOnly);
    let name = |name: &str| CertificateName::Dns(name.to_owned());
    for (rows, problem) in [
        (
            vec![listed(name("*.example.com"), night())],
            "not a name in",
        ),
        (vec![listed(name(""), night())], "not a name in"),
        (vec![listed(name("a b"), night())], "not a name in"),
        (
            vec![listed(CertificateName::Uri("night".to_owned()), night())],
            "not a name in",
        ),
        (
            vec![listed(name("a"), night()), listed(name("a"), night())],
            "twice",
        ),
        (
            vec![listed(
                name("a"),
                known("agent:night", &[], Ceiling::ReadOnly),
            )],
            "an agent needs named clusters",
        ),
        (
            vec![listed(
                name("a"),
                known("system", &["prod"], Ceiling::ReadOnly),
            )],
            "only agents and people",
        ),
    ] {
        let mut trust = place.trust.clone();
        trust.clients = rows;
        let refused = place.house.gate.trust(&trust).unwrap_err().to_string();
        assert!(refused.contains(problem), "{refused}");
    }
    let mut trust = place.trust.clone();
    trust.client_ca = None;
    let refused = place.house.gate.trust(&trust).unwrap_err().to_string();
    assert!(refused.contains("need `client_ca`"), "{refused}");
    trust.clients.clear();
    trust.client_ca = Some(b"nothing".to_vec());
    let refused = place.house.gate.trust(&trust).unwrap_err().to_string();
    assert!(refused.contains("authorities of clients"), "{refused}");
    trust.client_ca = Some(place.clients.pem());
    trust.identity = None;
    let refused = place.house.gate.trust(&trust);
    assert!(matches!(refused, Err(TrustError::NoSession)), "{refused:?}");
    // What was there before holds.
    place.get(&place.night(), "/api/v1/mode").await.is(200);
}
