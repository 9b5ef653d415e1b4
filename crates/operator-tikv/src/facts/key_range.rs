//! A range of keys, and how ranges touch, split and join.

use std::fmt;

use pd_client::regions::Region;
use serde::{Deserialize, Serialize};

/// A range of keys in upper-case hexadecimal, as PD shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyRange {
    /// The first key, empty when unbounded.
    pub start_key: String,
    /// The key after the last, empty when unbounded.
    pub end_key: String,
}

impl KeyRange {
    pub(crate) fn of(region: &Region) -> Self {
        Self {
            start_key: region.start_key.clone(),
            end_key: region.end_key.clone(),
        }
    }

    /// Whether it is a smaller part of another.
    pub(crate) fn is_part_of(&self, whole: &Self) -> bool {
        self != whole
            && self.start_key >= whole.start_key
            && (whole.end_key.is_empty()
                || (!self.end_key.is_empty() && self.end_key <= whole.end_key))
    }

    /// What is left of it when a part is taken out.
    pub(crate) fn besides(&self, part: &Self) -> Vec<Self> {
        let mut rest = Vec::new();
        if part.start_key != self.start_key {
            rest.push(Self {
                start_key: self.start_key.clone(),
                end_key: part.start_key.clone(),
            });
        }
        if part.end_key != self.end_key {
            rest.push(Self {
                start_key: part.end_key.clone(),
                end_key: self.end_key.clone(),
            });
        }
        rest
    }

    /// Whether a split at a key leaves something on both sides.
    pub(crate) fn is_cut_by(&self, key: &str) -> bool {
        let key = key.to_ascii_uppercase();
        key > self.start_key && (self.end_key.is_empty() || key < self.end_key)
    }

    /// Where it touches another: the key between the two.
    pub(crate) fn boundary<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        if self.end_key == other.start_key && !self.end_key.is_empty() {
            Some(&self.end_key)
        } else if other.end_key == self.start_key && !self.start_key.is_empty() {
            Some(&self.start_key)
        } else {
            None
        }
    }

    /// Both together, when they touch.
    pub(crate) fn joined(&self, other: &Self) -> Option<Self> {
        let (first, second) = match self.boundary(other)? {
            key if key == self.end_key && key == other.start_key => (self, other),
            _ => (other, self),
        };
        Some(Self {
            start_key: first.start_key.clone(),
            end_key: second.end_key.clone(),
        })
    }
}

impl fmt::Display for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.start_key, self.end_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &str, end: &str) -> KeyRange {
        KeyRange {
            start_key: start.to_owned(),
            end_key: end.to_owned(),
        }
    }

    #[test]
    fn parts_are_within_and_smaller() {
        let whole = range("10", "30");
        assert!(range("10", "20").is_part_of(&whole));
        assert!(range("20", "30").is_part_of(&whole));
        assert!(!whole.is_part_of(&whole));
        assert!(!range("10", "").is_part_of(&whole));
        assert!(!range("00", "20").is_part_of(&whole));
        assert!(range("", "20").is_part_of(&range("", "")));
        assert_eq!(
            whole.besides(&range("15", "20")),
            [range("10", "15"), range("20", "30")]
        );
        assert_eq!(whole.besides(&range("10", "20")), [range("20", "30")]);
    }

    #[test]
    fn neighbours_touch_at_a_key() {
        let (left, right) = (range("", "20"), range("20", ""));
        assert_eq!(left.boundary(&right), Some("20"));
        assert_eq!(right.boundary(&left), Some("20"));
        assert_eq!(left.joined(&right), Some(range("", "")));
        assert_eq!(right.joined(&left), Some(range("", "")));
        // The first and the last region do not touch at the unbounded key.
        assert_eq!(range("20", "").boundary(&range("", "10")), None);
        assert!(left.is_cut_by("1f") && !left.is_cut_by("20") && !left.is_cut_by(""));
    }
}
