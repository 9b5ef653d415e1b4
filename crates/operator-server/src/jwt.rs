//! JSON Web Tokens: what one says, once its issuer is known to have signed it.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// How long a token is at most, in bytes.
const LONGEST: usize = 8 * 1024;

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// What an access token says of itself (RFC 9068), in lower case.
const TYPES: [&str; 2] = ["at+jwt", "application/at+jwt"];

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
    /// An access token of a length that is read, in three parts, with one meaning.
    pub(crate) fn read(token: &'t str) -> Option<Self> {
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
        let is_access_token = text(&header, "typ")
            .is_some_and(|form| TYPES.contains(&form.to_ascii_lowercase().as_str()));
        if !is_access_token || header.contains_key("crit") || header.contains_key("b64") {
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
    pub(crate) fn verified(&self, by: &DecodingKey) -> Option<Claims> {
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
        let read = jsonwebtoken::decode::<Claims>(self.token, by, &asked).ok()?;
        let (claims, latest) = (read.claims, (now + LEEWAY) as f64);
        (claims.iat <= latest && claims.iat <= claims.exp).then_some(claims)
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
                return Err(A::Error::custom("a member is there twice"));
            }
            members.insert(name, access.next_value()?);
        }
        Ok(Once(members))
    }
}
