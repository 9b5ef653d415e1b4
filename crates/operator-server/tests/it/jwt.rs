//! Who comes with a token of an issuer, and what is tried with one.

use std::time::Duration;

use action_core::Risk;
use operator_mcp::Ceiling;
use operator_server::{Algorithm, Issuer, Kind, Known, Options, Subject, Trust};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::certificates::Authority;
use crate::client::{Answer, ask};
use crate::house::{ANA, BEN, House, actor, id};
use crate::provider::{Pair, Provider, base64url, now, set};

const ISSUER: &str = "https://agents.example.com";
const PEOPLE: &str = "https://people.example.com/";
const URL: &str = "https://gate.example.com:7070";
const PROD: &str = "https://gate.example.com:7070/mcp/prod";
const PROPOSALS: &str = "/api/v1/clusters/prod/proposals";

fn subject(sub: &str, who: &str, clusters: &[&str]) -> Subject {
    Subject {
        sub: sub.to_owned(),
        known: Known {
            actor: actor(who),
            clusters: clusters.iter().map(|&name| name.to_owned()).collect(),
            up_to: Ceiling::UpTo(Risk::High),
            owner: None,
        },
    }
}

fn agents(provider: &Provider) -> Issuer {
    Issuer {
        name: "agents".to_owned(),
        issuer: ISSUER.to_owned(),
        jwks_uri: provider.uri(),
        ca: None,
        kind: Kind::Agent,
        algorithms: vec![Algorithm::Es256],
        max_lifetime: Issuer::MAX_LIFETIME,
        subjects: vec![
            subject("00u1night", "agent:night", &["prod"]),
            subject("00u2day", "agent:day", &["prod"]),
            subject("00u3spare", "agent:spare", &["spare"]),
        ],
    }
}

fn people(provider: &Provider) -> Issuer {
    Issuer {
        name: "people".to_owned(),
        issuer: PEOPLE.to_owned(),
        jwks_uri: provider.uri(),
        ca: None,
        kind: Kind::User,
        algorithms: vec![Algorithm::EdDsa, Algorithm::Rs256],
        max_lifetime: Issuer::MAX_LIFETIME,
        subjects: vec![subject("00u1night", "user:ana", &[])],
    }
}

fn trusting(issuers: &[Issuer]) -> Trust {
    let mut trust = Trust::default();
    trust.url = Some(URL.to_owned());
    trust.issuers = issuers.to_vec();
    trust
}

/// Keys are asked for whenever they are needed.
fn eager() -> Options {
    let mut options = Options::default();
    options.keys_at_most_every = Duration::ZERO;
    options.keys_fresh_for = Duration::ZERO;
    options.most_per_minute = 10_000;
    options
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "00u1night", "aud": PROD, "exp": now() + 300, "iat": now() - 60,
        "client_id": "night", "jti": "1",
    })
}

/// An issuer of agents, its key, and a gate that believes it.
struct Place {
    pair: Pair,
    provider: Provider,
    house: House,
}

impl Place {
    async fn new() -> Self {
        Self::with(eager()).await
    }

    async fn with(options: Options) -> Self {
        let pair = Pair::es256();
        let provider = Provider::new(&[pair.public("k1")]).await;
        let house = House::trusting(options, &trusting(&[agents(&provider)])).await;
        Self {
            pair,
            provider,
            house,
        }
    }

    fn token(&self, claims: &Value) -> String {
        let header = self.pair.header("k1").to_string();
        self.pair.sign(&header, &claims.to_string())
    }

    /// The token of the night agent, with something else in it.
    fn but(&self, name: &str, value: Value) -> String {
        let mut claims = claims();
        claims[name] = value;
        self.token(&claims)
    }

    /// The same, with something else in its head.
    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.pair.header("k1");
        header[name] = value;
        self.pair.sign(&header.to_string(), &claims().to_string())
    }

    async fn mode(&self, token: &str) -> Answer {
        self.house.get("/api/v1/mode", token).await
    }

    #[track_caller]
    fn is_in(answer: &Answer) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// However its issuer signs it: what is valid for years is as good as a password.
