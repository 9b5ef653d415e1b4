//! Keys and signatures of people.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SECRET_KEY_LENGTH, Signature, Signer as _, SigningKey, VerifyingKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identity::canonical_json::canonical;

/// What OpenSSL and others put before the 32 bytes of an ed25519 key (RFC 8410).
const PUBLIC_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const PRIVATE_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A signature in one place is never taken for one in another.
const DOMAIN: &[u8] = b"action-guard statement 1\n";

/// The public half of a person's key, which a policy lists.
///
/// Written as the one line of base64 that `openssl pkey -pubout` prints between its marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a key from its line of base64.
    ///
    /// # Errors
    /// When it is not an ed25519 key, or one that anybody could sign for.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD
            .decode(text.trim())
            .map_err(|_| KeyError::NotBase64)?;
        let key = bytes
            .strip_prefix(&PUBLIC_PREFIX)
            .ok_or(KeyError::NotEd25519)?;
        let key: &[u8; 32] = key.try_into().map_err(|_| KeyError::NotEd25519)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| KeyError::NotEd25519)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self(key))
    }

    /// Whether the signature is this key's over this statement.
    #[must_use]
    pub fn verifies(&self, statement: &Value, signature: &StatementSignature) -> bool {
        let bytes = STANDARD.decode(&signature.0).unwrap_or_default();
        Signature::from_slice(&bytes).is_ok_and(|signature| {
            self.0
                .verify_strict(&message(statement), &signature)
                .is_ok()
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&PUBLIC_PREFIX[..], self.0.as_bytes()].concat();
        f.write_str(&STANDARD.encode(bytes))
    }
}

/// A person's key. Never written, shown or kept by a guard.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// Reads the PEM that `openssl genpkey -algorithm ed25519` writes.
    ///
    /// # Errors
    /// When it is anything else, an encrypted key included.
    pub fn parse_pem(pem: &str) -> Result<Self, KeyError> {
        let inner = pem
            .trim()
            .strip_prefix("-----BEGIN PRIVATE KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"))
            .ok_or(KeyError::NotPem)?;
        let text: String = inner.split_whitespace().collect();
        let bytes = STANDARD.decode(text).map_err(|_| KeyError::NotBase64)?;
        let key = bytes
            .strip_prefix(&PRIVATE_PREFIX)
            .ok_or(KeyError::NotEd25519)?;
        let key: [u8; SECRET_KEY_LENGTH] = key.try_into().map_err(|_| KeyError::NotEd25519)?;
        Ok(Self(SigningKey::from_bytes(&key)))
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a statement.
    #[must_use]
    pub fn sign(&self, statement: &Value) -> StatementSignature {
        StatementSignature(STANDARD.encode(self.0.sign(&message(statement)).to_bytes()))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

fn message(statement: &Value) -> Vec<u8> {
    [DOMAIN, &canonical(statement)].concat()
}

/// A signature in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementSignature(String);

impl From<&str> for StatementSignature {
    fn from(written: &str) -> Self {
        Self(written.to_owned())
    }
}

impl fmt::Display for StatementSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// That a person made a switch: signed with the key that the policy lists for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proof {
    /// The public key.
    pub key: String,
    /// When they signed. It is taken for a few minutes only.
    pub at: Timestamp,
    /// The signature.
    pub signature: StatementSignature,
}

/// Text that is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not PEM of the right kind.
    #[error(
        "it is not an unencrypted private key in PEM; create one with `openssl genpkey -algorithm ed25519`"
    )]
    NotPem,
    /// Not base64.
    #[error(
        "it is not base64; use the text between the BEGIN and END lines of `openssl pkey -pubout`"
    )]
    NotBase64,
    /// Another kind of key.
    #[error("it is not an ed25519 key; create one with `openssl genpkey -algorithm ed25519`")]
    NotEd25519,
    /// A key of small order.
    #[error("it is a weak key, for which signatures can be forged")]
    Weak,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Written by OpenSSL 3, for this test alone: `openssl genpkey -algorithm ed25519`, and its
    /// `-pubout`.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----
";
    const PUBLIC: &str = "MCowBQYDK2VwAyEADo5FzWavbQye2JRRDZmrR8I/wyzCUMUJRJJ5jT9QUlo=";

    #[test]
    fn keys_of_openssl_are_read() {
        let private = PrivateKey::parse_pem(PEM).unwrap();
        let public = PublicKey::parse(PUBLIC).unwrap();
        assert_eq!(private.public(), public);
        assert_eq!(public.to_string(), PUBLIC);
        assert!(!format!("{private:?}").contains("MC4"));
    }

    #[test]
    fn only_this_key_over_this_statement_verifies() {
        let key = PrivateKey::parse_pem(PEM).unwrap();
        let statement = json!({"statement": "approve", "proposal": "1"});
        let signature = key.sign(&statement);
        assert!(key.public().verifies(&statement, &signature));
        assert!(!key.public().verifies(
            &json!({"statement": "approve", "proposal": "2"}),
            &signature
        ));
        let other = PrivateKey(SigningKey::from_bytes(&[7; 32]));
        assert!(!other.public().verifies(&statement, &signature));
        for signature in ["", "AAAA", "%", &signature.0[1..]] {
            assert!(
                !key.public()
                    .verifies(&statement, &StatementSignature(signature.to_owned()))
            );
        }
    }

    #[test]
    fn other_text_is_no_key_and_says_why() {
        let public = |text: &str| PublicKey::parse(text).unwrap_err();
        assert_eq!(public("no"), KeyError::NotBase64);
        assert_eq!(public("AAAA"), KeyError::NotEd25519);
        let weak = STANDARD.encode([&PUBLIC_PREFIX[..], &[1], &[0; 31]].concat());
        assert_eq!(public(&weak), KeyError::Weak);
        let private = |text: &str| PrivateKey::parse_pem(text).unwrap_err();
        assert_eq!(private(PUBLIC), KeyError::NotPem);
        assert_eq!(private(&PEM.replace("MC4C", "AAAA")), KeyError::NotEd25519);
    }

    proptest! {
        #[test]
        fn no_text_that_claims_to_be_a_key_or_a_signature_gets_past(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let key = PrivateKey(SigningKey::from_bytes(&[7; 32]));
            for text in [text.clone(), STANDARD.encode(&bytes)] {
                let _ = PublicKey::parse(&text);
                let _ = PrivateKey::parse_pem(&format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----"));
                let verified = key.public().verifies(&json!({}), &StatementSignature(text));
                prop_assert!(!verified);
            }
        }
    }
}
