//! How PD's clock differs from ours.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use crate::time::http_date;

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

/// Answers of one second: PD's clock was ahead by something between these.
#[derive(Debug, Clone)]
struct Reading {
    header: String,
    date: SystemTime,
    at: Instant,
    least_ms: i64,
    most_ms: i64,
}

const KEPT: usize = 32;
const FRESH: Duration = Duration::from_secs(300);

impl Clock {
    /// Reads the `Date` of an answer to a request sent and received at these local times.
    pub(crate) fn read(
        &mut self,
        sent: SystemTime,
        received: SystemTime,
        header: &str,
    ) -> Option<SystemTime> {
        let newest = self
            .readings
            .back_mut()
            .filter(|newest| newest.header == header);
        let date = match &newest {
            Some(newest) => newest.date,
            None => http_date(header)?,
        };
        // PD cut its time to the second below, and read it between the two local times.
        let least_ms = difference_ms(date, received);
        let most_ms = difference_ms(date, sent).saturating_add(1000);
        match newest {
            // Our clock was set back in between.
            _ if least_ms > most_ms => {}
            Some(newest) if least_ms <= newest.most_ms && most_ms >= newest.least_ms => {
                newest.least_ms = newest.least_ms.max(least_ms);
                newest.most_ms = newest.most_ms.min(most_ms);
            }
            _ => {
                if self.readings.len() == KEPT {
                    self.readings.pop_front();
                }
                let (header, at) = (header.to_owned(), Instant::now());
                self.readings.push_back(Reading {
                    header,
                    date,
                    at,
                    least_ms,
                    most_ms,
                });
            }
        }
        Some(date)
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

    /// Milliseconds after 2026-11-24 05:22:00.
    fn at(ms: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_497_720_000 + ms)
    }

    /// The header of an answer at that time.
    fn header(ms: u64) -> String {
        format!("Tue, 24 Nov 2026 05:22:{:02} GMT", ms / 1000)
    }

    #[test]
    fn one_answer_is_good_to_half_a_second() {
        let mut clock = Clock::default();
        assert_eq!(clock.offset(), None);
        assert_eq!(clock.read(at(500), at(520), &header(5000)), Some(at(5000)));
        assert_eq!(clock.read(at(500), at(520), "soon"), None);
        let offset = clock.offset().unwrap();
        assert_eq!((offset.ahead_ms, offset.uncertainty_ms), (4990, 510));
    }

    #[test]
    fn more_answers_narrow_it_down() {
        let mut clock = Clock::default();
        // PD is 4.7 s ahead: local .000 is PD's .700.
        for local in (0..3000_u64).step_by(130) {
            clock.read(at(local), at(local + 10), &header(local + 4705));
        }
        let offset = clock.offset().unwrap();
        assert!(offset.uncertainty_ms < 100, "{offset:?}");
        assert!(
            offset.ahead_ms.abs_diff(4700) <= offset.uncertainty_ms + 10,
            "{offset:?}"
        );
    }

    #[test]
    fn many_answers_of_one_second_are_one_reading() {
        let mut clock = Clock::default();
        for local in 0..990 {
            clock.read(at(local), at(local + 1), &header(0));
        }
        assert_eq!(clock.readings.len(), 1);
        let offset = clock.offset().unwrap();
        assert_eq!((offset.ahead_ms, offset.uncertainty_ms), (5, 6));
    }

    #[test]
    fn a_set_clock_is_believed_at_once() {
        let mut clock = Clock::default();
        clock.read(at(0), at(10), &header(0));
        clock.read(at(100), at(110), &header(50_000));
        assert!(clock.offset().unwrap().ahead_ms > 49_000);
    }
}
