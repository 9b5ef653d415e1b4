//! An issuer of tokens, as a provider of identities is one: it signs, and publishes its keys.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Made by OpenSSL for these tests.
const RSA: &str = "
MIIEowIBAAKCAQEAhS5zCgGfmheZFvHM3O9VKc4QssKcxLAwPiWIG1lfbXjfJLdr7eb8ryUDRm9+dOIDATIR3ygm/6F47acM
ifpUPA1FsLbyIMz7Kde01jU7SvafBhW9qQXEe3p9IJp8z0lcbQHwmLDlaHwPTDpQdVevXmSUwhNuXmd2L42vQ6vurrrjaS5z
cLJaYa70ndcnhGwuR/yARv/n8nr2c1paZ/I1DfzSaFUJRv9bei9XeTZu5fzTfrn1NxOV4r0YhQuPXnRrkYQorfzKLG4gspaB
82epYZSu+UtAzDIEh5ZYAr2J0s270QnDp9JqUhzKtGJZj+v5cVmkiz/R37Tq1HeGP5LM/wIDAQABAoIBACG0kbS0mHndAweF
hn1brMf5uMwk6Jv2ox73TKzvP3FrJ74ZFZ2N2eFRkrSevvhBwtTooRFDDiuf6ATtRAUfb3YLPdntUvXuKpp6Vu/nZOwh4jke
A3PlW8aMR2Ka9n9XZ6bG2OcrzcNVsmFuWLJ50I4pEmTTmhkWQhji2LpdpvhdQn4RljujiqJFjIuWwbeoG1LcDQwG8Pocp9fr
xQnvBhG/WDIpI8JEbpZ8F+XpPKo6F1E6f46ljXmNRKrOJK/iREGsdstjq6yCZax//60ifjOfjMoSLiQrsqs/PQ94ASsdBfJV
Xfynzl6REQ2NWpJTXIHBEGnYyqQkhZNPwW1qXBECgYEAuXBW82PGHq2oaDo/AISmQPMQlfJhB+1317g4JgYTNqkcOnZht/7l
QSgbEHJMDvNo1Bdj0uqnvL6/RCZSZKklqwHmGvNM5RGXLbu7IvcHtQCxo51lwr/xiJvgP8wZMhu3SAGEZrtk7PaYFMVXZ7Uj
V4B2istRZzbv0nLxcw8KPiMCgYEAt9uzKYkVQSOdnFS531hHSR9Xhw2m6p9VgtzJiGnVnABYPoYqLHauUxNHwv+c4jmJA+Pl
ufE3RpYil3aqW3tCJ8IjtgAqvSBNbExO+WhyLYQU9C6QsNp+LdZhyRWQe9iT+149pf23vuMyujcOB59cdA1DQZaMNqknO8KG
lp0K7XUCgYBTZn4EuxPoykuajM+3CPHI9ki4V6liKmAi6hx+pW7Qv6ANfx6V5RLwifwaGn2wn7K+6MIhox3LmrJlESMvWI+z
aIg4CMLFp3Kpw+v3XsjdlDFQl8KjozYbLZfeuYl/as20mdIVbiSHGqTteo/D+ciqWwF1jNnQpPmZWc7T46jEpwKBgQCvnDxL
bvELL76KJG8JAiPMlxAeIg8NSLT/cm1YS2ZJRBcFWVaM86rcFK1VdprdhYD2Y0X4TYqzdBGEREbBbECrAwbi/tPTozfwOg6w
sG9mRCNTe+qd0YP1ui/aRiuj7yChVslhc65+uDmqnY1cAH3pJwXXbrlsODMOJGYzE7rtRQKBgDtDZN/5u2UT4mx8U0CIaH9E
J/iwhd8cTOkLmGXPEA1j6n/yyCkFlPGev54OSbaUEC8tuIUYcaRNcd/PeuJRT+fo543r+U3fBAQSXwXkLiSnq/1eEUkR6pUS
N5vIkEA1+9m+xthqOxgS5aTCnAjp14AdHJEv0dAzbl0IUgd+8nH9
";

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A pair of keys.
pub(crate) enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
    /// A secret that both sides have.
    Hs256(Vec<u8>),
}

impl Pair {
    pub(crate) fn es256() -> Self {
        let (how, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let made = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
        Self::Es256(EcdsaKeyPair::from_pkcs8(how, made.as_ref(), &random).unwrap())
    }

    pub(crate) fn eddsa() -> Self {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::EdDsa(Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap())
    }

    pub(crate) fn rs256() -> Self {
        let text: String = RSA.split_whitespace().collect();
        Self::Rs256(RsaKeyPair::from_der(&STANDARD.decode(text).unwrap()).unwrap())
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
            Self::Rs256(_) => "RS256",
            Self::Hs256(_) => "HS256",
        }
    }

    /// What is published of it.
    pub(crate) fn public(&self, id: &str) -> Value {
        let mut key = match self {
            Self::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)})
            }
            Self::EdDsa(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key())})
            }
            Self::Rs256(pair) => {
                let parts = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "n": base64url(parts.n), "e": base64url(parts.e)})
            }
            Self::Hs256(secret) => json!({"kty": "oct", "k": base64url(secret)}),
        };
        (key["kid"], key["use"], key["alg"]) = (json!(id), json!("sig"), json!(self.name()));
        key
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
                signed.unwrap();
                signature
            }
            Self::Hs256(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, message).as_ref().to_vec()
            }
        }
    }

    /// A token of these parts, as text.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64url(header), base64url(claims));
        let signature = base64url(self.signature(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// The head of a token as it should be.
    pub(crate) fn header(&self, id: &str) -> Value {
        json!({"typ": "at+jwt", "alg": self.name(), "kid": id})
    }
}

/// In seconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// What is published, and how often that was asked for.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) at: SocketAddr,
    /// `None` while it is down.
    pub(crate) published: Arc<Mutex<Option<String>>>,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Provider {
    pub(crate) async fn new(keys: &[Value]) -> Self {
        let published = Arc::new(Mutex::new(Some(set(keys))));
        let asked = Arc::new(AtomicUsize::new(0));
        let (kept, count) = (Arc::clone(&published), Arc::clone(&asked));
        let answer = move || {
            let (kept, count) = (Arc::clone(&kept), Arc::clone(&count));
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                let published = kept.lock().unwrap().clone();
                published.ok_or(StatusCode::SERVICE_UNAVAILABLE)
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let router = Router::new().route("/keys", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            at,
            published,
            asked,
        }
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}/keys", self.at)
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        *self.published.lock().unwrap() = Some(set(keys));
    }

    pub(crate) fn go_down(&self) {
        *self.published.lock().unwrap() = None;
    }

    pub(crate) fn was_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

pub(crate) fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}