#[tokio::test]
async fn a_token_that_is_valid_for_too_long_is_refused() {
    let place = Place::new().await;
    let lasting = |seconds: i64| {
        let mut claims = claims();
        (claims["iat"], claims["exp"]) = (json!(now() - 60), json!(now() - 60 + seconds));
        place.token(&claims)
    };
    let day = 24 * 3_600;
    Place::is_in(&place.mode(&lasting(day)).await);
    place.mode(&lasting(day + 1)).await.is(401);
    let mut strict = agents(&place.provider);
    strict.max_lifetime = Duration::from_secs(600);
    place.house.gate.trust(&trusting(&[strict])).unwrap();
    Place::is_in(&place.mode(&lasting(600)).await);
    place.mode(&lasting(601)).await.is(401);
    let mut none = agents(&place.provider);
    none.max_lifetime = Duration::ZERO;
    let refused = place.house.gate.trust(&trusting(&[none])).unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("`max_lifetime` is zero"), "{refused}");
}

/// Who answers for an agent agrees to nothing that it asks for, as who made a token does not.
#[tokio::test]
async fn the_owner_of_an_agent_does_not_approve_what_it_asks_for() {
    let place = Place::new().await;
    let mut issuer = agents(&place.provider);
    issuer.subjects[0].known.actor = actor("agent:careful");
    issuer.subjects[0].known.owner = Some(actor("user:ben"));
    let trust = trusting(std::slice::from_ref(&issuer));
    place.house.gate.trust(&trust).unwrap();
    let token = place.token(&claims());
    let me = place.house.get("/api/v1/me", &token).await.is(200).json();
    let oidc = json!({"kind": "oidc", "issuer": "agents", "owner": "user:ben"});
    assert_eq!(me["proven_by"], oidc);
    let asked = place.house.propose(&token, 1).await.is(201).json();
    assert_eq!(asked["phase"], "needs_approval", "{asked}");
    assert_eq!(asked["proposal"]["request"]["proven_by"], oidc);
    let refused = place.house.approve("user:ben", BEN, &asked).await;
    let refused = refused.is(403).json();
    let detail = refused["detail"].as_str().unwrap();
    let why = "`user:ben` is the owner of `agent:careful`";
    assert!(detail.contains(why), "{detail}");
    let approved = place.house.approve("user:ana", ANA, &asked).await;
    approved.is(200);
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    let done = place.house.post(&execute, &token, Value::Null).await;
    done.is(200);
    assert_eq!(place.house.sent(), [(1, true)]);
    // A person has no owner, and an agent none but a person.
    for (who, owner, why) in [
        (
            "agent:careful",
            "agent:day",
            "the owner of an agent is a person",
        ),
        ("user:eve", "user:ben", "only an agent has an owner"),
    ] {
        let known = &mut issuer.subjects[0].known;
        (known.actor, known.owner) = (actor(who), Some(actor(owner)));
        let trust = trusting(std::slice::from_ref(&issuer));
        let refused = place.house.gate.trust(&trust).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }
}

/// The row says what may be done, also once a workflow is started.
#[tokio::test]
async fn a_workflow_goes_no_further_than_the_row_of_who_started_it() {
    let place = Place::new().await;
    let token = place.token(&claims());
    let step = |id: &str, lamp: u8| json!({"id": id, "action": "switch_lamp", "parameters": {"lamp": lamp, "lit": true}});
    let check = json!({"id": "check", "confirm": "Look."});
    let steps = json!([step("one", 1), check, step("two", 2)]);
    let flows = "/api/v1/clusters/prod/workflows";
    let body = json!({"document": {"title": "light", "steps": steps}});
    let started = place.house.post(flows, &token, body).await.is(201).json();
    let id = started["flow"]["id"].as_str().unwrap();
    place.house.flow_waits_for(id, "confirmation").await;
    let mut issuer = agents(&place.provider);
    issuer.subjects[0].known.up_to = Ceiling::ReadOnly;
    place.house.gate.trust(&trusting(&[issuer])).unwrap();
    place.house.confirmed(id, "check").await.is(200);
    let stopped = place.house.flow_stopped(id).await;
    let stopped = &stopped["next_steps"]["stopped"];
    assert_eq!(stopped["code"], "failed", "{stopped}");
    assert!(
        stopped["reason"]
            .as_str()
            .unwrap()
            .contains("no longer listed")
    );
    assert_eq!(place.house.sent(), [(1, true)]);
}

