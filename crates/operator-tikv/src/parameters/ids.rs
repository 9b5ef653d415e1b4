//! Ids as parameters: in a schema of one form each, and taken in either.

use std::borrow::Cow;
use std::fmt;

use pd_client::IdError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! id_parameter {
    ($(#[$doc:meta])* $name:ident, $serialize:ident, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pd_client::$name);

        impl $name {
            /// The id with this number.
            ///
            /// # Errors
            /// When the number is 0 or above 2^53 − 1.
            pub fn new(id: u64) -> Result<Self, IdError> {
                pd_client::$name::new(id).map(Self)
            }

            /// Its number.
            #[must_use]
            pub fn get(self) -> u64 {
                self.0.get()
            }

            pub(crate) fn pd(self) -> pd_client::$name {
                self.0
            }
        }

        impl From<pd_client::$name> for $name {
            fn from(id: pd_client::$name) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.get().fmt(f)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $serialize(self.get(), serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let id = deserializer.deserialize_any(EitherForm)?;
                Self::new(id).map_err(D::Error::custom)
            }
        }
    };
}

id_parameter! {
    /// A region's id: an integer in JSON, and also taken as decimal text.
    RegionId, as_integer, {
        "type": "integer",
        "minimum": 1,
        "maximum": 9_007_199_254_740_991_u64,
        "x-also-accepts": "string",
    }
}

id_parameter! {
    /// A store's id: decimal text in JSON, and also taken as an integer.
    StoreId, as_text, {
        "type": "string",
        "pattern": "^[1-9][0-9]{0,15}$",
        "x-also-accepts": "integer",
        "x-expected": "a store id: decimal digits without leading zeros, 1 to 9007199254740991",
    }
}

fn as_integer<S: Serializer>(id: u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(id)
}

fn as_text<S: Serializer>(id: u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&id)
}

/// An integer, or the same in decimal text.
struct EitherForm;

impl Visitor<'_> for EitherForm {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id from 1 to 9007199254740991, without sign, spaces or leading zeros")
    }

    fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<u64, E> {
        Ok(id)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u64, E> {
        let usual = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        let id = text.parse().ok().filter(|_| usual);
        id.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}
