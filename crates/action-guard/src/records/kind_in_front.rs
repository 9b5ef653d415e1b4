//! Reads a record by its kind, which is written in front: what follows is read once, and not kept
//! aside until the kind is found.

use std::fmt;

use serde::de::value::{EnumAccessDeserializer, MapAccessDeserializer};
use serde::de::{
    DeserializeSeed, EnumAccess, Error as _, IntoDeserializer as _, MapAccess, VariantAccess,
    Visitor,
};
use serde::{Deserialize, Deserializer};

use crate::records::{KindAnywhere, KindInFront, Record};

/// The member that says what a record is.
const KIND: &str = "kind";

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Record, A::Error> {
        match members.next_key::<String>()? {
            None => Err(A::Error::missing_field(KIND)),
            Some(first) if first == KIND => {
                KindInFront::deserialize(EnumAccessDeserializer::new(InFront(members)))
            }
            first => {
                let members = Anywhere { first, members };
                KindAnywhere::deserialize(MapAccessDeserializer::new(members))
            }
        }
    }
}

/// Members behind the name of the first, which is the kind.
struct InFront<A>(A);

impl<'de, A: MapAccess<'de>> EnumAccess<'de> for InFront<A> {
    type Error = A::Error;
    type Variant = Rest<A>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        mut self,
        seed: V,
    ) -> Result<(V::Value, Rest<A>), A::Error> {
        let kind = self.0.next_value_seed(seed)?;
        Ok((kind, Rest(self.0)))
    }
}

/// The members behind the kind, which is not among them again.
struct Rest<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.0.next_key::<String>()? {
            None => Ok(None),
            Some(name) if name == KIND => Err(A::Error::duplicate_field(KIND)),
            Some(name) => seed.deserialize(name.into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}

impl<'de, A: MapAccess<'de>> VariantAccess<'de> for Rest<A> {
    type Error = A::Error;

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_map(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        seed.deserialize(MapAccessDeserializer::new(self))
    }

    fn unit_variant(self) -> Result<(), A::Error> {
        Err(A::Error::custom("a record has members"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, A::Error> {
        Err(A::Error::custom("the members of a record have names"))
    }
}

/// All members, the name of the first of which was read.
struct Anywhere<A> {
    first: Option<String>,
    members: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Anywhere<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(first) => seed.deserialize(first.into_deserializer()).map(Some),
            None => self.members.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.members.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The record, or what is wrong with it.
    fn read(json: &str) -> Result<Record, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn check_refused(json: &str, why: &str) {
        let error = read(json).unwrap_err();
        assert!(error.contains(why), "{json}: {error}");
    }

    #[test]
    fn the_kind_is_found_wherever_it_stands() {
        let killed = Record::Killed {
            target: None,
            by: "user:ana".parse().unwrap(),
            reason: "smoke".to_owned(),
        };
        let [kind, by, reason] = [
            r#""kind":"killed""#,
            r#""by":"user:ana""#,
            r#""reason":"smoke""#,
        ];
        for order in [
            [kind, by, reason],
            [by, kind, reason],
            [by, reason, kind],
            [r#""ki\u006ed":"killed""#, by, reason],
        ] {
            let json = format!("{{{}}}", order.join(","));
            assert_eq!(read(&json), Ok(killed.clone()), "{json}");
            let more = json.replacen('{', r#"{"later":[1],"#, 1);
            assert_eq!(read(&more), Ok(killed.clone()), "{more}");
            let more = json.replace('}', r#","later":{"a":1}}"#);
            assert_eq!(read(&more), Ok(killed.clone()), "{more}");
        }
        let written = serde_json::to_string(&killed).unwrap();
        assert!(written.starts_with(r#"{"kind":"killed","#), "{written}");
    }

    #[test]
    fn nothing_is_there_twice_and_nothing_is_missing() {
        let by = r#""by":"user:ana","reason":"smoke""#;
        let twice = "duplicate field `kind`";
        check_refused(
            &format!(r#"{{"kind":"killed",{by},"kind":"reset"}}"#),
            twice,
        );
        check_refused(
            &format!(r#"{{"kind":"killed","kind":"killed",{by}}}"#),
            twice,
        );
        check_refused(
            &format!(r#"{{{by},"kind":"killed","kind":"killed"}}"#),
            twice,
        );
        let twice = "duplicate field `reason`";
        check_refused(
            &format!(r#"{{"kind":"killed",{by},"reason":"fire"}}"#),
            twice,
        );
        check_refused(
            &format!(r#"{{{by},"reason":"fire","kind":"killed"}}"#),
            twice,
        );
        check_refused(&format!("{{{by}}}"), "missing field `kind`");
        check_refused("{}", "missing field `kind`");
        check_refused(
            r#"{"kind":"killed","by":"user:ana"}"#,
            "missing field `reason`",
        );
        for kind in [r#""kill""#, "7", "null", r#"{"killed":1}"#] {
            for json in [
                format!(r#"{{"kind":{kind},{by}}}"#),
                format!(r#"{{{by},"kind":{kind}}}"#),
            ] {
                assert!(read(&json).is_err(), "{json}");
            }
        }
        check_refused(r#""killed""#, "a record");
        check_refused(r#"["killed","user:ana","smoke"]"#, "a record");
    }
}