#[tokio::test]
async fn agents_and_people_are_who_their_issuers_say() {
    let place = Place::new().await;
    let (ed, rsa) = (Pair::eddsa(), Pair::rs256());
    let provider = Provider::new(&[ed.public("e"), rsa.public("r")]).await;
    let both = trusting(&[agents(&place.provider), people(&provider)]);
    place.house.gate.trust(&both).unwrap();
    let night = place.token(&claims());
    let asked = place.house.propose(&night, 1).await.is(201).json();
    let request = &asked["proposal"]["request"];
    assert_eq!(request["actor"], "agent:night");
    assert_eq!(
        request["proven_by"],
        json!({"kind": "oidc", "issuer": "agents"})
    );
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    let done = place.house.post(&execute, &night, Value::Null).await;
    assert_eq!(done.is(200).json()["phase"], "applied");
    assert_eq!(place.house.sent(), [(1, true)]);
    // Of two issuers, the same subject is two: a person sees everything, an agent its own.
    let mut ana = claims();
    ana["iss"] = json!(PEOPLE);
    for (pair, kid) in [(&ed, "e"), (&rsa, "r")] {
        let token = pair.sign(&pair.header(kid).to_string(), &ana.to_string());
        let seen = place.house.get(PROPOSALS, &token).await.is(200).json();
        assert_eq!(seen["proposals"].as_array().unwrap().len(), 1, "{seen}");
    }
    let day = place.but("sub", json!("00u2day"));
    let seen = place.house.get(PROPOSALS, &day).await.is(200).json();
    assert_eq!(seen["proposals"], json!([]));
    // Nothing of a token is written down.
    let state = place.house.journal.state().await.unwrap();
    let written = format!("{state:?}");
    let signature = night.rsplit('.').next().unwrap();
    assert!(!written.contains(signature), "{written}");
}

