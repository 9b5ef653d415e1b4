//! Ids of members and clusters: decimal text on the wire, hexadecimal for people, as etcdctl and
//! etcd's log have them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// A member's id, in hexadecimal as `etcdctl member list` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub(crate) u64);

/// Something that is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid id: use 1 to 16 lower-case hexadecimal digits, as `etcdctl member list` shows them"
)]
pub struct NotAnId;

impl FromStr for MemberId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let id = u64::from_str_radix(text, 16).map_err(|_| NotAnId)?;
        let id = Self(id);
        // No sign, no zeros before it, no capitals: each id has one form.
        (id.0 > 0 && id.to_string() == text)
            .then_some(id)
            .ok_or(NotAnId)
    }
}

impl MemberId {
    /// The body of a call that is about this member alone.
    pub(crate) fn body(self) -> Value {
        json!({ "ID": self.0.to_string() })
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl Serialize for MemberId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MemberId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for MemberId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MemberId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[1-9a-f][0-9a-f]{0,15}$",
            "x-expected": "a member's id: 1 to 16 lower-case hexadecimal digits",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::MemberId;

    #[test]
    fn an_id_has_one_form() {
        let id: MemberId = "b68835b7d1e9cca8".parse().unwrap();
        assert_eq!(id.to_string(), "b68835b7d1e9cca8");
        for wrong in ["", "0", "01", "+1", "0x1", "B6", "g", "11112222333344445"] {
            assert!(wrong.parse::<MemberId>().is_err(), "{wrong}");
        }
    }
}
