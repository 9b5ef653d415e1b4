//! Who asks, agrees or stops.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who asks, agrees or stops: `agent:NAME`, `user:NAME` or `system`.
///
/// A name is 1 to 128 ASCII letters, digits and `._@/+=:-`, so that no name can look like
/// another, break a line or act on a terminal. Claimed, unless a signature comes with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Actor(String);

/// The longest name.
const LONGEST: usize = 128;

impl Actor {
    /// What a guard does by itself, such as taking back what its lease is over for.
    #[must_use]
    pub fn system() -> Self {
        Self("system".to_owned())
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are one. People write their own name in more than one way.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// Whether it is a person.
    #[must_use]
    pub fn is_user(&self) -> bool {
        self.0.starts_with("user:")
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
            None => wrong("it is neither `agent:NAME`, `user:NAME` nor `system`"),
            Some("") => wrong("the name is empty"),
            Some(name) if name.len() > LONGEST => wrong("the name is longer than 128 characters"),
            Some(name) if !name.bytes().all(is_allowed) => {
                wrong("a name is ASCII letters, digits and any of `._@/+=:-`")
            }
            Some(_) => Ok(Self(text.to_owned())),
        }
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._@/+=:-".contains(&byte)
}

impl TryFrom<String> for Actor {
    type Error = ActorError;

    fn try_from(text: String) -> Result<Self, ActorError> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no actor: {why}", shown(given))]
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
        let all = format!("`{}` is no actor", "x".repeat(64));
        assert!(shown("x".repeat(64)).starts_with(&all));
        let beginning = format!("`{}…` is no actor", "x".repeat(64));
        assert!(shown("x".repeat(65)).starts_with(&beginning));
    }

    #[test]
    fn what_names_nobody_is_refused() {
        refused("", "neither");
        refused("alice", "neither");
        refused("System", "neither");
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