/// What is tried, and how each is refused: with the same words.
fn tried(place: &Place) -> Vec<(&'static str, String)> {
    let pair = &place.pair;
    let (header, body) = (pair.header("k1").to_string(), claims().to_string());
    let good = place.token(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let unsigned = |alg: &str| {
        let mut header = pair.header("k1");
        header["alg"] = json!(alg);
        format!("{}.{}.", base64url(header.to_string()), base64url(&body))
    };
    let public = pair.public("k1").to_string();
    let confused = Pair::Hs256(public.into_bytes());
    let (other, own) = (Pair::es256(), Pair::es256());
    let mut brought = own.header("k1");
    brought["jwk"] = own.public("k1");
    brought["jku"] = json!("http://127.0.0.1:9/keys");
    let general = json!({"payload": base64url(&body), "signatures": [
        {"protected": base64url(&header), "signature": signature},
        {"protected": base64url(&header), "signature": signature},
    ]});
    let twice = body.replacen('{', "{\"sub\":\"00u2day\",", 1);
    let twice_header = header.replacen('{', "{\"alg\":\"none\",", 1);
    let without = |name: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        place.token(&claims)
    };
    let headless = |name: &str| {
        let mut header = pair.header("k1");
        header.as_object_mut().unwrap().remove(name);
        pair.sign(&header.to_string(), &body)
    };
    let later = claims().to_string().replace("00u1night", "00u2day");
    vec![
        ("no algorithm", unsigned("none")),
        ("no algorithm, otherwise written", unsigned("nOnE")),
        ("no signature", unsigned("ES256")),
        (
            "the public key as a secret",
            confused.sign(&confused.header("k1").to_string(), &body),
        ),
        (
            "an algorithm of another kind of key",
            place.with_header("alg", json!("RS256")),
        ),
        (
            "an algorithm that is not listed",
            place.with_header("alg", json!("EdDSA")),
        ),
        ("a key of nobody", other.sign(&header, &body)),
        (
            "a key that is not published",
            place.with_header("kid", json!("k2")),
        ),
        ("a key in the head", own.sign(&brought.to_string(), &body)),
        ("no key is named", headless("kid")),
        ("a key that is no text", place.with_header("kid", json!(1))),
        ("an ID token", place.with_header("typ", json!("JWT"))),
        ("no type", headless("typ")),
        (
            "something critical",
            place.with_header("crit", json!(["exp"])),
        ),
        ("not in base64", place.with_header("b64", json!(false))),
        (
            "another audience",
            place.but("aud", json!("https://gate.example.com:7070")),
        ),
        (
            "another gate",
            place.but("aud", json!("https://other.example.com/mcp/prod")),
        ),
        (
            "another cluster",
            place.but("aud", json!(format!("{URL}/mcp/spare"))),
        ),
        (
            "an audience that begins so",
            place.but("aud", json!("https://gate.example.com:70700/mcp/prod")),
        ),
        (
            "somebody else, too",
            place.but("aud", json!([PROD, "https://mail.example.com"])),
        ),
        ("for nobody", place.but("aud", json!([]))),
        ("an audience that is no text", place.but("aud", json!(7))),
        ("no audience", without("aud")),
        (
            "another issuer",
            place.but("iss", json!("https://evil.example.com")),
        ),
        (
            "two issuers",
            place.but("iss", json!([ISSUER, "https://evil.example.com"])),
        ),
        (
            "an issuer otherwise written",
            place.but("iss", json!(ISSUER.to_uppercase())),
        ),
        ("no issuer", without("iss")),
        ("expired", place.but("exp", json!(now() - 31))),
        ("without an end", without("exp")),
        ("an end that is text", place.but("exp", json!("2999-01-01"))),
        ("an end below zero", place.but("exp", json!(-1))),
        ("not yet", place.but("nbf", json!(now() + 60))),
        ("a beginning that is text", place.but("nbf", json!("now"))),
        ("made later", place.but("iat", json!(now() + 60))),
        ("made at no time", without("iat")),
        (
            "a subject that is not listed",
            place.but("sub", json!("00u9")),
        ),
        (
            "a subject otherwise written",
            place.but("sub", json!("00U1NIGHT")),
        ),
        (
            "a subject with a space",
            place.but("sub", json!("00u1night ")),
        ),
        (
            "a subject that is no text",
            place.but("sub", json!(["00u1night"])),
        ),
        (
            "the name of an agent",
            place.but("sub", json!("agent:night")),
        ),
        ("no subject", without("sub")),
        (
            "of a cluster it has not",
            place.but("sub", json!("00u3spare")),
        ),
        ("two subjects", pair.sign(&header, &twice)),
        ("two algorithms", pair.sign(&twice_header, &body)),
        (
            "other claims",
            format!("{}.{}.{signature}", base64url(&header), base64url(later)),
        ),
        ("a signature more", format!("{good}.{signature}")),
        ("two signatures as JSON", general.to_string()),
        (
            "half a signature",
            format!("{message}.{}", &signature[..40]),
        ),
        ("padding", format!("{good}=")),
        ("a slash", good.replacen('.', "/.", 1)),
        ("no claims", pair.sign(&header, "[]")),
        ("no JSON", pair.sign(&header, "{")),
        ("too long", place.but("more", json!("x".repeat(9_000)))),
        ("empty parts", "..".to_owned()),
        ("only dots", ".".repeat(50)),
    ]
}

