//! Times, durations, sizes and numbers, printed the way Go prints them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

use crate::clock::Time;

/// A time as operator texts print it: `time.Time.String` with the monotonic reading.
///
/// `process_start` is where the monotonic clock began. A time that was never set prints as year 1.
pub(crate) fn go_time(time: Option<Time>, process_start: Time) -> String {
    let Some(time) = time else {
        return "0001-01-01 00:00:00 +0000 UTC".to_owned();
    };
    let offset = time.unix_nanos() - process_start.unix_nanos();
    let sign = if offset < 0 { '-' } else { '+' };
    let offset = offset.unsigned_abs();
    format!(
        "{} {}{} +0000 UTC m={sign}{}.{:09}",
        date(time),
        clock(time),
        fraction(time.subsec_nanos()),
        offset / 1_000_000_000,
        offset % 1_000_000_000,
    )
}

/// RFC 3339 with as many fractional digits as are needed.
pub(crate) fn rfc3339(time: Time) -> String {
    format!(
        "{}T{}{}Z",
        date(time),
        clock(time),
        fraction(time.subsec_nanos())
    )
}

/// Reads what [`rfc3339`] prints, with any offset.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Time> {
    let timestamp: Timestamp = text.parse().ok()?;
    i64::try_from(timestamp.as_nanosecond())
        .ok()
        .map(Time::from_unix_nanos)
}

/// The form HTTP's `Date` header has.
pub(crate) fn http_date(time: Time) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let civil = civil(time);
    let index = |ordinal: i8| usize::try_from(ordinal).unwrap_or(0);
    format!(
        "{}, {:02} {} {:04} {} GMT",
        DAYS[index(civil.weekday().to_monday_zero_offset())],
        civil.day(),
        MONTHS[index(civil.month() - 1)],
        civil.year(),
        clock(time),
    )
}

/// `time.Duration.String`: `17m0s`, `154.045325ms`, `498749h20m10.5s`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let trimmed = |value: u128, unit: u128, digits: usize| {
        let rest = format!("{:0digits$}", value % unit);
        let rest = rest.trim_end_matches('0');
        if rest.is_empty() {
            format!("{}", value / unit)
        } else {
            format!("{}.{rest}", value / unit)
        }
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", trimmed(nanos, 1_000, 3)),
        1_000_000..1_000_000_000 => format!("{}ms", trimmed(nanos, 1_000_000, 6)),
        _ => {
            let seconds = trimmed(nanos % 60_000_000_000, 1_000_000_000, 9);
            let minutes = nanos / 60_000_000_000;
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// Parses what [`go_duration`] prints.
pub(crate) fn parse_go_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 7] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
    ];
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let (_, factor) = UNITS.iter().find(|(unit, _)| *unit == &rest[..end])?;
        seconds += number * factor;
        rest = &rest[end..];
    }
    (!text.is_empty())
        .then(|| Duration::try_from_secs_f64(seconds).ok())
        .flatten()
}

/// A size as PD prints it: four significant digits and a binary unit.
pub(crate) fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits_before_point = if value < 1.0 {
        1
    } else {
        value.log10().floor() as usize + 1
    };
    let text = format!(
        "{value:.precision$}",
        precision = 4_usize.saturating_sub(digits_before_point)
    );
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{}", UNITS[unit])
}

/// Parses what [`human_size`] prints, as exactly as four digits allow.
pub(crate) fn parse_human_size(text: &str) -> Option<u64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..split].parse().ok()?;
    let power = match &text[split..] {
        "B" => 0,
        "KiB" => 1,
        "MiB" => 2,
        "GiB" => 3,
        "TiB" => 4,
        "PiB" => 5,
        "EiB" => 6,
        _ => return None,
    };
    Some((number * 1024_f64.powi(power)) as u64)
}

/// A float that JSON shows without a fraction when it has none, as Go does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GoFloat(pub(crate) f64);

impl Serialize for GoFloat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() < 1e18 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

fn civil(time: Time) -> DateTime {
    let timestamp = Timestamp::from_second(time.unix_seconds()).unwrap_or_default();
    Offset::UTC.to_datetime(timestamp)
}

fn date(time: Time) -> String {
    let civil = civil(time);
    format!(
        "{:04}-{:02}-{:02}",
        civil.year(),
        civil.month(),
        civil.day()
    )
}

fn clock(time: Time) -> String {
    let civil = civil(time);
    format!(
        "{:02}:{:02}:{:02}",
        civil.hour(),
        civil.minute(),
        civil.second()
    )
}

fn fraction(nanos: i64) -> String {
    if nanos == 0 {
        return String::new();
    }
    let digits = format!("{nanos:09}");
    format!(".{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_duration(nanos: u64, text: &str) {
        assert_eq!(go_duration(Duration::from_nanos(nanos)), text);
        assert_eq!(
            parse_go_duration(text).map(|d| d.as_millis()),
            Some(u128::from(nanos / 1_000_000))
        );
    }

    #[test]
    fn durations_read_like_gos() {
        check_duration(0, "0s");
        check_duration(154_045_325, "154.045325ms");
        check_duration(60_000_000_000, "1m0s");
        check_duration(1_020_000_000_000, "17m0s");
        check_duration(172_800_000_000_000, "48h0m0s");
        check_duration(1_795_497_610_923_537_086, "498749h20m10.923537086s");
    }

    #[test]
    fn sizes_have_four_digits() {
        assert_eq!(human_size(0), "0B");
        assert_eq!(human_size(3456 << 20), "3.375GiB");
        assert_eq!(human_size((1 << 40) - (3456 << 20)), "1021GiB");
        assert_eq!(human_size(1 << 40), "1TiB");
        assert_eq!(parse_human_size("3.375GiB"), Some(3456 << 20));
    }

    #[test]
    fn times_read_like_gos() {
        let start = Time::from_unix_nanos(1_795_497_591_175_740_694);
        let time = Time::from_unix_nanos(1_795_497_611_378_839_990);
        assert_eq!(
            go_time(Some(time), start),
            "2026-11-24 05:20:11.37883999 +0000 UTC m=+20.203099296"
        );
        assert_eq!(go_time(None, start), "0001-01-01 00:00:00 +0000 UTC");
        assert_eq!(rfc3339(time), "2026-11-24T05:20:11.37883999Z");
        assert_eq!(http_date(time), "Tue, 24 Nov 2026 05:20:11 GMT");
    }
}
