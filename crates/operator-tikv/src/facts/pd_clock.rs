//! What PD's clock shows, as far as its answers tell.

use std::time::{Duration, SystemTime};

use action_core::{ClockOffset, Sent};
use pd_client::stores::Store;

use crate::cluster::Tikv;

/// A reading of PD's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PdTime(SystemTime);

impl PdTime {
    /// Now; `None` before PD's first answer.
    pub(crate) fn now(tikv: &Tikv) -> Option<Self> {
        let ahead_ms = tikv.pd.clock_offset()?.ahead_ms;
        let ahead = Duration::from_millis(ahead_ms.unsigned_abs());
        let ours = SystemTime::now();
        let pds = if ahead_ms < 0 {
            ours.checked_sub(ahead)
        } else {
            ours.checked_add(ahead)
        };
        pds.map(Self)
    }

    pub(crate) fn time(self) -> SystemTime {
        self.0
    }

    /// Milliseconds after 1970.
    pub(crate) fn unix_ms(self) -> Option<u64> {
        unix_ms(self.0)
    }

    /// Whole seconds since an earlier time by PD's clock; 0 when that is not earlier.
    pub(crate) fn seconds_since(self, earlier: SystemTime) -> u64 {
        self.0.duration_since(earlier).unwrap_or_default().as_secs()
    }

    /// Whole seconds until a later time by PD's clock; 0 when that is not later.
    pub(crate) fn seconds_until(self, later: SystemTime) -> u64 {
        later.duration_since(self.0).unwrap_or_default().as_secs()
    }
}

/// When it was sent, by PD's clock.
pub(crate) fn pd_time_of_send(sent: &Sent) -> Option<SystemTime> {
    let ClockOffset { ahead_ms, .. } = sent.attempt.clock?;
    at_unix_ms(sent.attempt.sent_at_unix_ms.saturating_add_signed(ahead_ms))
}

/// What PD's clock shows now.
pub(crate) fn pd_now(sent: &Sent) -> Option<SystemTime> {
    pd_time_of_send(sent)?.checked_add(Duration::from_millis(sent.since_send_ms))
}

pub(crate) fn uncertainty(sent: &Sent) -> Duration {
    // A day is more than any clock that is kept at all is off.
    let ms = sent.attempt.clock.map_or(0, |clock| clock.uncertainty_ms);
    Duration::from_millis(ms.min(86_400_000))
}

pub(crate) fn at_unix_ms(ms: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms))
}

/// Milliseconds after 1970.
pub(crate) fn unix_ms(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

/// How long PD has not heard of a store; `None` when it never has.
pub(crate) fn silent_for(store: &Store, clock_ahead_ms: i64) -> Option<Duration> {
    let heard = store.last_heartbeat.or(store.status.last_heartbeat_ts)?;
    let ahead = Duration::from_millis(clock_ahead_ms.unsigned_abs());
    let now = SystemTime::now();
    let now = if clock_ahead_ms < 0 {
        now - ahead
    } else {
        now + ahead
    };
    Some(now.duration_since(heard).unwrap_or_default())
}