#[tokio::test]
async fn what_is_no_access_token_for_this_gate_is_refused_with_the_same_words() {
    let place = Place::new().await;
    let encrypts = {
        let mut key = place.pair.public("e1");
        key["use"] = json!("enc");
        key
    };
    let secret = Pair::Hs256(b"secret".to_vec());
    let all = [place.pair.public("k1"), encrypts, secret.public("s1")];
    place.provider.publish(&all);
    let mut all = tried(&place);
    let of_another_use = place.with_header("kid", json!("e1"));
    all.push(("a key that encrypts", of_another_use));
    let secret = secret.sign(&secret.header("s1").to_string(), &claims().to_string());
    all.push(("a secret that is published", secret));
    let words = place.mode("opgt_none").await.is(401).body;
    for (what, token) in &all {
        let refused = place.mode(token).await;
        assert_eq!((refused.status, &refused.body), (401, &words), "{what}");
    }
    // In a query or twice it is none either.
    let good = place.token(&claims());
    Place::is_in(&place.mode(&good).await);
    let query = format!("/api/v1/mode?access_token={good}");
    let line = format!("Authorization: Bearer {good}\r\nAuthorization: Bearer {good}");
    ask(place.house.at, "GET", &query, &[], "").await.is(401);
    ask(place.house.at, "GET", "/api/v1/mode", &[&line], "")
        .await
        .is(401);
    // Clocks are apart a little, and a type is one in any case.
    Place::is_in(&place.mode(&place.but("exp", json!(now() - 5))).await);
    Place::is_in(
        &place
            .mode(&place.with_header("typ", json!("application/AT+JWT")))
            .await,
    );
    Place::is_in(&place.mode(&place.but("aud", json!([PROD]))).await);
    assert_eq!(place.house.proposals().await, 0);
}

#[tokio::test]
async fn a_token_is_for_the_clusters_of_its_audience_and_of_its_row() {
    let place = Place::new().await;
    let (ed, more) = (Pair::eddsa(), format!("{URL}/mcp/spare"));
    let provider = Provider::new(&[ed.public("e")]).await;
    place
        .house
        .gate
        .trust(&trusting(&[people(&provider)]))
        .unwrap();
    let token = |audience: Value| {
        let mut ana = claims();
        (ana["iss"], ana["aud"]) = (json!(PEOPLE), audience);
        ed.sign(&ed.header("e").to_string(), &ana.to_string())
    };
    let reaches = async |audience: Value| {
        let answer = place.house.get(PROPOSALS, &token(audience)).await;
        answer.status
    };
    assert_eq!(reaches(json!(PROD)).await, 200);
    assert_eq!(reaches(json!([more, PROD])).await, 200);
    assert_eq!(reaches(json!(more)).await, 404);
    // A row may ask for less than the gate allows.
    let mut less = people(&provider);
    less.subjects[0].known.up_to = Ceiling::ReadOnly;
    place.house.gate.trust(&trusting(&[less])).unwrap();
    let refused = place.house.propose(&token(json!(PROD)), 1).await.is(403);
    assert_eq!(refused.json()["code"], "too_risky");
}

#[tokio::test]
async fn keys_are_rotated_and_the_last_ones_hold_while_the_provider_is_down() {
    let place = Place::new().await;
    let old = place.token(&claims());
    Place::is_in(&place.mode(&old).await);
    let next = Pair::es256();
    let new = next.sign(&next.header("k2").to_string(), &claims().to_string());
    place.mode(&new).await.is(401);
    place
        .provider
        .publish(&[place.pair.public("k1"), next.public("k2")]);
    Place::is_in(&place.mode(&new).await);
    Place::is_in(&place.mode(&old).await);
    place.provider.publish(&[next.public("k2")]);
    place.mode(&old).await.is(401);
    place.provider.go_down();
    Place::is_in(&place.mode(&new).await);
    // What is no set of keys, or too much of one, leaves them as they are, too.
    for wrong in [
        "nothing".to_owned(),
        "{}".to_owned(),
        set(&vec![next.public("k"); 65]),
        format!("{}{}", " ".repeat(300_000), set(&[])),
    ] {
        *place.provider.published.lock().unwrap() = Some(wrong);
        Place::is_in(&place.mode(&new).await);
    }
    // What is no key among them is passed over.
    let odd = json!({"kty": "EC", "crv": "P-256", "kid": "odd", "x": "A", "y": "A"});
    let keys = [
        json!(7),
        json!({"kty": "new"}),
        odd,
        place.pair.public("k1"),
    ];
    place.provider.publish(&keys);
    Place::is_in(&place.mode(&old).await);
    place
        .mode(&place.with_header("kid", json!("odd")))
        .await
        .is(401);
}

