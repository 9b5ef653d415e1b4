//! Regular expressions of schemas, each compiled once.

use std::fmt;
use std::sync::OnceLock;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

/// A regular expression. It is compiled when it is first needed, which is at registration.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern {
    text: String,
    #[serde(skip)]
    compiled: OnceLock<Result<Regex, regex_lite::Error>>,
}

impl Pattern {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a text matches it somewhere; no text matches what is no regular expression.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        let compiled = self.compiled().as_ref();
        compiled.is_ok_and(|regex| regex.is_match(text))
    }

    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<String> {
        let compiled = self.compiled().as_ref();
        compiled.err().map(regex_lite::Error::to_string)
    }

    fn compiled(&self) -> &Result<Regex, regex_lite::Error> {
        self.compiled.get_or_init(|| Regex::new(&self.text))
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self {
            text,
            compiled: OnceLock::new(),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
