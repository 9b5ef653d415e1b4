//! Ids as PD hands them out, each its own type.
//!
//! PD reads the numbers of a request body as 64-bit floats: an id above 2^53 − 1 reaches another
//! region than the one meant, and a fraction is cut off. [`RegionId`], [`StoreId`] and [`PeerId`]
//! therefore hold 1 to 2^53 − 1 and nothing else. [`ClusterId`] and [`MemberId`] are only ever
//! read; they use all 64 bits and are written as text in JSON.

use std::fmt;
use std::str::FromStr;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest id PD reads exactly, 2^53 − 1.
pub const MAX_ID: u64 = (1 << 53) - 1;

/// A number or text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// PD uses 0 for "none".
    #[error("invalid {what} 0: ids start at 1")]
    Zero {
        /// Which kind of id was wanted.
        what: &'static str,
    },

    /// There is no such id, or PD would read it as another.
    #[error("invalid {what} {given}: the largest is {largest}{}", reason(*largest))]
    TooLarge {
        /// Which kind of id was wanted.
        what: &'static str,
        /// What was given.
        given: String,
        /// The largest id of this kind.
        largest: u64,
    },

    /// The text is not a decimal number written the one usual way.
    #[error(
        "invalid {what} {given:?}: use decimal digits only, without sign, spaces or leading zeros"
    )]
    NotDecimal {
        /// Which kind of id was wanted.
        what: &'static str,
        /// What was given.
        given: String,
    },
}

fn reason(largest: u64) -> &'static str {
    if largest == MAX_ID {
        ", because PD reads larger numbers as 64-bit floats and rounds them"
    } else {
        ""
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $what:literal, $largest:expr, $serialize:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            const WHAT: &'static str = $what;

            /// The id with this number.
            ///
            /// # Errors
            /// When the number is 0 or larger than this kind of id can be.
            #[allow(clippy::absurd_extreme_comparisons, reason = "some ids use all 64 bits")]
            pub fn new(id: u64) -> Result<Self, IdError> {
                match id {
                    0 => Err(IdError::Zero { what: Self::WHAT }),
                    id if id > $largest => Err(too_large(Self::WHAT, &id.to_string(), $largest)),
                    id => Ok(Self(id)),
                }
            }

            /// The number of this id.
            #[must_use]
            pub fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(decimal(text, Self::WHAT, $largest)?)
            }
        }

        impl TryFrom<u64> for $name {
            type Error = IdError;

            fn try_from(id: u64) -> Result<Self, IdError> {
                Self::new(id)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $serialize(self.0, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let id = deserializer.deserialize_any(NumberOrText { what: Self::WHAT, largest: $largest })?;
                Self::new(id).map_err(serde::de::Error::custom)
            }
        }

        impl Id for $name {
            fn checked(id: u64) -> Result<Self, IdError> {
                Self::new(id)
            }
        }
    )*};
}

ids! {
    /// A region: a range of keys with its replicas.
    RegionId = "region id", MAX_ID, number;
    /// A store: one TiKV or TiFlash process with its data.
    StoreId = "store id", MAX_ID, number;
    /// A peer: one replica of one region on one store.
    PeerId = "peer id", MAX_ID, number;
    /// A cluster. Larger than 2^53 as a rule, so it is text in our JSON.
    ClusterId = "cluster id", u64::MAX, text;
    /// A member of PD. Larger than 2^53 as a rule, so it is text in our JSON.
    MemberId = "member id", u64::MAX, text;
}

/// Reads an id that PD leaves out, or writes as 0 or `null`, when there is none.
pub(crate) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Id,
{
    match Option::<u64>::deserialize(deserializer)? {
        None | Some(0) => Ok(None),
        Some(id) => T::checked(id).map(Some).map_err(serde::de::Error::custom),
    }
}

/// What [`optional`] needs to know of an id.
pub(crate) trait Id: Sized {
    /// The id with this number.
    fn checked(id: u64) -> Result<Self, IdError>;
}

/// Reads the one usual decimal form: `7`, but not `07`, `+7`, ` 7` or nothing.
fn decimal(text: &str, what: &'static str, largest: u64) -> Result<u64, IdError> {
    let not_decimal = || IdError::NotDecimal {
        what,
        given: shortened(text),
    };
    let digits_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits_only || (text.len() > 1 && text.starts_with('0')) {
        return Err(not_decimal());
    }
    // All digits, so the only failure left is more than 64 bits.
    text.parse()
        .map_err(|_| too_large(what, &shortened(text), largest))
}

fn too_large(what: &'static str, given: &str, largest: u64) -> IdError {
    IdError::TooLarge {
        what,
        given: given.to_owned(),
        largest,
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

fn number<S: Serializer>(id: u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(id)
}

fn text<S: Serializer>(id: u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&id)
}

struct NumberOrText {
    what: &'static str,
    largest: u64,
}

impl Visitor<'_> for NumberOrText {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a {} as a whole number or as its decimal digits",
            self.what
        )
    }

    fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<u64, E> {
        Ok(id)
    }

    fn visit_i64<E: serde::de::Error>(self, id: i64) -> Result<u64, E> {
        u64::try_from(id).map_err(|_| E::invalid_value(Unexpected::Signed(id), &self))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u64, E> {
        decimal(text, self.what, self.largest).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let error = text.parse::<RegionId>().unwrap_err().to_string();
        assert!(error.contains(why), "{text:?}: {error}");
    }

    #[test]
    fn text_that_is_not_canonical_is_refused_with_what_is_right() {
        for text in ["", "abc", " 7", "7 ", "+7", "-7", "07", "7.0", "0x7", "７"] {
            refused(text, "decimal digits only");
        }
        refused("0", "ids start at 1");
        refused("9007199254740992", "64-bit floats");
        refused("99999999999999999999999", "64-bit floats");
    }

    #[test]
    fn ids_end_where_a_float_ends() {
        assert_eq!(RegionId::new(MAX_ID).unwrap().get(), 9_007_199_254_740_991);
        assert!(matches!(
            RegionId::new(MAX_ID + 1),
            Err(IdError::TooLarge { .. })
        ));
        assert!(matches!(StoreId::new(0), Err(IdError::Zero { .. })));
        assert_eq!(ClusterId::new(u64::MAX).unwrap().get(), u64::MAX);
    }

    #[test]
    fn json_numbers_and_digits_are_the_same_id() {
        let twelve = StoreId::new(12).unwrap();
        assert_eq!(serde_json::from_str::<StoreId>("12").unwrap(), twelve);
        assert_eq!(serde_json::from_str::<StoreId>("\"12\"").unwrap(), twelve);
        assert_eq!(serde_json::to_string(&twelve).unwrap(), "12");
        for wrong in [
            "\" 7\"",
            "0",
            "-1",
            "9.5",
            "1e3",
            "9007199254740992",
            "null",
            "[1]",
        ] {
            assert!(serde_json::from_str::<StoreId>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_beyond_a_double_are_text_in_our_json() {
        let id = ClusterId::new(7_711_603_923_253_717_543).unwrap();
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            "\"7711603923253717543\""
        );
        assert_eq!(
            serde_json::from_str::<ClusterId>("7711603923253717543").unwrap(),
            id
        );
        assert_eq!(
            serde_json::from_str::<ClusterId>("\"7711603923253717543\"").unwrap(),
            id
        );
    }

    #[test]
    fn ids_are_map_keys() {
        let map: std::collections::BTreeMap<StoreId, u8> =
            serde_json::from_str(r#"{"4":1,"3":2}"#).unwrap();
        assert_eq!(map.keys().map(|id| id.get()).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"3":2,"4":1}"#);
    }
}
