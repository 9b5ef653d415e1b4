//! How fast something gets on that can be counted, and that it does not.

use std::time::{Duration, Instant};

use action_core::Done;

/// So long without progress is said, and then each time that it is twice as long.
const QUIET: Duration = Duration::from_secs(40);

/// How fast something gets on, since it was seen first.
#[derive(Default)]
pub(super) struct Pace {
    first: Option<Seen>,
    last: Option<Seen>,
    text: String,
}

/// How much was done by when.
#[derive(Clone, Copy)]
struct Seen {
    done: u64,
    at: Instant,
}

impl Pace {
    /// How fast it gets on and how long the rest takes at that, or that nothing moves; to stand
    /// behind how much is done.
    pub(super) fn text(&mut self, done: &Done, now: Instant) -> &str {
        let seen = Seen {
            done: done.done,
            at: now,
        };
        match self.last {
            Some(last) if last.done == seen.done => {
                let quiet = now.saturating_duration_since(last.at);
                if quiet >= QUIET {
                    let shown = said(quiet);
                    self.text = format!(", no progress for {shown} s");
                }
            }
            _ => {
                self.last = Some(seen);
                let first = *self.first.get_or_insert(seen);
                if seen.done < first.done {
                    self.first = Some(seen);
                }
                self.text = estimate(first, seen, done.total).unwrap_or_default();
            }
        }
        &self.text
    }
}

/// Seconds without progress, as they are said: no line for each of them.
fn said(quiet: Duration) -> u64 {
    let mut shown = QUIET.as_secs();
    while shown * 2 <= quiet.as_secs() {
        shown *= 2;
    }
    shown
}

/// How fast it was so far, and how long the rest takes at that.
fn estimate(first: Seen, now: Seen, total: u64) -> Option<String> {
    let moved = now
        .done
        .checked_sub(first.done)
        .filter(|moved| *moved > 0)?;
    let left = total.checked_sub(now.done).filter(|left| *left > 0)?;
    let seconds = now.at.saturating_duration_since(first.at).as_secs_f64();
    let per_second = moved as f64 / seconds.max(0.1);
    let (rate, unit) = match per_second {
        rate if rate >= 0.1 => (rate, "s"),
        rate if rate * 60.0 >= 0.1 => (rate * 60.0, "min"),
        rate => (rate * 3_600.0, "h"),
    };
    let rate = match rate {
        few if few < 9.95 && few.fract() >= 0.05 => format!("{few:.1}"),
        many => format!("{many:.0}"),
    };
    let rest = duration((left as f64 / per_second).ceil());
    Some(format!(", {rate}/{unit}, {rest} to go"))
}

/// Seconds, in two units at most.
fn duration(seconds: f64) -> String {
    // Whatever is beyond this is said to be this long.
    let seconds = seconds.min(1e12) as u64;
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let two = |many: u64, unit: &str, few: u64, smaller: &str| match few {
        0 => format!("{many} {unit}"),
        few => format!("{many} {unit} {few} {smaller}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..600 => two(minutes, "min", seconds % 60, "s"),
        600..3_600 => format!("{minutes} min"),
        3_600..36_000 => two(hours, "h", minutes % 60, "min"),
        _ => format!("{hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of so many of 12 done after so many seconds, one after the other.
    #[track_caller]
    fn check(seen: &[(u64, u64, &str)]) {
        let (begun, mut pace) = (Instant::now(), Pace::default());
        for (seconds, done, expected) in seen {
            let now = begun + Duration::from_secs(*seconds);
            let text = pace.text(&Done::new(*done, 12, "leaders"), now);
            assert_eq!(text, *expected, "{done} after {seconds} s");
        }
    }

    #[test]
    fn the_rest_is_estimated_while_it_moves() {
        check(&[
            (0, 0, ""),
            (2, 4, ", 2/s, 4 s to go"),
            (3, 4, ", 2/s, 4 s to go"),
            (60, 6, ", 0.1/s, 1 min to go"),
            (1_200, 8, ", 0.4/min, 10 min to go"),
            (72_000, 10, ", 0.5/h, 4 h to go"),
            (72_001, 12, ""),
        ]);
        check(&[(0, 0, ""), (8, 4, ", 0.5/s, 16 s to go")]);
        // What was done before it was looked at says nothing of how fast it is.
        check(&[(0, 10, ""), (10, 11, ", 0.1/s, 10 s to go")]);
    }

    #[test]
    fn a_rest_is_said_in_two_units_at_most() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (59.0, "59 s"),
            (90.0, "1 min 30 s"),
            (120.0, "2 min"),
            (630.0, "10 min"),
            (3_660.0, "1 h 1 min"),
            (7_200.0, "2 h"),
            (36_100.0, "10 h"),
            (f64::INFINITY, "277777777 h"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn what_stands_still_has_no_pace() {
        check(&[
            (0, 0, ""),
            (39, 0, ""),
            (40, 0, ", no progress for 40 s"),
            (79, 0, ", no progress for 40 s"),
            (80, 0, ", no progress for 80 s"),
            (120, 1, ", 0.5/min, 22 min to go"),
            (159, 1, ", 0.5/min, 22 min to go"),
            (280, 1, ", no progress for 160 s"),
        ]);
        // What there is more of again is counted anew.
        check(&[(0, 8, ""), (1, 6, ""), (2, 7, ", 1/s, 5 s to go")]);
    }
}
