//! Keeps secrets out of the journal.

use std::borrow::Cow;
use std::collections::BTreeSet;

use action_core::{ActionDefinition, REDACTED, is_secret_name, redacted};
use serde_json::Value;

use crate::proposal::Refusal;
use crate::records::Record;

/// Takes out of records, before they are hashed and written:
///
/// - the values of members whose names mean a secret, such as `password` or `auth_token`;
/// - the values of parameters that are declared `writeOnly`;
/// - what [`redacted`] finds in free text: `password=…`, `Bearer …`, what stands before a host's `@`,
///   and what looks like a token or a key;
/// - texts that the guard was told to keep secret.
///
/// A mutation with a parameter that was taken out can be carried out by the process that proposed
/// it; after a crash it cannot be probed, and a person has to say how it ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redactor {
    names: BTreeSet<String>,
    texts: Vec<String>,
}

impl Redactor {
    /// One that knows what these actions mark as secret.
    pub(crate) fn for_actions<'a>(definitions: impl Iterator<Item = &'a ActionDefinition>) -> Self {
        let mut names = BTreeSet::new();
        for definition in definitions {
            let parameters = definition.parameters.iter();
            let secret = parameters.filter(|parameter| parameter.shape.secret);
            names.extend(secret.map(|parameter| parameter.name.clone()));
        }
        Self {
            names,
            texts: Vec::new(),
        }
    }

    /// The same, and this text is a secret too.
    pub(crate) fn also(&self, text: &str) -> Self {
        let mut redactor = self.clone();
        if !text.is_empty() {
            redactor.texts.push(text.to_owned());
        }
        redactor
    }

    /// The record without secrets.
    pub(crate) fn clean(&self, record: Record) -> Result<Record, Refusal> {
        let invalid_record = |error: serde_json::Error| Refusal::InvalidRecord {
            what: error.to_string(),
        };
        let mut value = serde_json::to_value(&record).map_err(invalid_record)?;
        if !self.value(&mut value) {
            return Ok(record);
        }
        serde_json::from_value(value).map_err(invalid_record)
    }

    /// The text without secrets.
    pub(crate) fn text_without(&self, mut text: String) -> String {
        self.text(&mut text);
        text
    }

    /// Where secrets are in a document, such as `steps[0].confirm`.
    pub(crate) fn places(&self, document: &Value) -> Vec<String> {
        let mut places = Vec::new();
        self.look("", "", document, &mut places);
        places
    }

    fn look(&self, at: &str, name: &str, value: &Value, places: &mut Vec<String>) {
        match value {
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.look(&format!("{at}[{index}]"), name, value, places);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    // A name may hold one as well, and is then not said.
                    let word = self.text_without(name.clone());
                    let at = match at {
                        "" => word,
                        at => format!("{at}.{word}"),
                    };
                    let is_secret = self.is_secret(name) && !value.is_null() && value != REDACTED;
                    if is_secret || self.text(&mut name.clone()) {
                        places.push(at);
                    } else {
                        self.look(&at, name, value, places);
                    }
                }
            }
            other if self.member(name, &mut other.clone()) => places.push(at.to_owned()),
            _ => {}
        }
    }

    /// Takes secrets out; whether there were any.
    fn value(&self, value: &mut Value) -> bool {
        self.member("", value)
    }

    /// The same of what a member of this name holds.
    fn member(&self, name: &str, value: &mut Value) -> bool {
        match value {
            Value::String(text) if is_actor(name, text) => self.known_texts(text),
            Value::String(text) => self.text(text),
            Value::Array(values) => values
                .iter_mut()
                .fold(false, |any, value| self.member(name, value) | any),
            Value::Object(members) => members.iter_mut().fold(false, |any, (name, value)| {
                if self.is_secret(name) && !value.is_null() && value != REDACTED {
                    *value = Value::String(REDACTED.to_owned());
                    return true;
                }
                self.member(name, value) | any
            }),
            _ => false,
        }
    }

    fn is_secret(&self, name: &str) -> bool {
        self.names.contains(name) || is_secret_name(name)
    }

    fn text(&self, text: &mut String) -> bool {
        let cleaned = match redacted(text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(cleaned) => Some(cleaned),
        };
        let any = cleaned.is_some();
        if let Some(cleaned) = cleaned {
            *text = cleaned;
        }
        self.known_texts(text) | any
    }

    fn known_texts(&self, text: &mut String) -> bool {
        let mut any = false;
        for secret in &self.texts {
            if text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), REDACTED);
                any = true;
            }
        }
        any
    }
}

/// Whether this is who did something, or a pattern over such: its `@` stands before no host.
fn is_actor(name: &str, text: &str) -> bool {
    let names_one = matches!(name, "by" | "actor") || name.ends_with("_by");
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._@/+=:-*?".contains(&byte);
    names_one && text.bytes().all(is_name)
}

/// Whether something was taken out of this value, so that it is not what it was.
pub(crate) fn is_redacted(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(REDACTED),
        Value::Array(values) => values.iter().any(is_redacted),
        Value::Object(members) => members.values().any(is_redacted),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(given: Value, kept: Value) {
        let redactor = Redactor::default().also("s3cr3t");
        let mut value = given.clone();
        assert_eq!(redactor.value(&mut value), given != kept);
        assert_eq!(value, kept);
        assert!(!redactor.value(&mut value), "it is done once");
    }

    #[test]
    fn members_with_secret_names_are_taken_out() {
        let given =
            json!({"user": "ana", "password": "x", "Auth-Token": 7, "keys": [{"api_key": [1]}]});
        let kept = json!({"user": "ana", "password": REDACTED, "Auth-Token": REDACTED, "keys": [{"api_key": REDACTED}]});
        check(given, kept);
        check(
            json!({"start_key": "7480", "tokens": 3}),
            json!({"start_key": "7480", "tokens": 3}),
        );
    }

    #[test]
    fn credentials_in_urls_are_taken_out() {
        check(
            json!("at http://ana:pw@pd-0:2379/pd, then https://pd-1"),
            json!("at http://[redacted]@pd-0:2379/pd, then https://pd-1"),
        );
        check(json!("mail ana@example.org"), json!("mail ana@example.org"));
        check(json!("http://a/b@c"), json!("http://a/b@c"));
    }

    #[test]
    fn texts_that_are_known_are_taken_out_everywhere() {
        check(json!(["a s3cr3t b"]), json!(["a [redacted] b"]));
    }

    proptest! {
        #[test]
        fn no_password_of_a_url_stays(before in "[a-z ]{0,8}", user in "[a-z]{1,6}", secret in "[A-Z0-9]{6,12}", after in "[a-z/ ]{0,8}") {
            let mut text = format!("{before}http://{user}:{secret}@pd{after}");
            prop_assert!(Redactor::default().text(&mut text));
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }
}