#[tokio::test]
async fn keys_that_nobody_has_are_asked_for_once_in_a_while() {
    let mut options = eager();
    options.keys_at_most_every = Duration::from_hours(1);
    options.keys_fresh_for = Duration::from_hours(1);
    let place = Place::with(options).await;
    assert_eq!(place.provider.was_asked(), 0);
    for kid in 0..20 {
        let guessed = place.with_header("kid", json!(format!("guess {kid}")));
        place.mode(&guessed).await.is(401);
    }
    assert_eq!(place.provider.was_asked(), 1);
    // It is in nobody's way, and a reload asks for nothing again.
    Place::is_in(&place.mode(&place.token(&claims())).await);
    let same = trusting(&[agents(&place.provider)]);
    place.house.gate.trust(&same).unwrap();
    Place::is_in(&place.mode(&place.token(&claims())).await);
    assert_eq!(place.provider.was_asked(), 1);
    // Of another issuer nothing is asked at all.
    place.mode(&place.but("iss", json!(PEOPLE))).await.is(401);
    assert_eq!(place.provider.was_asked(), 1);
}

/// Whoever comes first asks, and whoever comes meanwhile waits for that.
#[tokio::test]
async fn who_comes_while_keys_are_asked_for_the_first_time_is_let_in_too() {
    let mut options = eager();
    options.keys_at_most_every = Duration::from_hours(1);
    options.keys_fresh_for = Duration::from_hours(1);
    let place = Place::with(options).await;
    let token = place.token(&claims());
    let (at, line) = (place.house.at, format!("Authorization: Bearer {token}"));
    let asking = (0..8).map(|_| {
        let line = line.clone();
        tokio::spawn(async move { ask(at, "GET", "/api/v1/mode", &[&line], "").await })
    });
    for asked in asking.collect::<Vec<_>>() {
        asked.await.unwrap().is(200);
    }
    assert_eq!(place.provider.was_asked(), 1);
}

/// A person whose row only lets them look stops, and does not let others send.
#[tokio::test]
async fn who_may_only_look_does_not_let_others_send() {
    let place = Place::new().await;
    let ed = Pair::eddsa();
    let provider = Provider::new(&[ed.public("e")]).await;
    let mut looks = people(&provider);
    // No key is listed for this one, so that no signature is wanted.
    looks.subjects = vec![subject("1", "user:carl", &["prod"])];
    looks.subjects[0].known.up_to = Ceiling::ReadOnly;
    let mut claims = claims();
    (claims["iss"], claims["sub"]) = (json!(PEOPLE), json!("1"));
    let carl = ed.sign(&ed.header("e").to_string(), &claims.to_string());
    let switch = async |path: &str, body: Value| {
        let path = format!("/api/v1/{path}");
        place.house.post(&path, &carl, body).await
    };
    let here = json!({"cluster": "prod", "reason": "a test"});
    let execute = json!({"cluster": "prod", "reason": "a test", "mode": "execute"});
    place.house.gate.trust(&trusting(&[looks.clone()])).unwrap();
    switch("kill-switch", here.clone()).await.is(200);
    for (path, body) in [("kill-switch/reset", &here), ("mode", &execute)] {
        let refused = switch(path, body.clone()).await.is(403);
        assert_eq!(refused.json()["code"], "too_risky", "{path}");
    }
    // Whose row lets them ask for something does, on their clusters.
    looks.subjects[0].known.up_to = Ceiling::UpTo(Risk::Low);
    place.house.gate.trust(&trusting(&[looks])).unwrap();
    switch("kill-switch/reset", here).await.is(200);
    let everywhere = json!({"reason": "a test"});
    switch("kill-switch", everywhere).await.is(403);
}

