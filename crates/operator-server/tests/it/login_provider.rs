//! A provider of OpenID Connect: people log in there, codes are exchanged once, and its tokens can be wrong.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::provider::{Pair, base64url, now};

pub(crate) const CLIENT: &str = "gate:prod";
pub(crate) const SECRET: &str = "a secret%of the gate's";

/// What is changed in an ID token, or in its head.
type Change = Box<dyn Fn(&mut Value, &mut Value) + Send>;

#[derive(Clone)]
pub(crate) struct LoginProvider(Arc<Inner>);

struct Inner {
    at: SocketAddr,
    pair: Mutex<Pair>,
    /// Who is logged in there, and since when.
    who: Mutex<(String, Option<i64>)>,
    codes: Mutex<BTreeMap<String, Code>>,
    change: Mutex<Option<Change>>,
    /// What stands in place of the signature.
    unsigned: Mutex<bool>,
    made: AtomicUsize,
    pub(crate) exchanged: AtomicUsize,
}

struct Code {
    query: BTreeMap<String, String>,
    sub: String,
    auth_time: Option<i64>,
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

impl LoginProvider {
    pub(crate) async fn new(pair: Pair) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self(Arc::new(Inner {
            at: listener.local_addr().unwrap(),
            pair: Mutex::new(pair),
            who: Mutex::default(),
            codes: Mutex::default(),
            change: Mutex::default(),
            unsigned: Mutex::default(),
            made: AtomicUsize::default(),
            exchanged: AtomicUsize::default(),
        }));
        let router = Router::new()
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        provider
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.0.at)
    }

    /// Somebody logs in there, at this time.
    pub(crate) fn log_in(&self, sub: &str, at: i64) {
        *self.0.who.lock().unwrap() = (sub.to_owned(), Some(at));
    }

    /// Its tokens are another from now on.
    pub(crate) fn change(&self, change: impl Fn(&mut Value, &mut Value) + Send + 'static) {
        *self.0.change.lock().unwrap() = Some(Box::new(change));
    }

    pub(crate) fn right_again(&self) {
        *self.0.change.lock().unwrap() = None;
        *self.0.unsigned.lock().unwrap() = false;
    }

    pub(crate) fn unsigned(&self) {
        *self.0.unsigned.lock().unwrap() = true;
    }

    pub(crate) fn exchanged(&self) -> usize {
        self.0.exchanged.load(Ordering::SeqCst)
    }

    /// Where a browser that was sent there comes back to.
    pub(crate) fn visited(&self, address: &str) -> String {
        let (place, query) = address.split_once('?').unwrap();
        assert_eq!(place, format!("{}/auth", self.issuer()));
        let query = pairs(query);
        assert_eq!(
            (&*query["response_type"], &*query["client_id"]),
            ("code", CLIENT)
        );
        assert_eq!(
            (&*query["code_challenge_method"], &*query["scope"]),
            ("S256", "openid")
        );
        let (_, path) = query["redirect_uri"].split_once("://").unwrap();
        let path = &path[path.find('/').unwrap()..];
        let code = format!("code-{}", self.0.made.fetch_add(1, Ordering::SeqCst));
        let back = format!(
            "{path}?code={code}&state={}&iss={}",
            query["state"],
            self.issuer()
        );
        let (sub, mut auth_time) = self.0.who.lock().unwrap().clone();
        if query.get("prompt").is_some_and(|prompt| prompt == "login") {
            auth_time = Some(now());
        }
        let made = Code {
            query,
            sub,
            auth_time,
        };
        self.0.codes.lock().unwrap().insert(code, made);
        back
    }
}

async fn keys(State(provider): State<LoginProvider>) -> Json<Value> {
    let key = provider.0.pair.lock().unwrap().public("k1");
    Json(json!({ "keys": [key] }))
}

async fn token(
    State(provider): State<LoginProvider>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Result<Json<Value>, StatusCode> {
    let inner = &provider.0;
    inner.exchanged.fetch_add(1, Ordering::SeqCst);
    let written = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("{}:{}", written(CLIENT), written(SECRET));
    let basic = format!("Basic {}", STANDARD.encode(basic));
    if headers["authorization"] != basic {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let form = pairs(&String::from_utf8_lossy(&form));
    let code = inner.codes.lock().unwrap().remove(&form["code"]);
    let code = code.ok_or(StatusCode::BAD_REQUEST)?;
    let challenge = base64url(digest(&SHA256, form["code_verifier"].as_bytes()));
    if code.query["code_challenge"] != challenge
        || code.query["redirect_uri"] != form["redirect_uri"]
    {
        return Err(StatusCode::BAD_REQUEST);
    }
    let mut claims = json!({
        "iss": provider.issuer(), "sub": code.sub, "aud": CLIENT, "exp": now() + 300, "iat": now(),
        "nonce": code.query["nonce"],
    });
    if let Some(at) = code.auth_time {
        claims["auth_time"] = json!(at);
    }
    let mut header = json!({"typ": "JWT", "alg": "ES256", "kid": "k1"});
    if let Some(change) = &*inner.change.lock().unwrap() {
        change(&mut header, &mut claims);
    }
    let mut token = inner
        .pair
        .lock()
        .unwrap()
        .sign(&header.to_string(), &claims.to_string());
    if *inner.unsigned.lock().unwrap() {
        token.truncate(token.rfind('.').unwrap() + 1);
    }
    Ok(Json(
        json!({"id_token": token, "access_token": "x", "token_type": "Bearer"}),
    ))
}
