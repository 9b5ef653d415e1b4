//! Who asks, agrees or stops.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::identity::proven_by::ProvenBy;

/// Who asks, agrees or stops: `agent:NAME`, `user:NAME` or `system`.
///
/// A name is 1 to 128 ASCII letters, digits and `._@/+=:-`, so that no name can look like
/// another, break a line or act on a terminal. Read from text it is claimed; who has
/// [proven](Self::proven) it says so. Two of one name are equal, however that was proven.
///
/// Written as text where it is claimed, else as `{"actor": …, "proven_by": …}`: so it is read from
/// records, which whoever asks does not write.
#[derive(Debug, Clone)]
pub struct Actor {
    name: Box<str>,
    /// None where it is claimed.
    proven_by: Option<Box<ProvenBy>>,
}

/// The longest name.
const LONGEST: usize = 128;

impl Actor {
    /// What a guard does by itself, such as taking back what its lease is over for.
    #[must_use]
    pub fn system() -> Self {
        Self::named("system")
    }

    fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            proven_by: None,
        }
    }

    /// The same, for whom it was proven so that it is them. For who has proven it, and nobody else.
    #[must_use]
    pub fn proven(mut self, by: ProvenBy) -> Self {
        self.proven_by = (!by.is_claimed()).then(|| Box::new(by));
        self
    }

    /// How it was proven that it is them.
    #[must_use]
    pub fn proven_by(&self) -> &ProvenBy {
        self.proven_by.as_deref().unwrap_or(&ProvenBy::Claimed)
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether both are one. People write their own name in more than one way.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name)
    }

    /// Whether it is a gate itself, and not only said to be one.
    #[must_use]
    pub fn is_gate(&self) -> bool {
        *self.name == *"system" && *self.proven_by() == ProvenBy::Gate
    }

    /// Whether it is a person.
    #[must_use]
    pub fn is_user(&self) -> bool {
        self.name.starts_with("user:")
    }
}

impl FromStr for Actor {
    type Err = ActorError;

    fn from_str(text: &str) -> Result<Self, ActorError> {
        let wrong = |why| {
            Err(ActorError {
                given: text.to_owned(),
                why,
            })
        };
        if text == "system" {
            return Ok(Self::system());
        }
        let name = text.strip_prefix("agent:").or(text.strip_prefix("user:"));
        match name {
            None => wrong("it must be `agent:NAME`, `user:NAME` or `system`"),
            Some("") => wrong("the name is empty"),
            Some(name) if name.len() > LONGEST => wrong("the name is longer than 128 characters"),
            Some(name) if !name.bytes().all(is_allowed) => {
                wrong("a name may contain ASCII letters, digits and `._@/+=:-`")
            }
            Some(_) => Ok(Self::named(text)),
        }
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._@/+=:-".contains(&byte)
}

impl PartialEq for Actor {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Actor {}

impl PartialOrd for Actor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Actor {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }
}

impl Hash for Actor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.name.into()
    }
}

/// One for whom it was proven, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proven<N> {
    actor: N,
    proven_by: ProvenBy,
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(proven_by) = self.proven_by.as_deref() else {
            return serializer.serialize_str(&self.name);
        };
        let proven = Proven {
            actor: &*self.name,
            proven_by: proven_by.clone(),
        };
        proven.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Actor;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an actor")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Actor, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Actor, A::Error> {
        let written = Proven::<String>::deserialize(MapAccessDeserializer::new(members))?;
        let actor = written.actor.parse::<Actor>().map_err(A::Error::custom)?;
        Ok(actor.proven(written.proven_by))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Text that names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid actor `{}`: {why}", shown(given))]
pub struct ActorError {
    given: String,
    why: &'static str,
}