/// Where keys are is what the authority that is given vouches for.
#[tokio::test]
async fn keys_are_read_over_tls_of_whom_the_authority_vouches_for() {
    let (authority, pair) = (Authority::new(), Pair::es256());
    let body = set(&[pair.public("k1")]);
    let (listener, acceptor) = authority.listen().await;
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 4_096]).await;
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let provider = Provider::new(&[]).await;
    let mut issuer = agents(&provider);
    issuer.jwks_uri = format!("https://localhost:{port}/keys");
    let token = pair.sign(&pair.header("k1").to_string(), &claims().to_string());
    for (ca, status) in [(authority.pem(), 200), (Authority::new().pem(), 401)] {
        issuer.ca = Some(ca);
        let house = House::trusting(eager(), &trusting(std::slice::from_ref(&issuer))).await;
        house.get("/api/v1/mode", &token).await.is(status);
    }
}

#[tokio::test]
async fn who_issues_tokens_is_told_to_everybody_and_which_clusters_there_are_to_nobody() {
    let place = Place::new().await;
    let place_of = |name: &str| format!("/.well-known/oauth-protected-resource/mcp/{name}");
    for name in ["prod", "nothing"] {
        let told = ask(place.house.at, "GET", &place_of(name), &[], "")
            .await
            .is(200);
        let expected = json!({
            "resource": format!("{URL}/mcp/{name}"), "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header"],
        });
        assert_eq!(told.json(), expected);
        let path = format!("/mcp/{name}");
        let refused = ask(place.house.at, "POST", &path, &[], "{}").await.is(401);
        let pointer = format!(
            "www-authenticate: bearer resource_metadata=\"{URL}{}\"",
            place_of(name)
        );
        assert!(refused.head.contains(&pointer), "{refused:?}");
    }
    let odd = place_of("a%22b");
    ask(place.house.at, "GET", &odd, &[], "").await.is(404);
    let refused = ask(place.house.at, "POST", "/mcp/a%22b", &[], "{}").await;
    assert!(refused.head.contains("www-authenticate: bearer\r\n"));
    let none = House::new().await;
    ask(none.at, "GET", &place_of("prod"), &[], "")
        .await
        .is(404);
    let refused = ask(none.at, "POST", "/mcp/prod", &[], "{}").await.is(401);
    assert!(refused.head.contains("www-authenticate: bearer\r\n"));
}

#[tokio::test]
async fn a_session_belongs_to_its_actor_and_ends_with_its_row() {
    let place = Place::new().await;
    let (night, day) = (place.token(&claims()), place.but("sub", json!("00u2day")));
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "a host", "version": "1"},
    }});
    let to = async |token: &str, more: &[&str], body: &Value| {
        let token = format!("Authorization: Bearer {token}");
        let form = "Content-Type: application/json";
        let accept = "Accept: application/json, text/event-stream";
        let head = [&[token.as_str(), form, accept], more].concat();
        ask(
            place.house.at,
            "POST",
            "/mcp/prod",
            &head,
            &body.to_string(),
        )
        .await
    };
    let answer = to(&night, &[], &hello).await.is(200);
    let mut lines = answer.head.lines();
    let session = lines.find_map(|line| line.strip_prefix("mcp-session-id: "));
    let session = format!("Mcp-Session-Id: {}", session.unwrap());
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}});
    to(&day, &[&session], &list).await.is(404);
    // The next token of the same agent goes on with it.
    let next = place.but("jti", json!("2"));
    to(&next, &[&session], &list).await.is(200);
    let mut gone = agents(&place.provider);
    gone.subjects.remove(0);
    let asked = place.house.propose(&night, 1).await.is(201).json();
    place.house.gate.trust(&trusting(&[gone])).unwrap();
    to(&next, &[&session], &list).await.is(401);
    // Nobody carries out what it asked for.
    let (ed, ana) = (Pair::eddsa(), claims());
    let provider = Provider::new(&[ed.public("e")]).await;
    place
        .house
        .gate
        .trust(&trusting(&[people(&provider)]))
        .unwrap();
    let mut ana = ana;
    ana["iss"] = json!(PEOPLE);
    let ana = ed.sign(&ed.header("e").to_string(), &ana.to_string());
    let execute = format!("/api/v1/proposals/{}/execute", id(&asked));
    let refused = place.house.post(&execute, &ana, Value::Null).await.is(403);
    assert_eq!(refused.json()["code"], "not_known");
    assert!(place.house.sent().is_empty());
}

