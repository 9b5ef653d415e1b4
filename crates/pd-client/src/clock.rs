//! How PD's clock differs from ours.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

/// How far PD's clock is ahead of ours.
///
/// From the `Date` header of answers, which has a resolution of one second; several answers
/// narrow it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockOffset {
    /// Milliseconds PD's clock is ahead; negative when it is behind.
    pub ahead_ms: i64,
    /// Milliseconds by which `ahead_ms` may be wrong in either direction.
    pub uncertainty_ms: u64,
}

/// The most recent readings of PD's clock.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    readings: VecDeque<Reading>,
}

/// One answer: PD's clock was ahead by something between these.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    least_ms: i64,
    most_ms: i64,
}

const KEPT: usize = 32;
const FRESH: Duration = Duration::from_secs(300);

impl Clock {
    /// Adds an answer dated `date` to a request sent and received at these local times.
    pub(crate) fn add(&mut self, sent: SystemTime, received: SystemTime, date: SystemTime) {
        // PD cut its time to the second below, and read it between the two local times.
        let least_ms = difference_ms(date, received);
        let most_ms = difference_ms(date, sent).saturating_add(1000);
        if least_ms > most_ms {
            return; // Our clock was set back in between.
        }
        if self.readings.len() == KEPT {
            self.readings.pop_front();
        }
        self.readings.push_back(Reading {
            at: Instant::now(),
            least_ms,
            most_ms,
        });
    }

    /// The narrowest estimate that the newest answers agree on.
    pub(crate) fn offset(&self) -> Option<ClockOffset> {
        let newest = self.readings.back()?;
        let (mut least, mut most) = (newest.least_ms, newest.most_ms);
        for reading in self
            .readings
            .iter()
            .rev()
            .take_while(|reading| reading.at.elapsed() < FRESH)
        {
            // Answers that cannot all be true: a clock was set, or another member answered.
            if reading.least_ms > most || reading.most_ms < least {
                break;
            }
            least = least.max(reading.least_ms);
            most = most.min(reading.most_ms);
        }
        let width = most.abs_diff(least);
        Some(ClockOffset {
            ahead_ms: least.saturating_add_unsigned(width / 2),
            uncertainty_ms: width.div_ceil(2),
        })
    }
}

fn difference_ms(later: SystemTime, earlier: SystemTime) -> i64 {
    let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match later.duration_since(earlier) {
        Ok(ahead) => ms(ahead),
        Err(behind) => -ms(behind.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000 + ms)
    }

    #[test]
    fn one_answer_is_good_to_half_a_second() {
        let mut clock = Clock::default();
        assert_eq!(clock.offset(), None);
        clock.add(at(500), at(520), at(5000));
        let offset = clock.offset().unwrap();
        assert_eq!((offset.ahead_ms, offset.uncertainty_ms), (4990, 510));
    }

    #[test]
    fn more_answers_narrow_it_down() {
        let mut clock = Clock::default();
        // PD is 4.7 s ahead: local .000 is PD's .700.
        for local in (0..3000_u64).step_by(130) {
            clock.add(at(local), at(local + 10), at((local + 4705) / 1000 * 1000));
        }
        let offset = clock.offset().unwrap();
        assert!(offset.uncertainty_ms < 100, "{offset:?}");
        assert!(
            offset.ahead_ms.abs_diff(4700) <= offset.uncertainty_ms + 10,
            "{offset:?}"
        );
    }

    #[test]
    fn a_set_clock_is_believed_at_once() {
        let mut clock = Clock::default();
        clock.add(at(0), at(10), at(0));
        clock.add(at(100), at(110), at(60_000));
        assert!(clock.offset().unwrap().ahead_ms > 59_000);
    }
}
