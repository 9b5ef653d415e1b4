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
                    self.text = format!(", no progress for more than {shown} s");
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
    let rate = match per_second {
        rate if rate >= 0.1 => format!("{rate:.1} a second"),
        rate if rate * 60.0 >= 0.1 => format!("{:.1} a minute", rate * 60.0),
        rate => format!("{:.1} an hour", rate * 3_600.0),
    };
    let rest = match (left as f64 / per_second).ceil() {
        rest if rest < 120.0 => format!("{rest:.0} s"),
        rest if rest < 7_200.0 => format!("{:.0} min", rest / 60.0),
        rest => format!("{:.0} h", rest / 3_600.0),
    };
    Some(format!(", {rate}, {rest} to go"))
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
            (2, 4, ", 2.0 a second, 4 s to go"),
            (3, 4, ", 2.0 a second, 4 s to go"),
            (60, 6, ", 0.1 a second, 60 s to go"),
            (1_200, 8, ", 0.4 a minute, 10 min to go"),
            (72_000, 10, ", 0.5 an hour, 4 h to go"),
            (72_001, 12, ""),
        ]);
        check(&[(0, 0, ""), (8, 4, ", 0.5 a second, 16 s to go")]);
        // What was done before it was looked at says nothing of how fast it is.
        check(&[(0, 10, ""), (10, 11, ", 0.1 a second, 10 s to go")]);
    }

    #[test]
    fn what_stands_still_has_no_pace() {
        check(&[
            (0, 0, ""),
            (39, 0, ""),
            (40, 0, ", no progress for more than 40 s"),
            (79, 0, ", no progress for more than 40 s"),
            (80, 0, ", no progress for more than 80 s"),
            (120, 1, ", 0.5 a minute, 22 min to go"),
            (159, 1, ", 0.5 a minute, 22 min to go"),
            (280, 1, ", no progress for more than 160 s"),
        ]);
        // What there is more of again is counted anew.
        check(&[(0, 8, ""), (1, 6, ""), (2, 7, ", 1.0 a second, 5 s to go")]);
    }
}