/// The beginning of the text, safe to print.
fn shown(given: &str) -> String {
    let beginning: String = given.chars().take(64).collect();
    let more = if beginning.len() < given.len() {
        "…"
    } else {
        ""
    };
    format!("{}{more}", action_core::printable(&beginning))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn actors_are_what_they_are_called() {
        for text in [
            "system",
            "user:alice",
            "agent:night/shift-2",
            "user:alice@example.com",
        ] {
            assert_eq!(text.parse::<Actor>().unwrap().as_str(), text);
        }
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let error = text.parse::<Actor>().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(!error.chars().any(action_core::is_unprintable), "{error:?}");
    }

    #[test]
    fn of_a_long_text_the_beginning_is_shown() {
        let shown = |given: String| given.parse::<Actor>().unwrap_err().to_string();
        let all = format!("invalid actor `{}`", "x".repeat(64));
        assert!(shown("x".repeat(64)).starts_with(&all));
        let beginning = format!("invalid actor `{}…`", "x".repeat(64));
        assert!(shown("x".repeat(65)).starts_with(&beginning));
    }

    #[test]
    fn what_names_nobody_is_refused() {
        refused("", "must be");
        refused("alice", "must be");
        refused("System", "must be");
        refused("user:", "empty");
        refused("user:a b", "ASCII letters");
        refused("user:\u{1b}[31malice", "ASCII letters");
        refused("user:al\u{202e}ice", "ASCII letters");
        refused("user:\u{430}lice", "ASCII letters");
        refused(&format!("agent:{}", "x".repeat(129)), "longer");
    }

    #[test]
    fn a_person_who_writes_their_name_otherwise_is_the_same_person() {
        let actor = |text: &str| text.parse::<Actor>().unwrap();
        assert!(actor("user:Alice").is_same(&actor("user:alice")));
        assert!(!actor("user:alice").is_same(&actor("agent:alice")));
    }

    #[test]
    fn only_what_is_claimed_is_written_as_text() {
        let night: Actor = "agent:night".parse().unwrap();
        let token = ProvenBy::Token {
            id: "t1".to_owned(),
            made_by: "user:ana@example.com".to_owned(),
        };
        for proven_by in [
            ProvenBy::Claimed,
            token,
            ProvenBy::Mtls {
                owner: None,
                certificate: "0a".repeat(32),
            },
            ProvenBy::Oidc {
                owner: Some("user:ana".to_owned()),
                issuer: "corp".to_owned(),
            },
            ProvenBy::Link { uid: 1000 },
            ProvenBy::Signature,
            ProvenBy::Gate,
        ] {
            let actor = night.clone().proven(proven_by.clone());
            let written = serde_json::to_value(&actor).unwrap();
            assert_eq!(written.is_string(), proven_by.is_claimed(), "{written}");
            let read: Actor = serde_json::from_value(written).unwrap();
            assert_eq!((&read, read.proven_by()), (&night, &proven_by));
        }
    }

    #[test]
    fn what_is_written_otherwise_is_nobody() {
        for written in [
            r#"{"actor":"agent:night"}"#,
            r#"{"actor":"agent:ni ght","proven_by":{"kind":"gate"}}"#,
            r#"{"actor":"agent:night","proven_by":"token"}"#,
            r#"{"actor":"agent:night","proven_by":{"kind":"token"}}"#,
            r#"{"actor":"agent:night","proven_by":{"kind":"magic"}}"#,
            r#"{"actor":"agent:night","proven_by":{"kind":"gate"},"more":1}"#,
            r#"["agent:night"]"#,
        ] {
            assert!(serde_json::from_str::<Actor>(written).is_err(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn no_text_becomes_an_actor_that_acts_on_a_terminal(text in any::<String>(), name in ".{0,140}") {
            for text in [text, format!("user:{name}"), format!("agent:{name}")] {
                match text.parse::<Actor>() {
                    Ok(actor) => {
                        prop_assert!(actor.as_str().is_ascii());
                        prop_assert!(!actor.as_str().chars().any(action_core::is_unprintable));
                        prop_assert!(actor.as_str().len() <= LONGEST + 6);
                    }
                    Err(error) => {
                        let error = error.to_string();
                        prop_assert!(!error.chars().any(action_core::is_unprintable));
                        prop_assert!(error.len() < 500);
                    }
                }
            }
        }
    }
}
