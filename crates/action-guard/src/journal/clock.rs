//! Whether the clock can be believed: time in a journal never goes back, and does not leap ahead.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::proposal::Refusal;
use crate::records::Record;
use crate::state::State;

/// A clock that is this far behind the last record, or behind the time that passed, decides nothing.
const MOST_BEHIND: SignedDuration = SignedDuration::from_secs(5);

/// A clock that leapt this far ahead of the time that passed waits for a person.
const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// Refuses to decide anything on a clock that is behind what is written. What stops something, and
/// what became of what was sent, is written all the same.
pub(super) fn not_behind(
    records: &[Record],
    last: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some(last) = last.filter(|last| last.duration_since(now) > MOST_BEHIND) else {
        return Ok(());
    };
    if records.iter().all(Record::needs_no_clock) {
        return Ok(());
    }
    Err(Refusal::ClockBehind { last, now })
}

/// What the clock showed before, beside one that nobody sets. Every journal has one, and reads it
/// once for each transaction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    before: Option<(Instant, Timestamp)>,
}

/// What a clock shows, and whether it is to be believed.
#[derive(Debug, Clone, Copy)]
pub struct ClockReading {
    /// What it shows.
    shows: Timestamp,
    /// What it should show, when that is something else.
    expected: Option<Timestamp>,
}

impl Clock {
    /// One that should show this now.
    #[must_use]
    pub fn expecting(expected: Timestamp) -> Self {
        Self {
            before: Some((Instant::now(), expected)),
        }
    }

    /// Whether it is known what it should show.
    #[must_use]
    pub fn is_set(self) -> bool {
        self.before.is_some()
    }

    /// Reads it. A leap that the journal has followed, because a person confirmed it, is none.
    pub fn read(&mut self, shows: Timestamp, state: &State) -> ClockReading {
        let expected = self.before.map(|(then, showed)| {
            let passed = SignedDuration::try_from(then.elapsed()).unwrap_or(SignedDuration::MAX);
            showed.saturating_add(passed).unwrap_or(Timestamp::MAX)
        });
        let leapt = |from: Timestamp| shows.duration_since(from) > MOST_AHEAD;
        let followed = state.at.is_some_and(|at| !leapt(at));
        let is_behind = |expected: Timestamp| expected.duration_since(shows) > MOST_BEHIND;
        let expected =
            expected.filter(|expected| is_behind(*expected) || (leapt(*expected) && !followed));
        if expected.is_none() {
            self.before = Some((Instant::now(), shows));
        }
        ClockReading { shows, expected }
    }
}

impl ClockReading {
    /// Of a clock that is believed.
    #[cfg(test)]
    pub(crate) fn believed(shows: Timestamp) -> Self {
        Self {
            shows,
            expected: None,
        }
    }

    /// The time to write these records with.
    ///
    /// # Errors
    /// When they decide something, and the clock leapt or was set back.
    pub(crate) fn time_for(self, records: &[Record]) -> Result<Timestamp, Refusal> {
        let confirms = |record: &Record| matches!(record, Record::ClockConfirmed { .. });
        let (found, needs_none) = (self.shows, records.iter().all(Record::needs_no_clock));
        match self.expected {
            // What it shows is as good for that, and leaves no record that is later than the clock.
            Some(expected) if needs_none => Ok(expected.min(found)),
            Some(_) if records.iter().all(confirms) => Ok(found),
            Some(expected) if expected > found => Err(Refusal::ClockSetBack { expected, found }),
            Some(expected) => Err(Refusal::ClockAhead { expected, found }),
            None => Ok(found),
        }
    }

    /// The time to decide by.
    #[must_use]
    pub fn time(self) -> Timestamp {
        self.expected.unwrap_or(self.shows)
    }

    /// Whether it is to be believed.
    #[must_use]
    pub fn is_right(self) -> bool {
        self.expected.is_none()
    }

    /// What it shows.
    #[must_use]
    pub fn shows(self) -> Timestamp {
        self.shows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn stops() -> [Record; 1] {
        [Record::Killed {
            target: None,
            by: "user:ana".parse().unwrap(),
            reason: "smoke".to_owned(),
        }]
    }

    fn decides() -> [Record; 1] {
        [Record::Mode {
            target: None,
            mode: crate::Mode::Execute,
            by: "user:ana".parse().unwrap(),
            reason: "go".to_owned(),
            proof: None,
            attested: None,
        }]
    }

    fn confirms() -> [Record; 1] {
        [Record::ClockConfirmed {
            by: "user:ana".parse().unwrap(),
            reason: "it is that late".to_owned(),
            proof: None,
        }]
    }

    #[test]
    fn a_leap_decides_nothing_until_it_is_confirmed() {
        let (mut clock, mut state) = (Clock::default(), State::default());
        state.at = Some(at(0));
        assert!(
            clock.read(at(90_000), &state).is_right(),
            "a day without anybody is no leap"
        );
        state.at = Some(at(90_000));
        assert!(clock.read(at(90_000 + 3_500), &state).is_right());
        let leapt = clock.read(at(190_000), &state);
        assert!(matches!(
            leapt.time_for(&decides()),
            Err(Refusal::ClockAhead { .. })
        ));
        assert!(leapt.time_for(&stops()).unwrap() < at(95_000));
        assert_eq!(leapt.time_for(&confirms()).unwrap(), at(190_000));
        state.at = Some(at(190_000));
        let followed = clock.read(at(190_001), &state);
        assert_eq!(followed.time_for(&decides()).unwrap(), at(190_001));
    }

    #[test]
    fn a_clock_that_was_set_back_decides_nothing_until_it_is_confirmed() {
        let state = State {
            at: Some(at(0)),
            ..State::default()
        };
        let mut clock = Clock::expecting(at(3_600));
        assert!(clock.read(at(3_596), &state).is_right());
        let mut clock = Clock::expecting(at(3_600));
        let back = clock.read(at(10), &state);
        assert!(matches!(
            back.time_for(&decides()),
            Err(Refusal::ClockSetBack { .. })
        ));
        assert_eq!(back.time_for(&stops()).unwrap(), at(10));
        assert_eq!(back.time_for(&confirms()).unwrap(), at(10));
        assert!(!clock.read(at(11), &state).is_right());
        let mut clock = Clock::expecting(back.shows());
        assert_eq!(
            clock.read(at(11), &state).time_for(&decides()).unwrap(),
            at(11)
        );
    }

    #[test]
    fn a_clock_that_is_behind_stops_and_decides_nothing() {
        let last = Some(at(100));
        assert!(not_behind(&decides(), last, at(96)).is_ok());
        assert!(not_behind(&decides(), last, at(94)).is_err());
        assert!(not_behind(&stops(), last, at(0)).is_ok());
        assert!(not_behind(&decides(), None, at(0)).is_ok());
    }
}
