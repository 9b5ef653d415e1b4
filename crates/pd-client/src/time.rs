//! Times and durations as PD prints them.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde::{Deserialize, Deserializer};

/// `Tue, 24 Nov 2026 05:22:02 GMT`.
pub(crate) fn http_date(text: &str) -> Option<SystemTime> {
    let time = DateTimeParser::new().parse_timestamp(text).ok()?;
    time.try_into().ok()
}

/// `2026-11-24 05:22:02.50384956 +0000 UTC m=+19.990490869`; Go's zero time is none.
pub(crate) fn go_time(text: &str) -> Option<SystemTime> {
    let mut words = text.split(' ');
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    rfc3339(&format!("{date}T{time}{zone}"))
}

/// `2026-11-24T05:20:45Z`; Go's zero time is none.
pub(crate) fn rfc3339(text: &str) -> Option<SystemTime> {
    let time: Timestamp = text.parse().ok()?;
    // Go's zero time is in the year 1, and a store that never said shows 1970.
    if time <= Timestamp::UNIX_EPOCH {
        return None;
    }
    time.try_into().ok()
}

/// `1m0s`, `72h3m0.5s`, `153.756931ms`.
pub(crate) fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let nanoseconds: u64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        total = total.checked_add(scaled(number, nanoseconds)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

/// A decimal number of units, exactly.
fn scaled(number: &str, nanoseconds: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = Duration::from_nanos(whole.parse::<u64>().ok()?.checked_mul(nanoseconds)?);
    if fraction.is_empty() {
        return Some(whole);
    }
    let places = u32::try_from(fraction.len()).ok()?;
    let part = fraction
        .parse::<u128>()
        .ok()?
        .checked_mul(u128::from(nanoseconds))?;
    let part = part.checked_div(10_u128.checked_pow(places)?)?;
    whole.checked_add(Duration::from_nanos(u64::try_from(part).ok()?))
}

/// Unix nanoseconds, 0 or less for none.
pub(crate) fn unix_ns(nanoseconds: i64) -> Option<SystemTime> {
    let nanoseconds = u64::try_from(nanoseconds).ok().filter(|ns| *ns > 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))
}

/// Unix seconds, 0 or less for none.
pub(crate) fn unix_s(seconds: i64) -> Option<SystemTime> {
    let seconds = u64::try_from(seconds).ok().filter(|s| *s > 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// For fields that hold an RFC 3339 time, or nothing usable.
pub(crate) fn deserialize_rfc3339<'de, D>(deserializer: D) -> Result<Option<SystemTime>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.as_deref().and_then(rfc3339))
}

/// For fields that hold unix nanoseconds.
pub(crate) fn deserialize_unix_ns<'de, D>(deserializer: D) -> Result<Option<SystemTime>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Option::<i64>::deserialize(deserializer)?.and_then(unix_ns))
}

/// For fields that hold unix seconds.
pub(crate) fn deserialize_unix_s<'de, D>(deserializer: D) -> Result<Option<SystemTime>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Option::<i64>::deserialize(deserializer)?.and_then(unix_s))
}

/// For fields that hold a Go duration.
pub(crate) fn deserialize_duration<'de, D>(deserializer: D) -> Result<Option<Duration>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.as_deref().and_then(go_duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_nanoseconds() {
        let time = go_time("2026-11-24 05:22:02.50384956 +0000 UTC m=+19.990490869").unwrap();
        assert_eq!(rfc3339("2026-11-24T05:22:02.50384956Z"), Some(time));
        let elsewhere = go_time("2026-11-24 13:22:02.50384956 +0800 CST").unwrap();
        assert_eq!(elsewhere, time);
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since.subsec_nanos(), 503_849_560);
        assert_eq!(
            http_date("Tue, 24 Nov 2026 05:22:02 GMT").unwrap() + Duration::from_nanos(503_849_560),
            time
        );
    }

    #[test]
    fn gos_zero_time_is_none() {
        assert_eq!(go_time("0001-01-01 00:00:00 +0000 UTC"), None);
        assert_eq!(rfc3339("0001-01-01T00:00:00Z"), None);
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn durations_are_exact() {
        assert_eq!(go_duration("17m0s"), Some(Duration::from_secs(1020)));
        assert_eq!(
            go_duration("153.756931ms"),
            Some(Duration::from_nanos(153_756_931))
        );
        assert_eq!(
            go_duration("72h3m0.5s"),
            Some(Duration::from_millis(259_380_500))
        );
        assert_eq!(go_duration("1.5µs"), Some(Duration::from_nanos(1500)));
        for wrong in ["", "5", "m", "1x", "1.2.3s"] {
            assert_eq!(go_duration(wrong), None, "{wrong}");
        }
    }
}
