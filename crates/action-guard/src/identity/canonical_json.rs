//! JSON as one sequence of bytes, for hashes and signatures.

use serde_json::{Number, Value};

/// The bytes of a JSON value that is equal, whoever writes them: names of members in order of
/// their bytes, integers in full, other numbers by their shortest digits and a power of ten,
/// nothing between.
///
/// Not RFC 8785, which makes 9007199254740993 and 9007199254740992 one number and so gives two
/// region ids one hash. Not `serde_json`'s own writing either: its order of members, its integers
/// and its digits depend on features that any crate in a program may switch on.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}

fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.extend(b"null"),
        Value::Bool(true) => bytes.extend(b"true"),
        Value::Bool(false) => bytes.extend(b"false"),
        Value::Number(number) => bytes.extend(digits(number).as_bytes()),
        Value::String(text) => quote(text, bytes),
        Value::Array(items) => {
            bytes.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                write(item, bytes);
            }
            bytes.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_bytes());
            bytes.push(b'{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                quote(name, bytes);
                bytes.push(b':');
                write(member, bytes);
            }
            bytes.push(b'}');
        }
    }
}

/// An integer in full; anything else with a power of ten, so that the two are never taken for
/// each other.
fn digits(number: &Number) -> String {
    if let Some(integer) = number.as_u64() {
        // `-0` reads as an integer where a number is kept as text, and as a float elsewhere.
        if integer > 0 || !number.to_string().starts_with('-') {
            return integer.to_string();
        }
    } else if let Some(integer) = number.as_i64()
        && integer != 0
    {
        return integer.to_string();
    }
    match number.as_f64() {
        Some(float) => format!("{float:e}"),
        // Kept as text, and beyond what a float can hold.
        None => number.to_string(),
    }
}

/// Escapes what JSON says must be, in one way, and nothing else.
fn quote(text: &str, bytes: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    bytes.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => bytes.extend([b'\\', byte]),
            0..0x20 => {
                let digit = |half: u8| HEX.get(usize::from(half)).copied().unwrap_or(b'0');
                bytes.extend(b"\\u00");
                bytes.extend([digit(byte >> 4), digit(byte & 15)]);
            }
            _ => bytes.push(byte),
        }
    }
    bytes.push(b'"');
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, bytes: &str) {
        assert_eq!(String::from_utf8(canonical(value)).unwrap(), bytes);
    }

    #[test]
    fn the_bytes_are_these() {
        check(
            &json!({"b": [1, null, true, false], "a": "x", "": {}, "B": []}),
            r#"{"":{},"B":[],"a":"x","b":[1,null,true,false]}"#,
        );
        check(&json!("a\"\\\n\u{7f}ü/"), "\"a\\\"\\\\\\u000a\u{7f}ü/\"");
        check(&json!("\u{1b}\u{1f}"), "\"\\u001b\\u001f\"");
        check(&json!(u64::MAX), "18446744073709551615");
        check(&json!(i64::MIN), "-9223372036854775808");
        check(&json!(0.8), "8e-1");
        check(&json!(1.0), "1e0");
        check(&json!(-0.0), "-0e0");
        check(&json!(0.0), "0e0");
        check(&json!(0), "0");
        check(&json!(1.5e300), "1.5e300");
    }

    #[test]
    fn neighbouring_large_ids_stay_two() {
        let (one, other) = (
            json!(9_007_199_254_740_993_u64),
            json!(9_007_199_254_740_992_u64),
        );
        assert_ne!(canonical(&one), canonical(&other));
    }

    /// Any JSON value of a bounded size.
    pub(crate) fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// A JSON value so small that two of them are often equal, or written almost alike.
    fn small_json() -> impl Strategy<Value = Value> {
        let leaf = prop::sample::select(vec![
            json!(null),
            json!("null"),
            json!(1),
            json!(1.0),
            json!("1"),
            json!(""),
            json!("\""),
            json!("\\"),
        ]);
        leaf.prop_recursive(2, 4, 2, |inner| {
            let name = prop::sample::select(vec!["", "a", "1"]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..3).prop_map(|members| {
                    let members = members.into_iter();
                    Value::Object(
                        members
                            .map(|(name, value)| (name.to_owned(), value))
                            .collect(),
                    )
                }),
            ]
        })
    }

    /// The same value with the members of every object put in the other way round, which is
    /// another order where objects keep theirs.
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(reversed).collect(),
            Value::Object(members) => {
                let members = members.iter().rev();
                Value::Object(
                    members
                        .map(|(name, value)| (name.clone(), reversed(value)))
                        .collect(),
                )
            }
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn the_bytes_are_json_of_the_same_value(value in any_json()) {
            let back: Value = serde_json::from_slice(&canonical(&value)).unwrap();
            prop_assert_eq!(canonical(&back), canonical(&value));
            prop_assert_eq!(back, value);
        }

        #[test]
        fn writing_reading_and_order_change_nothing(value in any_json()) {
            let bytes = canonical(&value);
            let pretty: Value =
                serde_json::from_str(&serde_json::to_string_pretty(&value).unwrap()).unwrap();
            prop_assert_eq!(&canonical(&pretty), &bytes);
            prop_assert_eq!(&canonical(&reversed(&value)), &bytes);
        }

        #[test]
        fn values_that_differ_have_bytes_that_differ(one in small_json(), other in small_json()) {
            prop_assert_eq!(one == other, canonical(&one) == canonical(&other));
        }
    }
}
