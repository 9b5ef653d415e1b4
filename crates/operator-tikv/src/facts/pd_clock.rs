//! What PD's clock shows, as far as its answers tell.

use std::time::{Duration, SystemTime};

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

    /// Milliseconds after 1970.
    pub(crate) fn unix_ms(self) -> Option<u64> {
        crate::evidence::own_operator::unix_ms(self.0)
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
