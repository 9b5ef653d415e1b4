//! JSON values as people read them.

use action_core::bounded_to;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// How many characters of one value people are shown. JSON has all of it.
const LONGEST: usize = 200;

/// A value without the quotes that only JSON needs.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            if items.is_empty() {
                return "none".to_owned();
            }
            items.iter().map(text_of).collect::<Vec<_>>().join(", ")
        }
        Value::Object(members) if members.is_empty() => "none".to_owned(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}={}", text_of(value)));
            members.collect::<Vec<_>>().join(" ")
        }
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// A member's name and its value: sizes and times in units that people read, which the name then has
/// no need to say.
pub(crate) fn told<'n>(name: &'n str, value: &Value) -> (&'n str, String) {
    if let Some(bare) = name.strip_suffix("_bytes")
        && let Some(bytes) = value.as_u64()
    {
        return (bare, size(bytes));
    }
    if let Some(bare) = name.strip_suffix("_unix_ms")
        && let Some(at) = value
            .as_i64()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
    {
        return (bare, when(at));
    }
    (name, text_of(value))
}

pub(crate) fn pair((name, value): (&String, &Value)) -> Vec<String> {
    let (name, text) = told(name, value);
    vec![name.to_owned(), shortened(&text)]
}

/// Bytes in the largest unit of which there is one, to three digits or so.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut number = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        if number < 1024.0 {
            break;
        }
        number /= 1024.0;
        unit = larger;
    }
    match unit {
        "B" => format!("{bytes} B"),
        _ if number < 10.0 && number.fract() >= 0.05 => format!("{number:.1} {unit}"),
        _ => format!("{number:.0} {unit}"),
    }
}

/// A time to the second, as the clock on the wall shows it here, with how far that is from UTC.
pub(crate) fn when(at: Timestamp) -> String {
    when_in(at, TimeZone::system())
}

fn when_in(at: Timestamp, zone: TimeZone) -> String {
    at.to_zoned_datetime(zone)
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

/// No more of a text than fits on a few lines.
pub(crate) fn shortened(text: &str) -> String {
    bounded_to(text, LONGEST)
}

/// Whether a member's value is an id, which is never cut: whoever reads one asks for it next.
pub(crate) fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("_id")
}

/// Members as they are read: those that are named first, then ids, the plainest first, then the rest.
pub(crate) fn ordered<'m>(
    members: &'m Map<String, Value>,
    first: &[String],
) -> Vec<(&'m String, &'m Value)> {
    let mut all: Vec<_> = members.iter().collect();
    all.sort_by_key(|(name, _)| {
        let place = first.iter().position(|known| known == *name);
        let words = name.split('_').count();
        let ids = if is_id(name) { words } else { usize::MAX };
        (place.unwrap_or(usize::MAX), ids)
    });
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_and_times_are_in_units_that_people_read() {
        for (name, value, expected) in [
            ("free_bytes", json!(0), ("free", "0 B")),
            (
                "free_bytes",
                json!(1_099_511_627_776_u64),
                ("free", "1 TiB"),
            ),
            ("free_bytes", json!(1_717_986_918_u64), ("free", "1.6 GiB")),
            ("free_bytes", json!(u64::MAX), ("free", "16384 PiB")),
            ("free_bytes", json!("x"), ("free_bytes", "x")),
            (
                "at_unix_ms",
                json!(u64::MAX),
                ("at_unix_ms", "18446744073709551615"),
            ),
            ("keys", json!(3), ("keys", "3")),
        ] {
            let (bare, text) = told(name, &value);
            assert_eq!((bare, text.as_str()), expected);
        }
    }

    #[test]
    fn times_are_local_and_say_how_far_from_utc() {
        let at = "2026-11-30T01:02:03.9Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(-8));
        assert_eq!(when_in(at, zone), "2026-11-29T17:02:03-08:00");
        assert_eq!(when_in(at, TimeZone::UTC), "2026-11-30T01:02:03+00:00");
        let (name, text) = told("at_unix_ms", &json!(1_000));
        assert_eq!(
            (name, text),
            ("at", when(Timestamp::from_second(1).unwrap()))
        );
    }

    #[test]
    fn a_long_value_is_cut() {
        let text = shortened(&"x".repeat(1_000));
        assert_eq!(text.chars().count(), LONGEST + 1);
    }

    #[test]
    fn the_plainest_id_is_read_first() {
        let members = json!({"leader_store_id": 1, "region_id": 2, "exists": true, "state": 3});
        let names = |first: &[&str]| {
            let first: Vec<_> = first.iter().map(|name| (*name).to_owned()).collect();
            let all = ordered(members.as_object().unwrap(), &first);
            all.iter()
                .map(|(name, _)| name.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(&[]),
            ["region_id", "leader_store_id", "exists", "state"]
        );
        assert_eq!(
            names(&["state"]),
            ["state", "region_id", "leader_store_id", "exists"]
        );
    }
}