#[tokio::test]
async fn an_issuer_that_would_mislead_is_refused() {
    let place = Place::new().await;
    let (one, other) = (agents(&place.provider), people(&place.provider));
    let but = |change: &dyn Fn(&mut Issuer)| {
        let mut issuer = one.clone();
        change(&mut issuer);
        trusting(&[issuer, other.clone()])
    };
    let row = |sub: &str, who: &str| subject(sub, who, &["prod"]);
    let uri = |uri: &str| {
        let uri = uri.to_owned();
        but(&move |issuer| issuer.jwks_uri.clone_from(&uri))
    };
    let mut nowhere = trusting(std::slice::from_ref(&one));
    nowhere.url = None;
    let at = |url: &str| {
        let mut trust = trusting(std::slice::from_ref(&one));
        trust.url = Some(url.to_owned());
        trust
    };
    for (trust, problem) in [
        (nowhere, "give the `url`"),
        (at("gate.example.com"), "without a path"),
        (at("https://gate.example.com/mcp"), "without a path"),
        (at("https://ana@gate.example.com"), "without a path"),
        (
            but(&|issuer| issuer.algorithms.clear()),
            "`algorithms` is missing",
        ),
        (but(&|issuer| issuer.issuer.clear()), "needs a name"),
        (
            but(&|issuer| issuer.name = "People".to_owned()),
            "listed twice",
        ),
        (
            but(&|issuer| issuer.issuer = PEOPLE.to_owned()),
            "listed twice",
        ),
        (
            uri("http://keys.example.com/"),
            "or `http://…` on this machine",
        ),
        (uri("http://localhost.example.com/"), "or `http://…` on"),
        (uri("http://127.0.0.1@example.com/"), "or `http://…` on"),
        (uri("https://ana@example.com/"), "or `http://…` on"),
        (uri("file:///etc/keys"), "or `http://…` on"),
        (uri("keys"), "or `http://…` on"),
        (
            but(&|issuer| issuer.subjects.push(row("x", "user:ben"))),
            "the other kind",
        ),
        (
            but(&|issuer| issuer.subjects.push(row("x", "agent:NIGHT"))),
            "listed for two subjects",
        ),
        (
            but(&|issuer| issuer.subjects.push(row("00u1night", "agent:x"))),
            "listed twice",
        ),
        (
            but(&|issuer| issuer.subjects.push(row("", "agent:x"))),
            "is empty",
        ),
        (
            but(&|issuer| issuer.subjects.push(subject("x", "agent:x", &[]))),
            "an agent needs named clusters",
        ),
        (
            but(&|issuer| {
                issuer.kind = Kind::User;
                issuer.subjects = vec![subject("x", "user:Ana", &[])];
            }),
            "listed for two subjects",
        ),
    ] {
        let refused = place.house.gate.trust(&trust).unwrap_err().to_string();
        assert!(refused.contains(problem), "{problem}: {refused}");
    }
    for algorithm in ["none", "HS256", "es256", ""] {
        let refused = algorithm.parse::<Algorithm>().unwrap_err().to_string();
        assert!(refused.contains("use ES256"), "{refused}");
    }
    // What was there before holds.
    Place::is_in(&place.mode(&place.token(&claims())).await);
}
