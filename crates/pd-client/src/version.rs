//! Versions of PD and stores.

use std::cmp::Ordering;
use std::fmt;

pub use capabilities::Capability;

mod capabilities;

/// A version such as `v8.5.7` or `v9.0.0-beta.2`. One of another shape is kept and compares to
/// nothing but itself.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
    parts: Option<Parts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    numbers: (u64, u64, u64),
    /// What follows the hyphen; a version without is later than one with.
    pre: Option<String>,
}

impl Version {
    /// A version of three numbers, to compare with.
    #[must_use]
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        let parts = Parts {
            numbers: (major, minor, patch),
            pre: None,
        };
        Self {
            text: format!("v{major}.{minor}.{patch}"),
            parts: Some(parts),
        }
    }

    /// Reads a version, with or without the `v`.
    #[must_use]
    pub fn parse(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            parts: Parts::parse(&text),
            text,
        }
    }

    /// Major, minor and patch number; `None` when the text is not a version.
    #[must_use]
    pub fn numbers(&self) -> Option<(u64, u64, u64)> {
        self.parts.as_ref().map(|parts| parts.numbers)
    }

    /// PD's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Parts {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        // Build metadata says nothing about the order.
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre.to_owned())),
            None => (text, None),
        };
        let mut numbers = numbers.split('.').map(|number| number.parse().ok());
        let three = (numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(Self {
            numbers: three,
            pre,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (&self.parts, &other.parts) {
            (Some(ours), Some(theirs)) => {
                let pre = || match (&ours.pre, &theirs.pre) {
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) => Ordering::Greater,
                    (Some(_), None) => Ordering::Less,
                    (Some(ours), Some(theirs)) => ours.cmp(theirs),
                };
                Some(ours.numbers.cmp(&theirs.numbers).then_with(pre))
            }
            _ => (self.text == other.text).then_some(Ordering::Equal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        let sorted = [
            "v6.5.12",
            "7.5.7",
            "v8.5.7",
            "v8.10.0",
            "v9.0.0-beta.1",
            "v9.0.0-beta.2",
            "v9.0.0",
        ];
        for pair in sorted.windows(2) {
            assert!(
                Version::parse(pair[0]) < Version::parse(pair[1]),
                "{pair:?}"
            );
        }
        assert_eq!(Version::parse("8.5.7"), Version::new(8, 5, 7));
        assert!(Version::parse("v8.5.7") >= Version::new(8, 0, 0));
    }

    #[test]
    fn unknown_versions_are_kept_and_compare_to_nothing() {
        for text in ["None", "", "v8", "v8.5", "v8.5.7.1", "vx.y.z"] {
            let version = Version::parse(text);
            assert_eq!(version.as_str(), text);
            assert_eq!(version.numbers(), None);
            assert_eq!(version.partial_cmp(&Version::new(8, 5, 7)), None);
            assert_eq!(version, Version::parse(text));
        }
    }
}
