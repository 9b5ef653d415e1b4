//! Times of the week, and lengths of time.

use std::fmt;

use action_core::DurationText;
use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::Offset;

/// Times of the week, UTC. A window that goes past midnight belongs to the day on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// The days on which it begins; all of them when empty.
    pub(super) days: Vec<Weekday>,
    /// From this minute on.
    pub(super) from: Time,
    /// Until this minute, which is not in it. Not after `from`: on the next day.
    pub(super) to: Time,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Window {
    pub(super) fn contains(&self, at: Timestamp) -> bool {
        let at = Offset::UTC.to_datetime(at);
        let (time, today) = (at.time(), at.weekday());
        let begins_on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        if self.from < self.to {
            return begins_on(today) && self.from <= time && time < self.to;
        }
        (begins_on(today) && self.from <= time) || (begins_on(today.previous()) && time < self.to)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |day: &Weekday| DAYS.iter().find(|(_, known)| known == day).map(|day| day.0);
        let days: Vec<_> = self.days.iter().filter_map(name).collect();
        if !days.is_empty() {
            write!(f, "{} ", days.join(","))?;
        }
        let clock = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
        write!(f, "{}-{} UTC", clock(self.from), clock(self.to))
    }
}

/// A day by the three letters it is written with.
pub(super) fn day(text: &str) -> Result<Weekday, String> {
    let known = DAYS.iter().find(|(name, _)| *name == text);
    known
        .map(|(_, day)| *day)
        .ok_or_else(|| format!("invalid day `{text}`: use mon, tue, wed, thu, fri, sat or sun"))
}

/// A time of day as `22:00`.
pub(super) fn time(text: &str) -> Result<Time, String> {
    let wrong = || format!("invalid time of day `{text}`: write it as `22:00`");
    let digits = |text: &str| -> Option<i8> {
        let all = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| text.parse().ok()).flatten()
    };
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    match (digits(hour), digits(minute)) {
        (Some(24), Some(0)) => {
            Err("only `to` can be `24:00`: use `00:00` for the start of a day".to_owned())
        }
        (Some(hour), Some(minute)) => Time::new(hour, minute, 0, 0).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// The same, and `24:00` is the end of the day.
pub(super) fn end_time(text: &str) -> Result<Time, String> {
    match text {
        "24:00" => Ok(Time::midnight()),
        _ => time(text),
    }
}

/// The length of time of a key, as `90s`, `15m`, `2h` or `1h30m`, in milliseconds: a second at least.
pub(super) fn duration_ms(key: &str, text: &str, longest: DurationText) -> Result<u64, String> {
    let length = text.parse().map(DurationText::as_millis);
    match length {
        Ok(ms) if (1_000..=longest.as_millis()).contains(&ms) => Ok(ms),
        _ => Err(format!(
            "invalid duration `{text}` for `{key}`: use 90s, 15m or 1h30m, from 1s to {longest}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(window: &Window, at: &str, inside: bool) {
        assert_eq!(
            window.contains(at.parse().unwrap()),
            inside,
            "{window} {at}"
        );
    }

    #[test]
    fn a_window_past_midnight_belongs_to_the_day_it_begins_on() {
        let window = Window {
            days: vec![Weekday::Friday],
            from: time("22:00").unwrap(),
            to: time("06:00").unwrap(),
        };
        // 2026-11-27 is a Friday.
        check(&window, "2026-11-27T21:59:59Z", false);
        check(&window, "2026-11-27T22:00:00Z", true);
        check(&window, "2026-11-28T05:59:59Z", true);
        check(&window, "2026-11-28T06:00:00Z", false);
        check(&window, "2026-11-28T22:30:00Z", false);
        check(&window, "2026-11-27T05:00:00Z", false);
        assert_eq!(window.to_string(), "fri 22:00-06:00 UTC");
    }

    #[test]
    fn a_window_within_a_day_ends_before_its_end() {
        let window = Window {
            days: Vec::new(),
            from: time("08:00").unwrap(),
            to: end_time("24:00").unwrap(),
        };
        check(&window, "2026-11-24T07:59:59Z", false);
        check(&window, "2026-11-24T08:00:00Z", true);
        check(&window, "2026-11-24T23:59:59Z", true);
        check(&window, "2026-11-25T00:00:00Z", false);
    }

    #[test]
    fn times_and_lengths_are_read_exactly_or_not_at_all() {
        let longest: DurationText = "366d".parse().unwrap();
        let duration_ms = |text: &str| duration_ms("ttl", text, longest);
        assert_eq!(duration_ms("1h30m"), Ok(5_400_000));
        assert_eq!(duration_ms("90s"), Ok(90_000));
        assert_eq!(duration_ms("1d"), Ok(86_400_000));
        assert_eq!(duration_ms("366d"), Ok(longest.as_millis()));
        for text in [
            "",
            "0s",
            "15ms",
            "15",
            "m",
            "1.5h",
            "-1m",
            "1w",
            "366d1s",
            "999999999h",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
        for text in [
            "", "8:00", "24:00", "25:00", "24:01", "08:60", "0800", "+8:00", "aa:bb",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
        assert!(end_time("24:01").is_err());
        assert!(day("Monday").is_err());
    }
}
