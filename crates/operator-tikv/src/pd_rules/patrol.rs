//! How long PD's checkers take to come to every region.
//!
//! Every `patrol-region-interval` they look at one batch of regions, in the order of their keys, and
//! at those that wait since an earlier batch: `PatrolRegions` of
//! `pkg/schedule/checker/checker_controller.go`, before 8.3 of `coordinator.go`. What replaces, adds,
//! removes or merges by itself waits for that; schedulers, drains and what is asked for do not. PD
//! takes any duration above 0, 10 ms by default (`AdjustDuration`), and a new one only when the one
//! before is over (`updateTickerIfNeeded`), or with a new leader.

use std::time::Duration;

use action_core::Cause;
use pd_client::Capability;
use pd_client::config::Config;
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;

/// PD's name of the setting.
pub(crate) const INTERVAL: &str = "patrol-region-interval";

/// From this on a round, or a rest, is long: the time that PD gives an operator of its own. With
/// PD's default a round takes seconds, and before 8.3 less than two minutes for a million regions.
const LONG: Duration = Duration::from_secs(600);

/// The batch before 8.3, and the smallest since.
const BATCH: u64 = 128;

/// Since 8.3 a batch is this part of all regions, up to so many.
const PARTS: u64 = 1_024;
const LARGEST_BATCH: u64 = 8_192;

/// How the checkers go round.
#[derive(Debug)]
pub(crate) struct Patrol {
    pub(crate) interval: Duration,
    /// How many regions there are, as far as PD knows.
    pub(crate) regions: u64,
    batch: u64,
}

impl Patrol {
    /// Among so many regions. No read, or that of PD's version where there are more than 131,072.
    pub(crate) async fn read(tikv: &Tikv, config: &Config, regions: u64) -> Result<Self, Error> {
        let grown = (regions / PARTS).clamp(BATCH, LARGEST_BATCH);
        let grows = grown > BATCH && {
            let version = tikv.pd.version().await.map_err(Error::Read)?;
            version.has(Capability::PatrolBatchGrows) == Some(true)
        };
        Ok(Self {
            interval: config.schedule.patrol_region_interval.unwrap_or_default(),
            regions,
            batch: if grows { grown } else { BATCH },
        })
    }

    /// How long it takes until they have come to each region.
    pub(crate) fn round(&self) -> Duration {
        let batches = self.regions.div_ceil(self.batch).max(1);
        let batches = u32::try_from(batches).unwrap_or(u32::MAX);
        self.interval.saturating_mul(batches)
    }

    /// How long a round takes, where that is long.
    pub(crate) fn long_round(&self) -> Option<Duration> {
        Some(self.round()).filter(|round| *round >= LONG)
    }

    /// That the checkers look at nothing for a long time.
    pub(crate) fn rests(&self) -> Option<Cause> {
        (self.interval >= LONG).then(|| Cause::new("patrol_interval_long", self.text()))
    }

    /// What is said of it.
    pub(crate) fn text(&self) -> String {
        format!(
            "`{INTERVAL}` is {}: PD's checkers visit {} regions per interval and take up to {} to visit all {} regions",
            in_words(self.interval),
            self.batch,
            in_words(self.round()),
            self.regions
        )
    }

    /// How long the checkers may take to come to a region, as the end of a clause; empty where that is
    /// not long.
    pub(crate) fn until_seen(&self) -> String {
        let round = self.long_round().map(in_words);
        round.map_or_else(String::new, |round| {
            format!(", up to {round} later (`{INTERVAL}`)")
        })
    }
}

/// The regions that stores lead.
pub(crate) fn led(stores: &[Store]) -> u64 {
    stores.iter().map(|one| one.status.leader_count).sum()
}

/// A duration as people read it.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        _ if seconds < 1.0 => format!("{} ms", duration.as_millis()),
        _ if seconds < 600.0 => format!("{seconds:.0} s"),
        _ if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(interval_ms: u64, (regions, batch): (u64, u64), round: &str, is_long: bool) {
        let patrol = Patrol {
            interval: Duration::from_millis(interval_ms),
            regions,
            batch,
        };
        assert_eq!(in_words(patrol.round()), round);
        assert_eq!(patrol.long_round().is_some(), is_long, "{round}");
    }

    /// A million regions: one batch of each 128 before 8.3, as PD's source counts.
    #[test]
    fn a_round_is_as_many_intervals_as_batches() {
        check(10, (1_000_000, 128), "78 s", false);
        check(10, (1_024_000, 1_000), "10 s", false);
        check(100, (1_000_000, 128), "13 min", true);
        check(10, (0, 128), "10 ms", false);
        check(10_800_000, (20, 128), "3.0 h", true);
        check(300_000, (129, 128), "10 min", true);
    }
}
