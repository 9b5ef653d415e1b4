//! Regular expressions of schemas, each compiled once.

use std::fmt;
use std::sync::OnceLock;

use regex::Regex;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{self, AssertionKind, Ast, ClassSetItem, GroupKind, Visitor};
use serde::{Deserialize, Serialize};

/// A regular expression, of what JSON Schema (2020-12, core, 6.4) asks schemas to keep to: characters,
/// `.`, classes such as `[a-z]` and `[^a-z]`, `*`, `+`, `?`, `{2,5}`, `^`, `$`, groups and `|`. What is
/// beyond that, as `\d` and `\b`, a host may read otherwise. It is read at registration, and compiled when a
/// text is first held to it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern {
    text: String,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
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
        let compiled = self.compiled.get_or_init(|| match self.problem() {
            None => Regex::new(&self.text).ok(),
            Some(_) => None,
        });
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }

    /// What is wrong with how it is written.
    pub(crate) fn problem(&self) -> Option<String> {
        match Parser::new().parse(&self.text) {
            Ok(read) => ast::visit(&read, EveryHostReads).err(),
            Err(error) => Some(error.kind().to_string()),
        }
    }

    /// What only shows when it is compiled: that takes longer, so it is for tests.
    pub(crate) fn too_large(&self) -> Option<String> {
        Regex::new(&self.text).err().map(|error| error.to_string())
    }
}

/// Ends at what not every host reads alike.
struct EveryHostReads;

impl EveryHostReads {
    const CLASS: &str =
        "not every host reads `\\d`, `\\w`, `\\s` and `\\p` alike: write it as `[0-9]`";
    const OTHER: &str = "not every host reads flags and `\\b` alike: do without";
}

impl Visitor for EveryHostReads {
    type Output = ();
    type Err = String;

    fn finish(self) -> Result<(), String> {
        Ok(())
    }

    fn visit_pre(&mut self, part: &Ast) -> Result<(), String> {
        let anchors = [AssertionKind::StartLine, AssertionKind::EndLine];
        match part {
            Ast::ClassPerl(_) | Ast::ClassUnicode(_) => Err(Self::CLASS.to_owned()),
            Ast::Assertion(assertion) if anchors.contains(&assertion.kind) => Ok(()),
            Ast::Assertion(_) | Ast::Flags(_) => Err(Self::OTHER.to_owned()),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(flags) if !flags.items.is_empty() => {
                    Err(Self::OTHER.to_owned())
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Perl(_) | ClassSetItem::Unicode(_) | ClassSetItem::Ascii(_) => {
                Err(Self::CLASS.to_owned())
            }
            _ => Ok(()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn problem(pattern: &str) -> String {
        Pattern::from(pattern.to_owned())
            .problem()
            .unwrap_or_default()
    }

    #[test]
    fn what_json_schema_asks_to_keep_to_is_taken() {
        for (pattern, is_in, is_not) in [
            ("^[a-z][a-z0-9-]*$", "balance-leader", "Balance"),
            ("^(ab|c.){1,3}$", "abcd", "abd"),
            ("[^0-9]", "1a", "11"),
            ("^(?:a+?|\\.)$", ".", "b"),
        ] {
            let read = Pattern::from(pattern.to_owned());
            assert_eq!(read.problem(), None, "{pattern}");
            assert!(read.is_match(is_in) && !read.is_match(is_not), "{pattern}");
        }
    }

    #[test]
    fn what_hosts_read_otherwise_is_refused() {
        for pattern in ["\\d+", "[\\w-]+", "\\p{L}", "[[:alpha:]]"] {
            assert_eq!(problem(pattern), EveryHostReads::CLASS, "{pattern}");
        }
        for pattern in ["\\bword", "(?i)a", "(?i:a)", "\\Aa"] {
            assert_eq!(problem(pattern), EveryHostReads::OTHER, "{pattern}");
        }
        assert_eq!(problem("("), "unclosed group");
        let large = Pattern::from("(a{900}){900}".to_owned());
        assert_eq!(large.problem(), None);
        assert!(large.too_large().is_some() && !large.is_match(&"a".repeat(900 * 900)));
    }
}
