//! A table of a policy, read key by key so that what is left over is unknown.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::actor_pattern;
use crate::policy::keys::Keys;
use crate::policy::pattern::Pattern;
use crate::policy::problem::{PolicyProblem, did_you_mean, place};

/// The text of a policy, and what is wrong with it so far.
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    problems: RefCell<Vec<PolicyProblem>>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            problems: RefCell::default(),
        }
    }

    /// Notes a problem at a byte.
    pub(super) fn wrong(&self, offset: usize, message: impl Into<String>) {
        let problem = PolicyProblem::at(self.text, offset, message);
        self.problems.borrow_mut().push(problem);
    }

    /// Notes a problem that has its place.
    pub(super) fn note(&self, problem: PolicyProblem) {
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn problems(self) -> Vec<PolicyProblem> {
        self.problems.into_inner()
    }
}

/// One table.
pub(super) struct Section<'s> {
    source: &'s Source<'s>,
    /// What it is, for people, and what it may hold.
    keys: &'static Keys,
    pub(super) offset: usize,
    table: &'s DeTable<'s>,
    /// The keys that were asked for: all there are.
    known: RefCell<Vec<&'static str>>,
}

/// A value with its place.
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) offset: usize,
}

impl<'s> Section<'s> {
    pub(super) fn new(
        source: &'s Source<'s>,
        keys: &'static Keys,
        offset: usize,
        table: &'s DeTable<'s>,
    ) -> Self {
        Self {
            source,
            keys,
            offset,
            table,
            known: RefCell::default(),
        }
    }

    /// The line on which it begins.
    pub(super) fn line(&self) -> usize {
        place(self.source.text, self.offset).0
    }

    /// Notes a problem of the whole table.
    pub(super) fn wrong(&self, message: impl Into<String>) {
        self.source.wrong(self.offset, message);
    }

    /// Notes all keys that nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.into_inner();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let hint = did_you_mean(name, &known)
                .unwrap_or_else(|| format!("; known are `{}`", known.join("`, `")));
            let message = format!("unknown key `{name}` in {}{hint}", self.keys.what);
            self.source.wrong(key.span().start, message);
        }
    }

    fn get(&self, key: &'static str) -> Option<&'s Spanned<DeValue<'s>>> {
        // What is not in the list is not read, so that the list is all there is.
        self.keys.keys.iter().find(|(name, ..)| *name == key)?;
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
        self.table.get(key)
    }

    /// Whether a key is given.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    /// A text that must be there and say something.
    pub(super) fn required(&self, key: &'static str) -> Option<At<&'s str>> {
        let text = self.text(key);
        if text.is_none() && self.table.get(key).is_none() {
            self.wrong(format!("{} needs `{key}`", self.keys.what));
        }
        text
    }

    pub(super) fn text(&self, key: &'static str) -> Option<At<&'s str>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Some(At {
                value: text,
                offset: value.span().start,
            }),
            DeValue::String(_) => self.mistyped(key, value, "is empty"),
            _ => self.mistyped(key, value, "must be a string"),
        }
    }

    /// A text or a list of texts.
    pub(super) fn texts(&self, key: &'static str) -> Vec<At<&'s str>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let items = match value.get_ref() {
            DeValue::Array(items) if items.iter().next().is_some() => items.iter().collect(),
            DeValue::Array(_) => {
                self.mistyped::<()>(key, value, "is an empty list, which matches nothing");
                return Vec::new();
            }
            _ => vec![value],
        };
        items
            .into_iter()
            .filter_map(|item| match item.get_ref() {
                DeValue::String(text) if !text.is_empty() => Some(At {
                    value: &**text,
                    offset: item.span().start,
                }),
                _ => self.mistyped(
                    key,
                    item,
                    "must be a string or a list of strings, none of them empty",
                ),
            })
            .collect()
    }

    pub(super) fn patterns(&self, key: &'static str) -> Vec<Pattern> {
        let texts = self.texts(key);
        texts.iter().map(|text| self.pattern(text)).collect()
    }

    pub(super) fn pattern(&self, text: &At<&str>) -> Pattern {
        let (line, column) = place(self.source.text, text.offset);
        Pattern {
            text: text.value.to_owned(),
            line,
            column,
        }
    }

    /// Patterns over actors, each of which can match somebody.
    pub(super) fn actors(&self, key: &'static str) -> Vec<Pattern> {
        let patterns = self.patterns(key);
        for pattern in &patterns {
            if let Some(message) = actor_pattern::problem(&pattern.text) {
                self.source.note(pattern.problem(message));
            }
        }
        patterns
    }

    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.mistyped(key, value, "must be true or false"),
        }
    }

    /// A whole number, not negative.
    pub(super) fn number(&self, key: &'static str) -> Option<At<u64>> {
        let value = self.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok());
        match number {
            Some(number) => Some(At {
                value: number,
                offset: value.span().start,
            }),
            None => self.mistyped(key, value, "must be a whole number of 0 or more"),
        }
    }

    /// A text that stands for something.
    pub(super) fn read<T>(
        &self,
        text: Option<At<&str>>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = text?;
        match read(text.value) {
            Ok(value) => Some(value),
            Err(message) => {
                self.source.wrong(text.offset, message);
                None
            }
        }
    }

    /// A table or a list of tables.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'s>> {
        let found = self.keys.tables.iter().find(|(name, _)| *name == key);
        let (Some(value), Some((_, keys))) = (self.get(key), found) else {
            return Vec::new();
        };
        let items = match value.get_ref() {
            DeValue::Array(items) if items.iter().next().is_some() => items.iter().collect(),
            DeValue::Array(_) => {
                let problem = "is an empty list: leave it out";
                self.mistyped::<()>(key, value, problem);
                return Vec::new();
            }
            _ => vec![value],
        };
        items
            .into_iter()
            .filter_map(|item| match item.get_ref() {
                DeValue::Table(table) => {
                    Some(Section::new(self.source, keys, item.span().start, table))
                }
                _ => self.mistyped(key, item, "must be a table"),
            })
            .collect()
    }

    fn mistyped<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, problem: &str) -> Option<T> {
        let message = format!("`{key}` of {} {problem}", self.keys.what);
        self.source.wrong(value.span().start, message);
        None
    }
}
