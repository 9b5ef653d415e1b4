//! JSON Web Tokens: what one says, once its issuer is known to have signed it.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// How long a token is at most, in bytes.
const LONGEST: usize = 8 * 1024;

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// What an access token says of itself (RFC 9068), in lower case.
const TYPES: [&str; 2] = ["at+jwt", "application/at+jwt"];

/// What an ID token says of itself, where it says it.
const ID_TYPES: [&str; 1] = ["jwt"];

/// Which token somebody brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// By which an agent or a person asks.
    Access,
    /// By which an issuer says who has logged in.
    Id,
}

/// A token, of which nothing is believed yet.
pub(crate) struct Unverified<'t> {
    token: &'t str,
    pub(crate) issuer: String,
    pub(crate) key: String,
    pub(crate) algorithm: Algorithm,
}

/// What its issuer says.
#[derive(Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) aud: Audience,
    /// When it ends and when it was made, in seconds since 1970.
    exp: f64,
    iat: f64,
}

/// What its issuer says of who has logged in (OpenID Connect Core 1.0, 2).
#[derive(Deserialize)]
pub(crate) struct LoggedIn {
    pub(crate) sub: String,
    pub(crate) aud: Audience,
    pub(crate) nonce: Option<String>,
    /// For which client it was made, where that is not clear.
    pub(crate) azp: Option<String>,
    /// When they last proved who they are, in seconds since 1970.
    pub(crate) auth_time: Option<f64>,
    exp: f64,
    iat: f64,
}

impl LoggedIn {
    /// When it was made, in seconds since 1970.
    pub(crate) fn made_at(&self) -> f64 {
        self.iat
    }
}

/// When a token was made, and when it ends.
pub(crate) trait Dated {
    fn times(&self) -> (f64, f64);

    /// For how long it is valid, from when it was made.
    fn lasts_seconds(&self) -> f64 {
        let (made, ends) = self.times();
        ends - made
    }
}

impl Dated for Claims {
    fn times(&self) -> (f64, f64) {
        (self.iat, self.exp)
    }
}

impl Dated for LoggedIn {
    fn times(&self) -> (f64, f64) {
        (self.iat, self.exp)
    }
}

/// Whom it is for.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(all) => all,
        }
    }
}

/// Whether this may be a token of an issuer: three parts. Another token has one.
pub(crate) fn is_one(token: &str) -> bool {
    token.contains('.')
}

impl<'t> Unverified<'t> {
    /// A token of this form and of a length that is read, in three parts, with one meaning.
    pub(crate) fn read(token: &'t str, form: Form) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return None;
        };
        if signature.is_empty() {
            return None;
        }
        let (header, claims) = (members(header)?, members(claims)?);
        let text = |members: &BTreeMap<String, Value>, name: &str| {
            members.get(name).and_then(Value::as_str).map(str::to_owned)
        };
        let says = text(&header, "typ").map(|typ| typ.to_ascii_lowercase());
        let is_of_form = match (form, says.as_deref()) {
            (Form::Access, says) => says.is_some_and(|says| TYPES.contains(&says)),
            (Form::Id, None) => !header.contains_key("typ"),
            (Form::Id, Some(says)) => ID_TYPES.contains(&says),
        };
        if !is_of_form || header.contains_key("crit") || header.contains_key("b64") {
            return None;
        }
        Some(Self {
            token,
            issuer: text(&claims, "iss")?,
            key: text(&header, "kid")?,
            algorithm: text(&header, "alg")?.parse().ok()?,
        })
    }

    /// What it says, if this key has signed it, and as long as it counts.
    pub(crate) fn verified<C: DeserializeOwned + Dated>(&self, by: &DecodingKey) -> Option<C> {
        let mut asked = Validation::new(self.algorithm);
        asked.leeway = LEEWAY;
        asked.validate_nbf = true;
        // Whom it is for is looked at by who knows which clusters there are.
        asked.validate_aud = false;
        asked.set_issuer(&[&self.issuer]);
        asked.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
        // A clock that shows 1970 tells nothing of when a token ends.
        let now = u64::try_from(Timestamp::now().as_second()).ok();
        let now = now.filter(|&now| now > LEEWAY)?;
        let read = jsonwebtoken::decode::<C>(self.token, by, &asked).ok()?;
        let ((made, ends), latest) = (read.claims.times(), (now + LEEWAY) as f64);
        (made <= latest && made <= ends).then_some(read.claims)
    }
}

/// The members of a part of a token, each of which is there once.
fn members(part: &str) -> Option<BTreeMap<String, Value>> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice::<Once>(&json)
        .ok()
        .map(|once| once.0)
}

/// An object whose members have names of their own: with two of one name, readers differ.
struct Once(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnceVisitor)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Once, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.contains_key(&name) {
                access.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom("a member appears twice"));
            }
            members.insert(name, access.next_value()?);
        }
        Ok(Once(members))
    }
}
